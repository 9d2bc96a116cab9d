import type { Job } from './job.ts';

/**
 * Where a job wants its output to be found, in Slurm's words: `%j` (also `%J`) its number, `%A` and `%a` its array's
 * number and its index in it, `%x` its name, `%u` its user, `%N` the machine, `%%` a percent sign; `%4j` is padded
 * with zeros to four places. Of a job that is in no array `%A` is its own number, `%a` 0.
 */
export function outputPathOf(
  job: Pick<Job, 'id' | 'name' | 'user' | 'array'> & { readonly outputPath: string },
  host: string,
): string {
  const values: Readonly<Record<string, string>> = {
    j: String(job.id),
    J: String(job.id),
    A: String(job.array?.id ?? job.id),
    a: String(job.array?.index ?? 0),
    x: job.name,
    u: job.user,
    N: host,
    '%': '%',
  };
  return job.outputPath.replace(/%(\d{0,2})([jJAaxuN%])/g, (_, places: string, what: string) =>
    // A name leads into no other directory.
    values[what]!.replaceAll('/', '_').padStart(Math.min(10, Number(places)), '0'),
  );
}
