import type { JobSpec } from '../../domain/job.ts';
import type { EngineParts } from '../parts.ts';

/**
 * Submits, after the code was copied where the submission asks for that: what is edited from now on changes nothing for it.
 * @param submit with what is to be called within, by the number of the submission.
 * @throws as `Snapshots.take` and `submit`, with nothing left behind.
 */
export async function withSnapshot<T>(
  spec: JobSpec,
  { snapshots }: Pick<EngineParts, 'snapshots'>,
  submit: (within?: (id: number) => void) => T,
): Promise<T> {
  if (!spec.snapshot) return submit();
  const taken = await snapshots.take(spec);
  try {
    return submit((id) => taken.keepAs(id));
  } catch (error) {
    taken.drop();
    throw error;
  }
}
