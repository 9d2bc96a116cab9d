import { z } from 'zod';
import { plainLine } from './plainLine.ts';
import { explicitProgress } from './progress.ts';

/** What a metric is counted against: steps, epochs (with fractions), or the lines that told of it. */
export const METRIC_UNITS = ['step', 'epoch', 'line'] as const;
export type MetricUnit = (typeof METRIC_UNITS)[number];

/** What one line tells. A value that is null was not a number, or not finite. */
export interface MetricPoint {
  readonly unit: MetricUnit;
  readonly at: number;
  readonly values: readonly (readonly [name: string, value: number | null])[];
}

/** One metric of a job over its steps: `at` goes up, and has as many entries as `values`. */
export const metricSeriesSchema = z.object({
  name: z.string(),
  unit: z.enum(METRIC_UNITS),
  /** Every so many points one is kept; 1: all of them. */
  stride: z.int().positive(),
  at: z.array(z.number()),
  /** null: not a number, or not finite. */
  values: z.array(z.number().nullable()),
  /** When each was read, Unix milliseconds; null: by an older Stint. */
  readAtMs: z.array(z.number().nullable()),
  /** When the last was read, Unix milliseconds. */
  lastAtMs: z.number(),
});
export type MetricSeries = z.output<typeof metricSeriesSchema>;

/** What must be remembered between two lines; part of the record, so that reading goes on where it was. */
export interface MetricReaderState {
  /** The last epoch that a line named. */
  epoch: number | null;
  /** An epoch 0 was seen: they are counted from there. */
  fromZero: boolean;
  /** Lines that told metrics without a place. */
  lines: number;
  /** Bars by their length: what was done before the present one began, and how far that is. */
  bars: Record<string, { base: number; last: number }>;
  /** What comes next belongs to a line whose beginning was passed over: it was too long. */
  within: boolean;
}

