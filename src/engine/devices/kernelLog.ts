import { closeSync, constants, openSync, readSync } from 'node:fs';
import { uptime } from 'node:os';
import { programOutput } from '../programOutput.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** An Xid message of NVIDIA's driver. */
export interface KernelXid {
  /** Of the GPU on the bus, as the driver writes it: `0000:65:00`. */
  readonly address: string;
  readonly code: number;
  /** Microseconds since the machine started. */
  readonly us: number;
}

const LOOK_MS = 2000;
/** A program is started each time. */
const JOURNAL_LOOK_MS = 30_000;
const JOURNAL_DEADLINE_MS = 10_000;
/** A record is at most 8 KiB, see the kernel's documentation of /dev/kmsg. */
const RECORD_BYTES = 8192;
/** Read in one look at most: a log that floods is gone on with at the next. */
const MOST_RECORDS = 20_000;

/** `STINT_KERNEL_LOG` names another file, for tests. */
const pathOf = (env: Env): string => env.STINT_KERNEL_LOG || '/dev/kmsg';

/** Why the kernel's log cannot be read from its device; null: it can. */
export function kernelLogTrouble(env: Env): string | null {
  try {
    closeSync(openSync(pathOf(env), constants.O_RDONLY | constants.O_NONBLOCK));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** `NVRM: Xid (PCI:0000:65:00): 79, pid=…`, as NVIDIA's driver writes it; null: another message. */
export function parseXid(message: string, us: number): KernelXid | null {
  const match = /NVRM: Xid \(PCI:([\da-fA-F:]+)(?:\.\d)?\): (\d+)/.exec(message);
  return match === null ? null : { address: match[1]!.toLowerCase(), code: Number(match[2]), us };
}

/** When that was on the clock on the wall. */
export const wallClockOf = (us: number, nowMs: number): number => nowMs - (uptime() * 1000 - us / 1000);

/**
 * Reads what NVIDIA's driver writes to the kernel's log: from /dev/kmsg, which has everything since the machine started,
 * so that nothing is missed of the time without an engine; else, where that is not permitted, through journalctl.
 */
export class KernelLog {
  readonly #env: Env;
  readonly #onXid: (xid: KernelXid) => void;
  #file: number | null = null;
  #rest = '';
  #timer: NodeJS.Timeout | null = null;
  #journalUs = -1;
  #stopped = false;

  constructor(env: Env, onXid: (xid: KernelXid) => void) {
    this.#env = env;
    this.#onXid = onXid;
  }

  start(): void {
    try {
      this.#file = openSync(pathOf(this.#env), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      // Not ours to read, or not there: `stint doctor` says so.
      this.#timer = setInterval(() => void this.#askJournal(), JOURNAL_LOOK_MS);
      void this.#askJournal();
      return;
    }
    this.#timer = setInterval(() => this.#read(), LOOK_MS);
    this.#read();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #read(): void {
    if (this.#file === null) return;
    const buffer = Buffer.alloc(RECORD_BYTES);
    for (let records = 0; records < MOST_RECORDS; records++) {
      let bytes: number;
      try {
        bytes = readSync(this.#file, buffer);
      } catch (error) {
        // What was overwritten before it could be read is gone; the next read goes on behind it.
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') continue;
        // EAGAIN: that is all for now.
        return;
      }
      if (bytes === 0) return;
      const lines = (this.#rest + buffer.toString('utf8', 0, bytes)).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#hear(line);
    }
  }

  /** `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE`; lines that belong to a record begin with a space. */
  #hear(line: string): void {
    const match = /^\d+,\d+,(\d+),[^;]*;(.*)$/.exec(line);
    const xid = match && parseXid(match[2]!, Number(match[1]));
    if (xid) this.#onXid(xid);
  }

  async #askJournal(): Promise<void> {
    const args = ['-k', '-b', '-o', 'json', '--no-pager', '--grep', 'NVRM: Xid'];
    const text = await programOutput('journalctl', args, this.#env, JOURNAL_DEADLINE_MS);
    if (this.#stopped) return;
    for (const line of (text ?? '').split('\n').filter(Boolean)) {
      const { MESSAGE, _SOURCE_MONOTONIC_TIMESTAMP, __MONOTONIC_TIMESTAMP } = JSON.parse(line);
      const us = Number(_SOURCE_MONOTONIC_TIMESTAMP ?? __MONOTONIC_TIMESTAMP);
      if (!(us > this.#journalUs)) continue;
      const xid = parseXid(String(MESSAGE), us);
      if (xid) this.#onXid(xid);
      this.#journalUs = us;
    }
  }
}
