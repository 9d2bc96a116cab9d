import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../domain/device.ts';
import { type Finding, ok } from '../../domain/finding.ts';
import { formatMib } from '../../domain/units.ts';
import { isDeviceFault, xidText } from '../../domain/xid.ts';
import { kernelLogTrouble } from '../devices/kernelLog.ts';
import { programOutput } from '../programOutput.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** nvidia-smi loads the driver where nobody else keeps it loaded. */
const SMI_DEADLINE_MS = 20_000;
const VENDORS: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD' };

/** What the engine reads devices with, and what it reads. */
export interface Probed {
  readonly probe: string;
  readonly note: string | null;
  readonly devices: readonly Device[];
}

/**
 * The GPUs that are plugged in, against what the driver, and then Stint, sees of them.
 * @param probed null: no engine runs. @param root where /sys and /proc are.
 */
export async function gpuFindings(env: Env, probed: Probed | null, root = '/'): Promise<Finding[]> {
  const sys = join(root, 'sys');
  const cards = graphicsCards(sys);
  const driver = nvidiaDriver(join(root, 'proc/driver/nvidia/version'));
  const smi = await programOutput(
    env.STINT_NVIDIA_SMI || 'nvidia-smi',
    ['--query-gpu=name,driver_version,persistence_mode', '--format=csv,noheader'],
    env,
    SMI_DEADLINE_MS,
  );
  const there = cards.has('NVIDIA') || driver !== null || smi !== null;
  return [
    ...nvidia(cards, driver, smi),
    ...(there ? [kernelLog(env)] : []),
    ...amd(cards, sys),
    ...(probed === null ? [] : seen(probed)),
  ];
}

/** Where the driver says of what its GPUs suffer, also while no engine runs. */
function kernelLog(env: Env): Finding {
  const about = 'kernel log';
  const trouble = kernelLogTrouble(env);
  if (trouble === null) return ok(about, 'readable: faults of GPUs are seen that came while no engine ran');
  return {
    about,
    severity: 'note',
    found: `/dev/kmsg cannot be read (${trouble}): faults of GPUs are heard through NVML only, while an engine runs`,
    remedy:
      'let your user read it: sudo sysctl kernel.dmesg_restrict=0, or sudo usermod -aG systemd-journal $USER (journalctl -k)',
  };
}

/** PCI devices of the display classes, by vendor (linux/pci_ids.h: class 0x03). */
function graphicsCards(sys: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const pci = join(sys, 'bus/pci/devices');
  if (!existsSync(pci)) return found;
  for (const name of readdirSync(pci)) {
    try {
      const word = (file: string): string => readFileSync(join(pci, name, file), 'latin1').trim();
      if (!word('class').startsWith('0x03')) continue;
      const vendor = VENDORS[word('vendor')];
      if (vendor !== undefined) found.set(vendor, (found.get(vendor) ?? 0) + 1);
    } catch {
      // It was taken out meanwhile.
    }
  }
  return found;
}

/** The version of the kernel's part of the driver; null: it is not loaded. */
function nvidiaDriver(path: string): string | null {
  try {
    return /Kernel Module.*?\s(\d+\.\d[\d.]*)/.exec(readFileSync(path, 'latin1'))?.[1] ?? 'unknown';
  } catch {
    return null;
  }
}

function nvidia(cards: ReadonlyMap<string, number>, driver: string | null, smi: string | null): Finding[] {
  const about = 'NVIDIA';
  const plugged = cards.get('NVIDIA') ?? 0;
  if (plugged === 0 && driver === null && smi === null)
    return [
      {
        about,
        severity: 'note',
        found: 'no GPU of NVIDIA is plugged in, and no driver is there',
        remedy: null,
      },
    ];
  if (driver === null && smi === null) {
    const remedy = 'install the NVIDIA driver (nvidia-smi should list the GPUs), and restart the machine';
    return [
      {
        about,
        severity: 'error',
        found: `${plugged} GPUs are plugged in, and no driver of NVIDIA is loaded`,
        remedy,
      },
    ];
  }
  if (smi === null) {
    const remedy =
      'after an upgrade of the driver restart the machine; else install nvidia-smi of the same version';
    return [
      {
        about,
        severity: 'warning',
        found: `driver ${driver} is loaded, and nvidia-smi does not answer`,
        remedy,
      },
    ];
  }
  const lines = smi.trim().split('\n').filter(Boolean);
  const version = lines[0]?.split(', ')[1] ?? driver ?? 'unknown';
  const findings: Finding[] = [ok(about, `driver ${version}, nvidia-smi lists ${lines.length} GPUs`)];
  if (plugged > lines.length) {
    const found = `${plugged} GPUs are plugged in, and the driver lists ${lines.length}`;
    const remedy = 'look into dmesg for NVRM and Xid messages; check seat and power';
    findings.push({ about, severity: 'warning', found, remedy });
  }
  if (lines.some((line) => line.endsWith(', Disabled'))) {
    const found = 'persistence mode is off: the first job on an idle GPU waits until the driver is loaded';
    findings.push({
      about,
      severity: 'note',
      found,
      remedy: 'sudo nvidia-smi -pm 1, or enable nvidia-persistenced',
    });
  }
  return findings;
}

function amd(cards: ReadonlyMap<string, number>, sys: string): Finding[] {
  const plugged = cards.get('AMD') ?? 0;
  const drm = join(sys, 'class/drm');
  const readable = !existsSync(drm)
    ? 0
    : readdirSync(drm).filter((name) => existsSync(join(drm, name, 'device/mem_info_vram_total'))).length;
  if (plugged === 0 && readable === 0) return [];
  if (readable > 0) return [ok('AMD', `amdgpu tells of ${readable} GPUs in ${drm}`)];
  const found = `${plugged} GPUs are plugged in, and amdgpu tells of none`;
  return [{ about: 'AMD', severity: 'warning', found, remedy: 'load the kernel module amdgpu' }];
}

function seen({ probe, note, devices }: Probed): Finding[] {
  const findings: Finding[] = [
    note === null
      ? ok('devices', `${devices.length}, read through ${probe}`)
      : {
          about: 'devices',
          severity: 'note',
          found: `${devices.length}, read through ${probe}: ${note}`,
          remedy: null,
        },
  ];
  for (const { index, name, memoryTotalMib, health, trouble, fault } of devices) {
    const about = `device ${index}`;
    if (fault !== undefined) {
      const found = `its driver reported ${xidText(fault.code)}, ${new Date(fault.atMs).toISOString()}`;
      const remedy =
        'look into dmesg; where it comes again on other jobs, the GPU, its power or its seat is bad';
      findings.push({ about, severity: isDeviceFault(fault.code) ? 'warning' : 'note', found, remedy });
    }
    if (health === 'ok') findings.push(ok(about, `${name}, ${formatMib(memoryTotalMib)}`));
    else
      findings.push({
        about,
        severity: 'warning',
        found: `${health}: ${trouble ?? name}`,
        remedy: `stint device ${index}`,
      });
  }
  return findings;
}
