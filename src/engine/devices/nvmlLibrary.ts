import { endianness } from 'node:os';
import koffi from 'koffi';
import type { DeviceInfo, DeviceProcess, Measured } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import type { ProbedDevice } from '../ports.ts';
import type { DeviceFault } from './faults.ts';

/**
 * NVML through koffi, for the NVML child process alone: any call may hang in the driver, and then it takes its
 * process with it. Layouts and codes are those of NVIDIA's nvml.h (API 11 to 13); all targets are
 * little-endian.
 */

/** The codes of nvmlReturn_t that are told apart here. */
const SUCCESS = 0;
const INSUFFICIENT_SIZE = 7;
/** These say that the whole library is of no more use: it must be loaded anew. */
const SESSION_LOST: Readonly<Record<number, string>> = {
  1: 'the driver was unloaded or reloaded',
  9: 'the NVIDIA driver is not loaded',
  12: 'a part of the NVIDIA driver library was not found',
  18: 'the driver and its library are of different versions (the driver was upgraded; restart the machine)',
};
/** Driver or library not there at all, as opposed to there and failing. */
const ABSENT: ReadonlySet<number> = new Set([9, 12]);
/** These say that a device cannot be used, whichever call answers so. */
const DEVICE_LOST: Readonly<Record<number, string>> = {
  15: 'it has fallen off the bus; reset it or restart the machine, and look into dmesg for Xid messages',
  16: 'it must be reset before it can be used again (nvidia-smi --gpu-reset, or restart the machine)',
};

const TEMPERATURE_GPU = 0;
const CLOCK_SM = 1;
/** NVML_VALUE_NOT_AVAILABLE: all ones. */
const NOT_AVAILABLE = 0xffff_ffff_ffff_ffffn;
/** nvmlProcessInfo_t as the _v2 and _v3 calls fill it: pid, used memory, GPU and compute instance. */
const PROCESS_INFO_BYTES = 24;
const MIB = 1024n * 1024n;

/** NVML as a whole does not work. `absent`: there is no NVIDIA driver here, rather than one that fails. */
export class NvmlError extends Error {
  override readonly name = 'NvmlError';
  readonly absent: boolean;

  constructor(message: string, absent: boolean) {
    super(message);
    this.absent = absent;
  }
}

/** A device that does not answer; the others may well. */
class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
  /** The driver has given it up, until it is reset. */
  readonly lost: boolean;

  constructor(message: string, lost: boolean) {
    super(message);
    this.lost = lost;
  }
}

type Call = (...args: readonly unknown[]) => number;
interface Opened {
  readonly handle: unknown;
  /** The GPU of an instance of MIG, which has the sensors; the device itself otherwise. */
  readonly gpu: unknown;
  readonly info: DeviceInfo;
}

export interface Nvml {
  /** All devices listed now, in PCI order, read afresh. @throws {NvmlError} when NVML as a whole fails. */
  read(): readonly ProbedDevice[];
  /** What the driver reported since the last call (Xid messages). */
  faults(): readonly DeviceFault[];
  /** What these of them measure now, without the processes on them; one that does not answer is left out. */
  measure(ids: ReadonlySet<string>): readonly (readonly [string, Measured])[];
}

/**
 * Loads and initialises NVML.
 * @throws {NvmlError} if the library, the driver or every device is missing.
 */
export function openNvml(libraryPath: string): Nvml {
  if (endianness() !== 'LE') throw new NvmlError('NVML is read on little-endian machines only', true);
  const calls = bind(libraryPath);
  session(calls.init(), 'nvmlInit');
  if (deviceCount(calls) === 0) throw new NvmlError('NVML lists no GPU', true);
  let opened: readonly Opened[] = [];
  let count = -1;
  const events = eventSet(calls);
  const registered = new Set<bigint>();
  const out = Buffer.alloc(EVENT_BYTES);
  return {
    read() {
      const now = deviceCount(calls);
      // Instances of MIG come and go while the number of GPUs stays.
      if (now !== count || opened.some(({ handle, gpu }) => handle !== gpu || hasMig(calls, gpu))) {
        opened = openDevices(calls, now);
        for (const { gpu } of opened) {
          const address = koffi.address(gpu as never);
          // Where a device has no such events it is not told of them.
          if (events !== null && !registered.has(address)) calls.register?.(gpu, XID_EVENT, events);
          registered.add(address);
        }
        count = opened.length === now ? now : -1;
      }
      return opened.map((device) => probe(calls, device));
    },
    faults() {
      const found: DeviceFault[] = [];
      while (events !== null && found.length < MOST_EVENTS && calls.wait?.(events, out, 0) === SUCCESS) {
        const address = out.readBigUInt64LE(0);
        if (out.readBigUInt64LE(8) !== XID_EVENT) continue;
        const code = Number(out.readBigUInt64LE(16));
        for (const { gpu, info } of opened)
          if (koffi.address(gpu as never) === address) found.push({ id: info.id, code, atMs: Date.now() });
      }
      return found;
    },
    measure: (ids) =>
      opened.flatMap(({ handle, gpu, info }): (readonly [string, Measured])[] => {
        if (!ids.has(info.id)) return [];
        try {
          return [[info.id, measured(calls, handle, gpu).reading]];
        } catch (error) {
          if (error instanceof DeviceLostError) return [];
          throw error;
        }
      }),
  };
}

