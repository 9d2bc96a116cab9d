import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceProcess, Measured } from '../../domain/device.ts';
import {
  type DeviceProbe,
  FOCUS_INTERVAL_MS,
  type ProbedDevice,
  type ProbeListener,
  type ProbeReport,
} from '../ports.ts';
import { ProbeError } from './probeError.ts';

export interface AmdProbeOptions {
  /** Time between two readings. Milliseconds. */
  readonly intervalMs?: number;
  /** Where sysfs is mounted. */
  readonly sys?: string;
}

const VENDOR = '0x1002';
const MIB = 1024 * 1024;
const REMEDY =
  'load the kernel module amdgpu (/sys/class/drm/card*/device/mem_info_vram_total should be there), or start with ' +
  '--devices virtual:2';

/** A card of the driver's. */
interface Card {
  /** Its directory under /sys/class/drm, with what belongs to the PCI device. */
  readonly device: string;
  /** `0000:03:00.0`: sorts as the bus does. */
  readonly slot: string;
}

/**
 * Reads AMD's GPUs as the kernel driver amdgpu shows them in sysfs (docs.kernel.org/gpu/amdgpu/thermal.html and
 * driver-misc.html), and the processes on them as its compute part does (/sys/class/kfd). Files are read asynchronously:
 * one that hangs in the driver keeps nobody else waiting, and what it would have said goes stale.
 */
export class AmdProbe implements DeviceProbe {
  readonly kind = 'amd';
  readonly #sys: string;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> = Promise.resolve();
  #listener: ProbeListener | null = null;
  /** Directories of the cards that were found last, by the device's id. */
  #places: ReadonlyMap<string, string> = new Map();
  #focus: readonly string[] = [];
  #focusTimer: NodeJS.Timeout | undefined;
  #measuring: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor({ intervalMs = 1000, sys = '/sys' }: AmdProbeOptions = {}) {
    this.#sys = sys;
    this.#intervalMs = intervalMs;
  }

  async start(listener: ProbeListener): Promise<ProbeReport> {
    const first = await this.#look();
    if (first.devices.length === 0) throw new ProbeError('amdgpu tells of no GPU', REMEDY, true);
    this.#listener = listener;
    listener.onReport(first);
    this.#next(listener);
    return first;
  }

  focus(ids: readonly string[]): void {
    this.#focus = ids;
    clearTimeout(this.#focusTimer);
    if (ids.length > 0) this.#nextMeasurement();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.focus([]);
    clearTimeout(this.#timer);
    await Promise.all([this.#looking, this.#measuring]);
  }

  /** Each once the one before is done: a card that answers slowly is measured less often. */
  #nextMeasurement(): void {
    this.#focusTimer = setTimeout(() => {
      const ids = this.#focus;
      this.#measuring = Promise.all(ids.map((id) => this.#measure(id))).then((measured) => {
        if (this.#stopped || this.#focus !== ids) return;
        this.#listener?.onMeasured?.(measured.filter((one) => one !== null));
        this.#nextMeasurement();
      });
    }, FOCUS_INTERVAL_MS);
  }

  async #measure(id: string): Promise<readonly [id: string, Measured] | null> {
    const place = this.#places.get(id);
    const reading = place === undefined ? null : await measured(place);
    return reading === null ? null : [id, reading];
  }

  #next(listener: ProbeListener): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then((report) => {
        if (!this.#stopped) listener.onReport(report);
        this.#next(listener);
      });
    }, this.#intervalMs);
  }

  async #look(): Promise<ProbeReport> {
    const [cards, compute] = await Promise.all([this.#cards(), this.#compute()]);
    const devices = await Promise.all(cards.map((card, index) => probe(card, index, compute)));
    this.#places = new Map(devices.map(({ info }, index) => [info.id, cards[index]!.device]));
    return { atMs: Date.now(), devices };
  }

  async #cards(): Promise<Card[]> {
    const drm = join(this.#sys, 'class/drm');
    const found: Card[] = [];
    for (const name of await list(drm)) {
      if (!/^card\d+$/.test(name)) continue;
      const device = join(drm, name, 'device');
      if ((await text(join(device, 'vendor'))) !== VENDOR) continue;
      if ((await number(join(device, 'mem_info_vram_total'))) === null) continue;
      const slot = /^PCI_SLOT_NAME=(.+)$/m.exec((await text(join(device, 'uevent'))) ?? '')?.[1];
      found.push({ device, slot: slot ?? name });
    }
    return found.sort((a, b) => (a.slot < b.slot ? -1 : a.slot > b.slot ? 1 : 0));
  }

  /** Processes that compute, by the PCI slot of their GPU; null: the driver does not tell. */
  async #compute(): Promise<ReadonlyMap<string, readonly DeviceProcess[]> | null> {
    const kfd = join(this.#sys, 'class/kfd/kfd');
    const slots = new Map<string, string>();
    for (const node of await list(join(kfd, 'topology/nodes'))) {
      const id = await text(join(kfd, 'topology/nodes', node, 'gpu_id'));
      const properties = (await text(join(kfd, 'topology/nodes', node, 'properties'))) ?? '';
      const of = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(properties)?.[1]);
      if (id === null || id === '0' || !Number.isFinite(of('location_id'))) continue;
      slots.set(id, slotOf(of('domain') || 0, of('location_id')));
    }
    if (slots.size === 0) return null;
    const found = new Map<string, DeviceProcess[]>([...slots.values()].map((slot) => [slot, []]));
    for (const pid of await list(join(kfd, 'proc'))) {
      for (const file of await list(join(kfd, 'proc', pid))) {
        const slot = slots.get(/^vram_(\d+)$/.exec(file)?.[1] ?? '');
        const bytes = slot === undefined ? null : await number(join(kfd, 'proc', pid, file));
        if (slot !== undefined && bytes !== null && bytes > 0)
          found.get(slot)!.push({ pid: Number(pid), memoryMib: bytes / MIB });
      }
    }
    return found;
  }
}

