import { plainLine } from './plainLine.ts';

/** How far a line of output says that its job is. */
export interface ParsedProgress {
  /** 0 to 1. */
  readonly fraction: number;
  readonly label: string;
}

type Reader = (line: string) => ParsedProgress | null;

const EXPLICIT = 'STINT_PROGRESS=';

/**
 * The record of a line such as `STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.4}`, for scripts that want to be
 * exact; null: there is none, or it is cut. Python writes NaN and Infinity, which JSON has not: they become null.
 */
export function explicitProgress(line: string): Record<string, unknown> | null {
  const at = line.indexOf(EXPLICIT);
  if (at < 0) return null;
  const text = line.slice(at + EXPLICIT.length);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/([:,[]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, '$1null'));
  } catch {
    // Half a line, or not ours: nothing can be read from it.
    return null;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** `STINT_PROGRESS={"step": 30, "total": 100}` or `{"fraction": 0.3}`. */
const explicit: Reader = (line) => {
  const value = explicitProgress(line);
  if (value === null) return null;
  const { step, total, fraction, label } = value;
  if (typeof step === 'number' && typeof total === 'number') {
    return of(step, total, typeof label === 'string' ? label : `step ${step}/${total}`);
  }
  return typeof fraction === 'number'
    ? of(fraction, 1, typeof label === 'string' ? label : `${Math.round(fraction * 100)} %`)
    : null;
};

const EPOCH = /\bepochs?\b\s*[:#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i;

/**
 * `epoch 3/90`, `Epoch [3/90]`, `Epoch 3 of 90`; with `step 20/500` or tqdm's bar on the same line the epoch is
 * refined.
 */
const epochs: Reader = (line) => {
  const match = EPOCH.exec(line);
  if (!match) return null;
  const epoch = Number(match[1]);
  const total = Number(match[2]);
  const step =
    /\b(?:step|batch|iter(?:ation)?)\b\s*[:#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i.exec(line) ??
    /%\|[^|]*\|\s*(\d+)\/(\d+) \[/.exec(line);
  const within = step ? Number(step[1]) / Number(step[2]) : Number.NaN;
  return within >= 0 && within <= 1
    ? of(epoch - 1 + within, total, `epoch ${epoch}/${total}, step ${step![1]}/${step![2]}`)
    : of(epoch, total, `epoch ${epoch}/${total}`);
};

/** `step 30/100`, `iter 30/100`, `batch 3 of 9`. */
const steps: Reader = (line) => {
  const match = /\b(step|iter(?:ation)?|batch)\b\s*[:#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i.exec(line);
  return match
    ? of(Number(match[2]), Number(match[3]), `${match[1]!.toLowerCase()} ${match[2]}/${match[3]}`)
    : null;
};

/**
 * tqdm's bar: ` 42%|████▏     | 42/100 [00:03<00:04, 13.5it/s]`, also of Hugging Face's Trainer. Lightning has one an
 * epoch, `Epoch 3:  42%|…`, and does not say of how many.
 */
const tqdm: Reader = (line) => {
  const match = /(\d{1,3})%\|[^|]*\|\s*(\d+(?:\.\d+)?[kMG]?)\/(\d+(?:\.\d+)?[kMG]?)/.exec(line);
  if (!match) return null;
  const epoch = /\bepoch\b:?\s*(\d+)/i.exec(line.slice(0, match.index))?.[1];
  const label = `${match[2]}/${match[3]}`;
  return of(Number(match[1]), 100, epoch === undefined ? label : `epoch ${epoch}, ${label}`);
};

/** Keras' bar, in the words of version 2, of version 3, and without a terminal; its epoch is a heading above. */
const KERAS = /^\s*(\d+)\/(\d+)\s*(?:\[[=>.\s]*\]|[━─╸╺]+|- \d+m?s\b)/;

function keras(line: string, lines: readonly string[], at: number): ParsedProgress | null {
  const match = KERAS.exec(line);
  if (!match) return null;
  for (let above = at - 1; above >= 0; above--) {
    const heading = EPOCH.exec(lines[above]!.slice(0, 200));
    if (!heading) continue;
    const [epoch, total] = [Number(heading[1]), Number(heading[2])];
    const within = Number(match[1]) / Number(match[2]);
    return of(epoch - 1 + within, total, `epoch ${epoch}/${total}, step ${match[1]}/${match[2]}`);
  }
  return of(Number(match[1]), Number(match[2]), `step ${match[1]}/${match[2]}`);
}

const READERS: readonly Reader[] = [explicit, epochs, tqdm, steps];

/**
 * The last progress that a piece of output tells of; null when it tells of none.
 * @param text output as written; carriage returns separate lines as newlines do.
 */
export function readProgress(text: string): ParsedProgress | null {
  const lines = text.split(/[\r\n\b]+/);
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = plainLine(lines[i]!.slice(0, 2000));
    const bar = keras(line, lines, i);
    if (bar !== null) return bar;
    for (const reader of READERS) {
      const progress = reader(line);
      if (progress !== null) return progress;
    }
  }
  return null;
}

/** However long a job has run, its progress is told as often as this. */
const LONGEST_SILENCE_MS = 5 * 60_000;

/**
 * Whether progress deserves an event of its own: at another whole per cent, but no sooner after the last than a
 * hundredth of the time that the job has run. Steady progress is always told; a bar that starts anew with every
 * epoch does not fill the log. All times are Unix milliseconds, from a clock that may jump.
 */
export function isNews(progress: {
  readonly known: { readonly fraction: number; readonly atMs: number } | null;
  readonly startedAtMs: number;
  readonly fraction: number;
  readonly atMs: number;
  /** Nothing comes after it, so it need not wait. */
  readonly last: boolean;
}): boolean {
  const { known, startedAtMs, fraction, atMs, last } = progress;
  if (known === null) return true;
  if (Math.floor(known.fraction * 100) === Math.floor(fraction * 100)) return false;
  return last || Math.abs(atMs - known.atMs) >= Math.min((atMs - startedAtMs) / 100, LONGEST_SILENCE_MS);
}

function of(done: number, total: number, label: string): ParsedProgress | null {
  const fraction = done / total;
  if (!Number.isFinite(fraction) || fraction < 0 || total <= 0) return null;
  return { fraction: Math.min(1, fraction), label: label.slice(0, 100) };
}