type Calls = ReturnType<typeof bind>;

/** nvmlEventTypeXidCriticalError. */
const XID_EVENT = 8n;
/** nvmlEventData_t: device, type, data, and the instances of MIG. */
const EVENT_BYTES = 32;
/** A GPU in trouble may report without end. */
const MOST_EVENTS = 64;

/** null: this driver reports no events. */
function eventSet(calls: Calls): unknown {
  const out: unknown[] = [null];
  return calls.eventSet !== null && calls.eventSet(out) === SUCCESS ? out[0] : null;
}

function bind(libraryPath: string) {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load(libraryPath);
  } catch (error) {
    throw new NvmlError(`${libraryPath} cannot be loaded (${messageOf(error)})`, true);
  }
  const find = (prototype: string): Call | null => {
    try {
      return library.func(prototype) as unknown as Call;
    } catch (error) {
      // koffi throws when the library has no such function: older drivers lack the newer names.
      if (/cannot find/i.test(messageOf(error))) return null;
      throw error;
    }
  };
  const need = (prototype: string): Call => {
    const call = find(prototype);
    if (call === null)
      throw new NvmlError(`${libraryPath} has no ${prototype}; its driver is too old`, false);
    return call;
  };
  const processes = (kind: 'Compute' | 'Graphics'): Call | null =>
    find(`int nvmlDeviceGet${kind}RunningProcesses_v3(void *device, void *count, void *infos)`) ??
    find(`int nvmlDeviceGet${kind}RunningProcesses_v2(void *device, void *count, void *infos)`);
  return {
    init: need('int nvmlInit_v2()'),
    count: need('int nvmlDeviceGetCount_v2(void *count)'),
    handle: need('int nvmlDeviceGetHandleByIndex_v2(uint index, _Out_ void **device)'),
    uuid: need('int nvmlDeviceGetUUID(void *device, void *uuid, uint length)'),
    name: need('int nvmlDeviceGetName(void *device, void *name, uint length)'),
    pci: need('int nvmlDeviceGetPciInfo_v3(void *device, void *pci)'),
    memory: need('int nvmlDeviceGetMemoryInfo(void *device, void *memory)'),
    utilisation: find('int nvmlDeviceGetUtilizationRates(void *device, void *utilization)'),
    temperature: find('int nvmlDeviceGetTemperature(void *device, uint sensor, void *celsius)'),
    power: find('int nvmlDeviceGetPowerUsage(void *device, void *milliwatts)'),
    powerLimit: find('int nvmlDeviceGetEnforcedPowerLimit(void *device, void *milliwatts)'),
    clock: find('int nvmlDeviceGetClockInfo(void *device, uint type, void *mhz)'),
    migMode: find('int nvmlDeviceGetMigMode(void *device, void *current, void *pending)'),
    migCount: find('int nvmlDeviceGetMaxMigDeviceCount(void *device, void *count)'),
    migHandle: find('int nvmlDeviceGetMigDeviceHandleByIndex(void *device, uint index, _Out_ void **mig)'),
    eventSet: find('int nvmlEventSetCreate(_Out_ void **set)'),
    register: find('int nvmlDeviceRegisterEvents(void *device, uint64_t types, void *set)'),
    wait: find('int nvmlEventSetWait_v2(void *set, void *data, uint milliseconds)'),
    compute: processes('Compute'),
    graphics: processes('Graphics'),
  };
}

/** Throws if `code` says that NVML as a whole failed. */
function session(code: number, call: string): void {
  if (code === SUCCESS) return;
  throw new NvmlError(`${SESSION_LOST[code] ?? `${call} failed`} (NVML code ${code})`, ABSENT.has(code));
}

