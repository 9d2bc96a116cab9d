import type { Device } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Log } from '../ports.ts';

const MOST_KNOWN = 1000;

/**
 * Looks whether jobs are where they were put. One whose process is on a GPU that it was not given is recorded as misplaced,
 * once for each attempt and GPU. What it holds there counts as somebody else's already.
 */
export class StrayWatch {
  private readonly ledger: Ledger;
  private readonly log: Log;
  private readonly known = new Set<string>();

  constructor(ledger: Ledger, log: Log) {
    this.ledger = ledger;
    this.log = log;
  }

  look(devices: readonly Device[]): void {
    for (const { id: device, index, foreign } of devices) {
      for (const { jobId, pid, memoryMib } of foreign) {
        if (jobId === null) continue;
        const job = this.ledger.get(jobId);
        const key = `${jobId}/${job.attempt} ${device}`;
        if (!mayHappen(job.status, 'misplaced') || job.devices.includes(device) || this.known.has(key))
          continue;
        // What is forgotten is found in the record again.
        if (this.known.size >= MOST_KNOWN) this.known.clear();
        this.known.add(key);
        if (this.wasRecorded(jobId, device)) continue;
        const holds = memoryMib === null ? '' : ` and holds ${Math.round(memoryMib)} MiB there`;
        const reason = `its process ${pid} is on GPU ${index}, which it was not given${holds}: let it use CUDA_VISIBLE_DEVICES as it is`;
        this.log.warn(`job ${jobId}: ${reason}`);
        try {
          this.ledger.append(jobId, { kind: 'misplaced', device, reason }, 'engine');
        } catch (error) {
          this.known.delete(key);
          this.log.warn(`that job ${jobId} is misplaced could not be recorded`, { error: messageOf(error) });
        }
      }
    }
  }

  /** In this attempt, by an engine before this one. */
  private wasRecorded(jobId: number, device: string): boolean {
    const events = this.ledger.read.events(jobId).map(({ event }) => event);
    const launched = events.findLastIndex(({ kind }) => kind === 'launching');
    return events.slice(launched).some((event) => event.kind === 'misplaced' && event.device === device);
  }
}