const NAME_CHARACTERS = 64;
const VALUES_A_LINE = 32;
const LINE_CHARACTERS = 4000;
const BARS_KEPT = 8;

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)`;
/** Words that are metrics wherever they stand, besides losses and accuracies. */
const WORDS =
  'lr|learning_rate|ppl|perplexity|bleu|rouge|f1|auc|auroc|precision|recall|mse|mae|rmse|psnr|ssim|m?iou|map|dice|wer|cer|r2|reward|return|score|grad_norm|kl|entropy|nll|elbo|fid|top[15]';
const KNOWN = new RegExp(
  String.raw`loss(?:es)?(?:$|[_\W\d])|(?:^|[_\W])(?:acc|accuracy|${WORDS})(?:$|[_\W\d])`,
  'i',
);
/** A line without any of these tells nothing, and most lines are such: they are to cost little. */
const HINT = new RegExp(
  String.raw`loss|acc|epoch|step|iter|batch|\|\s*\d|^\s*\{|^\s*\d+/\d|\b(?:${WORDS})`,
  'i',
);
/** Of these, the ones that nobody writes before a number unless it is theirs. */
const UNMISTAKABLE = /loss$|(?:^|[_\W])(?:acc|accuracy|acc@\d+|lr|ppl|perplexity|f1|auc|bleu|iou|reward)$/i;
/** Places, times and rates. */
const NO_METRIC =
  /^(?:eta|epochs?|global_?steps?|steps?|iters?|iterations?|batch(?:es)?|time|data|elapsed|remaining|v_num|seed|rank|pid|port|total|total_flos|num_\w+|.*(?:_time|_runtime|_per_second|_per_sec))$/i;
const PAIR = new RegExp(
  String.raw`(?:\b(train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)\s+)?(['"]?)\b([A-Za-z][\w./@-]*)\2\s*([=:]\s*|\s+)['"]?(${NUMBER})(?!\w|:\w|\.\d|/\d|%\|)`,
  'gi',
);
const CANDIDATE = /\d|nan|inf/i;
/** What a line is of, when it begins with that. */
const PART = /^\W*(val(?:id(?:ation)?)?|test|eval|dev)\b/i;
const partOf = (word: string): string => `${word.toLowerCase().slice(0, word.length === 4 ? 4 : 3)}_`;

/** Reads metrics from output, line by line, and numbers them by steps or epochs. Pure but for what it remembers. */
export class MetricReader {
  readonly state: MetricReaderState;

  constructor(state: MetricReaderState | null = null) {
    this.state = state ?? { epoch: null, fromZero: false, lines: 0, bars: {}, within: false };
  }

  /** What a line tells; null: nothing. */
  read(line: string): MetricPoint | null {
    if (line.length < 5 || !CANDIDATE.test(line)) return null;
    const text = plainLine(line.slice(0, LINE_CHARACTERS));
    if (!HINT.test(text)) return null;
    const explicit = explicitProgress(text);
    if (explicit !== null) return this.ofRecord(Object.entries(explicit));
    if (/^\s*\{['"]/.test(text)) return this.ofRecord(pairsOf(text, () => true, true));
    const place = this.placeOf(text);
    const values = pairsOf(text, place === null ? (name) => KNOWN.test(name) : () => true, false);
    if (values.length === 0) return null;
    return this.point(place, values);
  }

  /** A record such as `{'loss': 0.4, 'epoch': 0.3}`: its own keys say where it is. */
  private ofRecord(entries: readonly (readonly [string, unknown])[]): MetricPoint | null {
    const known = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
    const numberOf = (...names: string[]): number | null => {
      const value = names.map((name) => known.get(name)).find((found) => typeof found === 'number');
      return typeof value === 'number' ? value : null;
    };
    const step = numberOf('step', 'global_step', 'iter', 'iteration');
    const epoch = numberOf('epoch');
    const values = entries
      .filter(([name, value]) => (typeof value === 'number' || value === null) && !NO_METRIC.test(name))
      .filter(([name]) => !['step', 'total', 'fraction', 'label', 'epoch'].includes(name))
      .slice(0, VALUES_A_LINE)
      .map(([name, value]) => [nameOf(name), finite(value as number | null)] as const);
    if (values.length === 0) return null;
    const place =
      step !== null
        ? { unit: 'step' as const, at: step }
        : epoch !== null
          ? { unit: 'epoch' as const, at: epoch }
          : null;
    return this.point(place, values);
  }

  private point(
    place: Omit<MetricPoint, 'values'> | null,
    values: MetricPoint['values'],
  ): MetricPoint | null {
    if (place !== null) return Number.isFinite(place.at) ? { ...place, values } : null;
    // Under a heading such as `Epoch 3/10`, in whose lines no place is given.
    if (this.state.epoch !== null) return { unit: 'epoch', at: this.state.epoch, values };
    this.state.lines += 1;
    return { unit: 'line', at: this.state.lines, values };
  }

  /** Where a line says that it is; remembers the epoch. */
  private placeOf(text: string): Omit<MetricPoint, 'values'> | null {
    const epochs = /\bepochs?\b\s*[:=#]?\s*\[?\s*(\d+)(\.\d+)?/i.exec(text);
    const epoch = epochs === null ? null : Number(epochs[1]);
    if (epoch !== null) {
      this.state.epoch = epoch;
      if (epoch === 0) this.state.fromZero = true;
    }
    const bar = barOf(text);
    if (bar !== null) return { unit: 'step', at: this.stepOf(bar[0], bar[1]) };
    const step = /\b(?:global_?step|step|iter(?:ation)?)s?\b\s*[:=#]?\s*\[?\s*(\d+)/i.exec(text);
    if (step !== null) return { unit: 'step', at: Number(step[1]) };
    return epoch === null ? null : { unit: 'epoch', at: epoch + Number(epochs?.[2] ?? 0) };
  }

  /** Steps from the start of the training, of `done` in a bar (or an epoch) of `total`. */
  private stepOf(done: number, total: number): number {
    const { epoch, fromZero, bars } = this.state;
    if (epoch !== null) return (fromZero ? epoch : Math.max(0, epoch - 1)) * total + done;
    const key = String(total);
    const bar = bars[key] ?? { base: 0, last: 0 };
    // A bar that starts anew after one that was (nearly) through: the next epoch, whatever that is called.
    if (done < bar.last && bar.last >= 0.9 * total) bar.base += total;
    bar.last = done;
    if (bars[key] === undefined && Object.keys(bars).length >= BARS_KEPT) delete bars[Object.keys(bars)[0]!];
    bars[key] = bar;
    return bar.base + done;
  }
}

/** `done` and `total` of a line: tqdm's and Keras' bars, `step 20/500`, `Epoch: [3][ 20/500]`. */
function barOf(text: string): [number, number] | null {
  const match =
    /\d{1,3}%\|[^|]*\|\s*(\d+)\/(\d+) \[/.exec(text) ??
    /^\s*(\d+)\/(\d+)\s*(?:\[[=>.\s]*\]|[━─╸╺]+|- \d+m?s\b)/.exec(text) ??
    /\b(?:step|batch|iter(?:ation)?)\b\s*[:=#]?\s*\[?\s*(\d+)\s*(?:\/|of)\s*(\d+)/i.exec(text) ??
    /\bepoch\b\s*:?\s*\[\s*\d+\s*\]\s*\[\s*(\d+)\/(\d+)/i.exec(text);
  const total = Number(match?.[2]);
  return match && total > 0 ? [Number(match[1]), total] : null;
}

function pairsOf(
  text: string,
  wanted: (name: string) => boolean,
  all: boolean,
): (readonly [string, number | null])[] {
  const values = new Map<string, number | null>();
  const start = PART.exec(text)?.[1];
  let part = start === undefined ? '' : partOf(start);
  for (const [, prefix, , word, separator, number] of text.matchAll(PAIR)) {
    if (prefix !== undefined) part = /^train/i.test(prefix) ? '' : partOf(prefix);
    const name = nameOf(word!);
    if (!all && NO_METRIC.test(name)) continue;
    // Without a separator any word may stand before a number.
    if (separator!.trim() === '' ? !UNMISTAKABLE.test(name) : !KNOWN.test(name) && !wanted(name)) continue;
    const whole = nameOf(/^(?:val|test|eval|dev|train)/.test(name) ? name : part + name);
    if (!values.has(whole) && values.size < VALUES_A_LINE) values.set(whole, finite(Number(number)));
  }
  return [...values];
}

const nameOf = (name: string): string => name.toLowerCase().slice(0, NAME_CHARACTERS);

const finite = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) ? value : null;

/** A value for reading: four significant figures, `nan` for what was no number. */
export function formatMetric(value: number | null): string {
  if (value === null) return 'nan';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));
}
