import { readdirSync, readFileSync } from 'node:fs';
import type { Measured } from '../../../src/domain/device.ts';
import type { ProbeListener, ProbeReport } from '../../../src/engine/ports.ts';

/** Remembers what a probe says. */
export class Collector implements ProbeListener {
  readonly reports: ProbeReport[] = [];
  /** Every sentence and every all-clear, in order. */
  readonly troubles: (string | null)[] = [];

  readonly measured: (readonly [id: string, Measured])[] = [];

  onMeasured(measured: readonly (readonly [string, Measured])[]): void {
    this.measured.push(...measured);
  }

  onReport(report: ProbeReport): void {
    this.reports.push(report);
  }

  onTrouble(trouble: string | null): void {
    this.troubles.push(trouble);
  }

  get latest(): ProbeReport | undefined {
    return this.reports.at(-1);
  }
}

/** Processes of this machine whose command line holds `text`, zombies left out. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false; // It ended meanwhile.
      }
    })
    .map(Number);
}

/** Long enough for a busy machine; what waits with it fails only when nothing comes at all. */
export const PATIENCE = { timeout: 20_000, interval: 20 } as const;
