/** How far a line of output says that its job is. */
export interface ParsedProgress {
  /** 0 to 1. */
  readonly fraction: number;
  readonly label: string;
}

type Reader = (line: string) => ParsedProgress | null;

/** `STINT_PROGRESS={"step": 30, "total": 100}` or `{"fraction": 0.3}`: for scripts that want to be exact. */
const explicit: Reader = (line) => {
  const at = line.indexOf('STINT_PROGRESS=');
  if (at < 0) return null;
  let value: unknown;
  try {
    value = JSON.parse(line.slice(at + 'STINT_PROGRESS='.length));
  } catch {
    // Half a line, or not ours: no progress can be read from it.
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { step, total, fraction, label } = value as Record<string, unknown>;
  if (typeof step === 'number' && typeof total === 'number') {
    return of(step, total, typeof label === 'string' ? label : `step ${step}/${total}`);
  }
  return typeof fraction === 'number'
    ? of(fraction, 1, typeof label === 'string' ? label : `${Math.round(fraction * 100)} %`)
    : null;
};

/** `epoch 3/90`, `Epoch [3/90]`, `Epoch 3 of 90`; with `step 20/500` on the same line the epoch is refined. */
const epochs: Reader = (line) => {
  const match = /\bepochs?\b\s*[:#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i.exec(line);
  if (!match) return null;
  const epoch = Number(match[1]);
  const total = Number(match[2]);
  const step = /\b(?:step|batch|iter(?:ation)?)\b\s*[:#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i.exec(line);
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

/** tqdm's bar: ` 42%|████▏     | 42/100 [00:03<00:04, 13.5it/s]`. */
const tqdm: Reader = (line) => {
  const match = /(\d{1,3})%\|[^|]*\|\s*(\d+(?:\.\d+)?[kMG]?)\/(\d+(?:\.\d+)?[kMG]?)/.exec(line);
  return match ? of(Number(match[1]), 100, `${match[2]}/${match[3]}`) : null;
};

const READERS: readonly Reader[] = [explicit, epochs, tqdm, steps];

/**
 * The last progress that a piece of output tells of; null when it tells of none.
 * @param text output as written; carriage returns separate lines as newlines do.
 */
export function readProgress(text: string): ParsedProgress | null {
  const lines = text.split(/[\r\n]+/);
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!.slice(0, 2000);
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
