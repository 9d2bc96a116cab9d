import type { ProbeReport } from '../ports.ts';

/** Reports in a row in which a device must answer again: one in its last throes may do so once. */
const SURE_AFTER = 5;

interface Loss {
  /** When the driver last said that it cannot be used, or did not list it. */
  readonly atMs: number;
  /** Reports since in which it answered. */
  readonly answers: number;
}

/**
 * Notices that devices were reset: the driver said that one is lost or must be reset, or no longer listed it, and then it
 * answers again, which without a reset (or a start of the machine) it cannot. Of a reset that happened while nobody looked,
 * or of a device that went on answering until then, nothing can be known.
 */
export class Resets {
  readonly #losses = new Map<string, Loss>();
  #listed: ReadonlySet<string> = new Set();

  /** @returns devices that were lost until then and have been reset, with when they were last lost. */
  observe({ atMs, devices }: ProbeReport): readonly { readonly id: string; readonly lostAtMs: number }[] {
    const reset: { id: string; lostAtMs: number }[] = [];
    const listed = new Set(devices.map(({ info }) => info.id));
    // Where as many or more are listed instead, it was divided (MIG) and not lost.
    if (listed.size < this.#listed.size)
      for (const id of this.#listed) if (!listed.has(id)) this.#losses.set(id, { atMs, answers: 0 });
    for (const { info, reading, lost } of devices) {
      const loss = this.#losses.get(info.id);
      if (lost === true) this.#losses.set(info.id, { atMs, answers: 0 });
      else if (loss !== undefined && reading === null) this.#losses.set(info.id, { ...loss, answers: 0 });
      else if (loss !== undefined && loss.answers + 1 < SURE_AFTER)
        this.#losses.set(info.id, { ...loss, answers: loss.answers + 1 });
      else if (loss !== undefined) {
        this.#losses.delete(info.id);
        reset.push({ id: info.id, lostAtMs: loss.atMs });
      }
    }
    this.#listed = listed;
    return reset;
  }
}