async function probe(
  { device, slot }: Card,
  index: number,
  compute: ReadonlyMap<string, readonly DeviceProcess[]> | null,
): Promise<ProbedDevice> {
  const [total, now, serial, product, model] = await Promise.all([
    number(join(device, 'mem_info_vram_total')),
    measured(device),
    text(join(device, 'unique_id')),
    text(join(device, 'product_name')),
    text(join(device, 'device')),
  ]);
  const info = {
    // Of a card without a serial number only its place is known.
    id: `AMD-${serial || index}`,
    index,
    kind: 'amd' as const,
    name: product || `AMD GPU ${model ?? slot}`,
    memoryTotalMib: total === null ? 0 : Math.floor(total / MIB),
  };
  if (now === null) {
    const trouble = 'amdgpu does not say how much of its memory is used; look into dmesg for amdgpu messages';
    return { info, reading: null, trouble };
  }
  const processes = compute === null ? null : [...(compute.get(slot) ?? [])];
  return { info, reading: { ...now, processes }, trouble: null };
}

/** null: the driver does not say how much of its memory is used. */
async function measured(device: string): Promise<Measured | null> {
  const sensors = join(device, 'hwmon', (await list(join(device, 'hwmon')))[0] ?? 'none');
  const of = async (file: string, unit: number): Promise<number | null> => {
    const value = await number(join(sensors, file));
    return value === null ? null : value / unit;
  };
  const [used, busy, temperatureC, average, input, cap, smClockMhz] = await Promise.all([
    number(join(device, 'mem_info_vram_used')),
    number(join(device, 'gpu_busy_percent')),
    of('temp1_input', 1000),
    of('power1_average', 1e6),
    of('power1_input', 1e6),
    of('power1_cap', 1e6),
    of('freq1_input', 1e6),
  ]);
  if (used === null) return null;
  return {
    atMs: Date.now(),
    memoryUsedMib: Math.ceil(used / MIB),
    utilisation: busy === null ? null : Math.min(1, busy / 100),
    temperatureC,
    // Cards of some years tell an average, newer ones what they draw now.
    powerW: average ?? input,
    powerLimitW: cap,
    smClockMhz,
  };
}

/** As the bus writes it; `location_id` is bus, device (5 bits) and function (3 bits). */
function slotOf(domain: number, location: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(domain, 4)}:${hex(location >> 8, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`;
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch {
    return [];
  }
}

async function text(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    // Not there, not for this kind of card, or it sleeps: unknown.
    return null;
  }
}

async function number(path: string): Promise<number | null> {
  const value = await text(path);
  return value !== null && /^\d+$/.test(value) ? Number(value) : null;
}
