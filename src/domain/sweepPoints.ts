import { FieldError } from './errors.ts';
import { seededRng } from './rng.ts';
import { checkAxes, grid, type Point, parseArray, parseAxis, randomPoints } from './sweep.ts';
import type { TemplateSweep } from './template.ts';

/** The jobs that a sweep makes. @param seed for draws of which it does not say one. @throws {FieldError} */
export function sweepPoints(
  sweep: TemplateSweep,
  seed: number,
): { readonly points: readonly Point[]; readonly atMost: number | null } {
  const { array, axes, samples, atMost } = sweep;
  if (array !== null) {
    if (axes.length > 0) throw new FieldError('array', array, 'give either indices or parameters');
    const parsed = parseArray(array, 'array');
    return { points: parsed.points, atMost: atMost ?? parsed.atMost };
  }
  if (axes.length === 0) throw new FieldError('axes', '', 'say what differs, such as lr=1e-3,3e-4');
  const read = axes.map((text) => parseAxis(text, 'axes'));
  checkAxes(read, 'axes');
  const points =
    samples === null
      ? grid(read, 'axes')
      : randomPoints(read, samples, seededRng(sweep.seed ?? seed), 'samples');
  return { points, atMost };
}
