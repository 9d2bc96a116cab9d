import { withSecretsOf } from '../../domain/concealment.ts';
import type { Device } from '../../domain/device.ts';
import { FieldError } from '../../domain/errors.ts';
import { shareMib } from '../../domain/gpuNeed.ts';
import type { JobSpec } from '../../domain/job.ts';
import { formatMib } from '../../domain/units.ts';
import { withPrefix } from '../jobs/activation.ts';
import type { EngineParts } from '../parts.ts';

/**
 * A submission as it is recorded, once everything that this machine knows better has been said.
 * @param secretsFrom the job whose secrets its marks stand for; null: none.
 * @throws {FieldError} @throws {NotFoundError} with nothing written.
 */
export function admitted(given: JobSpec, secretsFrom: number | null, parts: EngineParts): JobSpec {
  const revealed = withSecrets(given, secretsFrom, parts);
  if (revealed.executor !== null) {
    // What another machine has, it knows itself.
    parts.executors.checkChoice(revealed.executor);
    return withPrefix(revealed, parts.env);
  }
  const spec = withPrefix(withShare(revealed, parts), parts.env);
  checkAgainstMachine(spec, parts);
  return spec;
}

/** A submission with what its marks stand for in the job that is named; null: in none. @throws {FieldError} */
export const withSecrets = (given: JobSpec, secretsFrom: number | null, parts: EngineParts): JobSpec =>
  withSecretsOf(given, secretsOf(secretsFrom, parts));

function secretsOf(id: number | null, { ledger, secrets }: EngineParts): readonly string[] | null {
  if (id === null) return null;
  const values = secrets.valuesOf(ledger.get(id));
  if (values !== null) return values;
  throw new FieldError('secretsFrom', id, 'no secrets of that job are kept: give the secrets themselves');
}

/** A part of a GPU is the same part of its memory, unless the submitter knows better. */
function withShare(spec: JobSpec, parts: EngineParts): JobSpec {
  if (spec.gpuShare === null || spec.vramMib !== null) return spec;
  const memories = parts
    .devices()
    .flatMap((device) => (device.health === 'gone' ? [] : [device.memoryTotalMib]));
  if (memories.length === 0) return spec;
  return { ...spec, vramMib: shareMib(spec.gpuShare, Math.min(...memories)) };
}

/** Refuses what this machine could never run, now rather than after a long wait. */
function checkAgainstMachine(spec: JobSpec, parts: EngineParts): void {
  const devices = listed(parts);
  const least = spec.minGpus ?? spec.gpus;
  if (least > devices.length) {
    const has = devices.length === 1 ? '1 GPU' : `${devices.length} GPUs`;
    const field = spec.minGpus === null ? 'gpus' : 'minGpus';
    throw new FieldError(field, least, `this machine has ${has}; ask for at most ${devices.length}`);
  }
  if (spec.vramMib !== null) checkMemory(spec.vramMib, least, parts);
}

const listed = (parts: EngineParts): Device[] => parts.devices().filter((device) => device.health !== 'gone');

/**
 * @param least GPUs that need so much each.
 * @throws {FieldError} if this machine has fewer such.
 */
export function checkMemory(vramMib: number, least: number, parts: EngineParts): void {
  if (least === 0) return;
  const devices = listed(parts);
  const enough = devices.filter((device) => device.memoryTotalMib >= vramMib).length;
  if (enough < least) {
    const largest = devices.map((device) => device.memoryTotalMib).sort((a, b) => b - a)[least - 1] ?? 0;
    const remedy =
      least === 1
        ? `the largest GPU here has ${formatMib(largest)}; ask for no more`
        : `${least} GPUs here have no more than ${formatMib(largest)} each; ask for less memory or fewer GPUs`;
    throw new FieldError('vramMib', vramMib, remedy);
  }
}
