import type { RewardParts } from '../domain/reward.ts';
import { featuresHash } from '../scheduler/network.ts';

/** The candidates of one decision as the network sees them: rows × featureCount, row-major. */
export interface CandidateRows {
  readonly features: Float32Array;
  readonly rows: number;
}

/** One step of the semi-Markov decision process, from a decision to the next one or to the idle machine. */
export interface Transition {
  readonly decisionId: number;
  readonly episodeId: number | null;
  /** When the decision was taken, Unix ms. */
  readonly atMs: number;
  /** At most {@link MAX_STORED_ROWS}; the chosen one is always among them. */
  readonly state: CandidateRows;
  /** Row of `state` that was done. */
  readonly chosen: number;
  /** −∫ e^(−βs) c_k ds until the next decision, per component, scaled by β (see domain/reward). */
  readonly reward: RewardParts;
  /** e^(−βΔt): exactly 1 when the next decision came at the same instant. */
  readonly discount: number;
  /** null: the machine went idle, and nothing that was decided before matters after. */
  readonly next: CandidateRows | null;
  /** The owner's goals in force, by which the components are weighed. */
  readonly goals: RewardParts;
  /** True: a person did it, or wanted it, which is worth imitating. Left out: nobody did. */
  readonly demonstrated?: boolean;
}

/** More candidates are thinned at random: keeps a stored transition within about 12 KiB. */
export const MAX_STORED_ROWS = 32;

/** A stored transition that cannot be read; it is skipped, learning goes on without it. */
export class TransitionError extends Error {
  override readonly name = 'TransitionError';
  readonly remedy = 'skip this transition; it only serves to refill the replay memory';

  constructor(problem: string) {
    super(`the stored transition ${problem}; skip it`);
  }
}

// Blob, little-endian. uint32: magic, version, featuresHash, featureCount, rows, chosen, next rows (or NO_NEXT),
// demonstrated (0 or 1); float64: decisionId, episodeId (NaN: none), atMs, discount, 3 reward parts, 3 goals; then float32 rows.
const MAGIC = 0x54544e53; // "SNTT"
const VERSION = 1;
const NO_NEXT = 0xffffffff;
const WORDS = 8;
const DOUBLES = 10;
const HEAD_BYTES = 4 * WORDS + 8 * DOUBLES;

/** The transition as a blob for the `transitions` table and for the learner's worker. */
export function encodeTransition(
  transition: Transition,
  featureNames: readonly string[],
): Uint8Array<ArrayBuffer> {
  const { state, next, reward, goals } = transition;
  const width = featureNames.length;
  const stateFloats = state.rows * width;
  const nextFloats = (next?.rows ?? 0) * width;
  const blob = new Uint8Array(HEAD_BYTES + 4 * (stateFloats + nextFloats));
  const view = new DataView(blob.buffer);
  const words = [
    MAGIC,
    VERSION,
    featuresHash(featureNames),
    width,
    state.rows,
    transition.chosen,
    next?.rows ?? NO_NEXT,
    transition.demonstrated ? 1 : 0,
  ];
  words.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  const doubles = [
    transition.decisionId,
    transition.episodeId ?? Number.NaN,
    transition.atMs,
    transition.discount,
    reward.completion,
    reward.utilisation,
    reward.fairness,
    goals.completion,
    goals.utilisation,
    goals.fairness,
  ];
  doubles.forEach((value, i) => {
    view.setFloat64(4 * WORDS + 8 * i, value, true);
  });
  let at = HEAD_BYTES;
  for (const [features, count] of [
    [state.features, stateFloats],
    [next?.features, nextFloats],
  ] as const) {
    for (let i = 0; i < count; i++, at += 4) view.setFloat32(at, features![i]!, true);
  }
  return blob;
}

/**
 * Reads a blob of {@link encodeTransition}.
 * @throws {TransitionError} when it is damaged, of another version, or about other features.
 */
export function decodeTransition(blob: Uint8Array, featureNames: readonly string[]): Transition {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (view.byteLength < HEAD_BYTES) throw new TransitionError('is cut short');
  const word = (i: number): number => view.getUint32(4 * i, true);
  const double = (i: number): number => view.getFloat64(4 * WORDS + 8 * i, true);
  const width = featureNames.length;
  if (word(0) !== MAGIC || word(1) !== VERSION) throw new TransitionError('is of another format');
  if (word(2) !== featuresHash(featureNames) || word(3) !== width) {
    throw new TransitionError('holds other features than this version computes');
  }
  const rows = word(4);
  const chosen = word(5);
  const nextRows = word(6) === NO_NEXT ? null : word(6);
  if (rows < 1 || rows > MAX_STORED_ROWS || chosen >= rows) throw new TransitionError('has impossible rows');
  if (nextRows !== null && (nextRows < 1 || nextRows > MAX_STORED_ROWS)) {
    throw new TransitionError('has impossible rows');
  }
  const floats = (rows + (nextRows ?? 0)) * width;
  if (view.byteLength !== HEAD_BYTES + 4 * floats) throw new TransitionError('has the wrong length');
  const read = (from: number, count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => view.getFloat32(HEAD_BYTES + 4 * (from + i), true));
  const transition: Transition = {
    decisionId: double(0),
    episodeId: Number.isNaN(double(1)) ? null : double(1),
    atMs: double(2),
    discount: double(3),
    reward: { completion: double(4), utilisation: double(5), fairness: double(6) },
    goals: { completion: double(7), utilisation: double(8), fairness: double(9) },
    state: { features: read(0, rows * width), rows },
    chosen,
    next: nextRows === null ? null : { features: read(rows * width, nextRows * width), rows: nextRows },
    ...(word(7) === 1 ? { demonstrated: true } : {}),
  };
  checkNumbers(transition);
  return transition;
}

function checkNumbers({ state, next, reward, goals, discount, atMs }: Transition): void {
  const numbers = [...Object.values(reward), ...Object.values(goals), atMs];
  const finite =
    numbers.every(Number.isFinite) &&
    state.features.every(Number.isFinite) &&
    (next === null || next.features.every(Number.isFinite));
  if (!finite) throw new TransitionError('holds a number that is not finite');
  if (!(discount >= 0 && discount <= 1)) throw new TransitionError(`has a discount of ${discount}`);
}
