import { formatDuration } from '../domain/units.ts';

const REDRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 5000;
/** Nobody looks at the bar of what is over at once. */
const FIRST_AFTER_MS = 700;
const CELLS = 24;
const CLEAR_LINE = '\r\u001b[K';

interface Progress {
  readonly done: number;
  readonly total: number;
  /** 0 to 1. */
  readonly fraction: number;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** What is done, such as `evaluating`. */
  readonly what: string;
  /** Where no terminal shows it: a line every few seconds, or nothing. */
  readonly lines: boolean;
  readonly nowMs: () => number;
  readonly stream: Stream;
}

/** Says beside the result how far the work is, and how long it will take. */
export class ProgressBar {
  readonly #options: ProgressOptions;
  readonly #startedAtMs: number;
  #shownAtMs: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedAtMs = options.nowMs();
    const everyMs = options.stream.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS;
    this.#shownAtMs = this.#startedAtMs + (options.stream.isTTY ? FIRST_AFTER_MS - everyMs : 0);
  }

  /** @param note what else there is to say beside it now. */
  update(progress: Progress, note = ''): void {
    const { stream, lines, nowMs } = this.#options;
    const atMs = nowMs();
    if (atMs - this.#shownAtMs < (stream.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return;
    if (!stream.isTTY && !lines) return;
    this.#shownAtMs = atMs;
    const text = [this.#text(progress, atMs), note].filter((part) => part !== '').join(', ');
    if (!stream.isTTY) {
      stream.write(`stint: ${text}\n`);
      return;
    }
    const filled = Math.floor(CELLS * progress.fraction);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)}`;
    // Some terminals do not say how wide they are.
    const room = (stream.columns || 80) - 1;
    stream.write(`${CLEAR_LINE}${`${bar} ${text}`.slice(0, room)}`);
    this.#drawn = true;
  }

  /** Leaves the line as if nothing had been there. */
  end(): void {
    if (this.#drawn) this.#options.stream.write(CLEAR_LINE);
    this.#drawn = false;
  }

  #text({ done, total, fraction }: Progress, atMs: number): string {
    const leftMs = fraction > 0 ? ((atMs - this.#startedAtMs) * (1 - fraction)) / fraction : Infinity;
    const known = done < total && Number.isFinite(leftMs);
    const left = known ? `, ${formatDuration(Math.max(1000, leftMs))} left` : '';
    return `${this.#options.what}: ${Math.floor(100 * fraction)} %, ${done} of ${total} done${left}`;
  }
}