function deviceCount(calls: Calls): number {
  const out = Buffer.alloc(4);
  session(calls.count(out), 'nvmlDeviceGetCount');
  return out.readUInt32LE();
}

/** A device that cannot even be opened has no UUID to name it by: it is left out, and so counts as gone. */
function openDevices(calls: Calls, count: number): readonly Opened[] {
  const found: {
    handle: unknown;
    listed: number;
    position: string;
    id: string;
    name: string;
    memoryTotalMib: number;
  }[] = [];
  for (let i = 0; i < count; i++) {
    const out: unknown[] = [null];
    if (ok(calls.handle(i, out)) && out[0] !== null) {
      const id = text(calls.uuid, out[0], 96);
      if (id !== null) {
        found.push({
          handle: out[0],
          listed: i,
          position: pciPosition(calls, out[0]) ?? String(i).padStart(4, '0'),
          id,
          name: text(calls.name, out[0], 96) ?? 'NVIDIA GPU',
          memoryTotalMib: memoryTotalMib(calls, out[0]),
        });
      }
    }
  }
  found.sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0));
  const devices = found.flatMap(({ handle, listed, id, name, memoryTotalMib }, rank): Opened[] => {
    // With one left out the ranks would shift; NVML's own order is then the better guess.
    const index = found.length === count ? rank : listed;
    const whole = { handle, gpu: handle, info: { id, index, kind: 'nvidia' as const, name, memoryTotalMib } };
    return hasMig(calls, handle) ? instancesOf(calls, whole) : [whole];
  });
  const divided = devices.some(({ handle, gpu }) => handle !== gpu);
  return divided ? devices.map((device, index) => ({ ...device, info: { ...device.info, index } })) : devices;
}

/** True where the GPU is divided into instances, so that nothing runs on the whole of it. */
function hasMig(calls: Calls, gpu: unknown): boolean {
  const [current, pending] = [Buffer.alloc(4), Buffer.alloc(4)];
  return calls.migMode !== null && ok(calls.migMode(gpu, current, pending)) && current.readUInt32LE() === 1;
}

/** The instances of a divided GPU; CUDA is given their UUIDs. */
function instancesOf(calls: Calls, { gpu, info }: Opened): Opened[] {
  const most = Buffer.alloc(4);
  if (calls.migCount === null || calls.migHandle === null || !ok(calls.migCount(gpu, most))) return [];
  const found: Opened[] = [];
  for (let i = 0; i < most.readUInt32LE(); i++) {
    const out: unknown[] = [null];
    if (!ok(calls.migHandle(gpu, i, out)) || out[0] === null) continue;
    const id = text(calls.uuid, out[0], 96);
    if (id === null) continue;
    const name = text(calls.name, out[0], 96) ?? `${info.name} MIG`;
    found.push({
      handle: out[0],
      gpu,
      info: { ...info, id, name, memoryTotalMib: memoryTotalMib(calls, out[0]) },
    });
  }
  return found;
}

/** True for success. @throws {NvmlError} if the code says that NVML as a whole is lost. */
function ok(code: number): boolean {
  if (code in SESSION_LOST) session(code, 'NVML');
  return code === SUCCESS;
}

function text(call: Call, handle: unknown, bytes: number): string | null {
  const out = Buffer.alloc(bytes);
  if (!ok(call(handle, out, bytes))) return null;
  const end = out.indexOf(0);
  return out.toString('utf8', 0, end < 0 ? bytes : end);
}

/** Sorts as the bus does. nvmlPciInfo_t: domain, bus and device stand at bytes 16, 20 and 24 of 68. */
function pciPosition(calls: Calls, handle: unknown): string | null {
  const out = Buffer.alloc(68);
  if (!ok(calls.pci(handle, out))) return null;
  return [16, 20, 24].map((at) => out.readUInt32LE(at).toString(16).padStart(8, '0')).join(':');
}

/** nvmlMemory_t: total, free and used bytes. Answers 0 when the driver does not say. */
function memoryTotalMib(calls: Calls, handle: unknown): number {
  const out = Buffer.alloc(24);
  return ok(calls.memory(handle, out)) ? Number(out.readBigUInt64LE(0) / MIB) : 0;
}

function probe(calls: Calls, { handle, gpu, info: opened }: Opened): ProbedDevice {
  try {
    const { reading, totalMib } = measured(calls, handle, gpu);
    const info =
      opened.memoryTotalMib === 0 && totalMib !== null ? { ...opened, memoryTotalMib: totalMib } : opened;
    return { info, reading: { ...reading, processes: processes(calls, handle) }, trouble: null };
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    return { info: opened, reading: null, trouble: error.message, ...(error.lost ? { lost: true } : {}) };
  }
}

/** Read from at once by whoever had them filled: calls come one after another, eighty a second and more. */
const memory = Buffer.alloc(24);
/** nvmlUtilization_t has two words, the other results one. */
const words = Buffer.alloc(8);

/** @throws {DeviceLostError | NvmlError} */
function measured(
  calls: Calls,
  handle: unknown,
  gpu: unknown,
): { reading: Measured; totalMib: number | null } {
  const memoryKnown = okForDevice(calls.memory(handle, memory), 'its memory');
  const milliwatts = (call: Call | null) => {
    const value = word(call, gpu);
    return value === null ? null : value / 1000;
  };
  const percent = word(calls.utilisation, handle);
  const reading = {
    atMs: Date.now(),
    // Total less free rather than the newer call's `used`, which leaves out what the driver keeps for itself:
    // nobody can have that memory, so it is not free.
    memoryUsedMib: memoryKnown ? Number((memory.readBigUInt64LE(0) - memory.readBigUInt64LE(8)) / MIB) : null,
    utilisation: percent === null ? null : Math.min(1, percent / 100),
    temperatureC: word(calls.temperature, gpu, TEMPERATURE_GPU),
    powerW: milliwatts(calls.power),
    powerLimitW: milliwatts(calls.powerLimit),
    smClockMhz: word(calls.clock, gpu, CLOCK_SM),
  };
  return { reading, totalMib: memoryKnown ? Number(memory.readBigUInt64LE(0) / MIB) : null };
}

/**
 * True for success, false where the device or driver has no such reading.
 * @throws {DeviceLostError | NvmlError} if the device, or NVML as a whole, is lost.
 */
function okForDevice(code: number, needed: string | null): boolean {
  if (ok(code)) return true;
  const lost = DEVICE_LOST[code];
  if (lost !== undefined) throw new DeviceLostError(`the GPU does not answer: ${lost}`, true);
  // 3, 4, 13: not supported by the device, not permitted, not in this driver.
  if (needed !== null && code !== 3 && code !== 4 && code !== 13) {
    throw new DeviceLostError(
      `the GPU does not answer when asked for ${needed} (NVML code ${code}); look into dmesg for Xid messages`,
      false,
    );
  }
  return false;
}

/** The first 32-bit word that a call fills; null where there is no such reading. */
function word(call: Call | null, handle: unknown, ...selector: readonly number[]): number | null {
  if (call === null) return null;
  return okForDevice(call(handle, ...selector, words), null) ? words.readUInt32LE(0) : null;
}

function processes(calls: Calls, handle: unknown): DeviceProcess[] | null {
  const compute = listProcesses(calls.compute, handle);
  const graphics = listProcesses(calls.graphics, handle);
  if (compute === null) return null;
  // A process that both computes and draws is in both lists, with the same memory. Cards without a display
  // engine have no graphics list.
  const byPid = new Map<number, DeviceProcess>();
  for (const process of graphics ?? []) byPid.set(process.pid, { ...process, graphics: true });
  for (const process of compute) byPid.set(process.pid, process);
  return [...byPid.values()];
}

/** Grown when the driver says that it needs more, and kept. */
let processBuffer = Buffer.alloc(64 * PROCESS_INFO_BYTES);

function listProcesses(call: Call | null, handle: unknown): DeviceProcess[] | null {
  if (call === null) return null;
  const count = Buffer.alloc(4);
  for (let tries = 0; tries < 4; tries++) {
    count.writeUInt32LE(processBuffer.length / PROCESS_INFO_BYTES);
    const code = call(handle, count, processBuffer);
    const n = count.readUInt32LE();
    if (code === INSUFFICIENT_SIZE) {
      // More may start until the next call.
      processBuffer = Buffer.alloc((n + 16) * PROCESS_INFO_BYTES);
      continue;
    }
    if (!okForDevice(code, null)) return null;
    return Array.from({ length: n }, (_, i) => {
      const at = i * PROCESS_INFO_BYTES;
      const bytes = processBuffer.readBigUInt64LE(at + 8);
      return {
        pid: processBuffer.readUInt32LE(at),
        memoryMib: bytes === NOT_AVAILABLE ? null : Number(bytes / MIB),
      };
    }).filter(({ pid }) => pid > 0);
  }
  return null;
}
