import type { StintClient } from '../contract/client.ts';
import type { JobSpecInput } from '../domain/job.ts';
import { filledJob, unusedParameters } from '../domain/placeholders.ts';
import { quoted } from '../domain/quoted.ts';
import { SECRET, secretArguments, withoutSecrets } from '../domain/secrets.ts';
import type { Point } from '../domain/sweep.ts';
import { CliError, STATUS } from './cliError.ts';
import { type Context, withEngine } from './context.ts';
import { jobSpec } from './jobSpec.ts';
import type { SubmitFlags } from './submitOptions.ts';
import { pointsOf } from './sweepFlags.ts';
import { printable } from './table.ts';

export interface QueueFlags extends SubmitFlags {
  readonly dryRun?: true;
  /** False: whether it could run is not looked at. */
  readonly preflight?: boolean;
  readonly json?: true;
  readonly data?: string;
}

/**
 * Queues the job, or the jobs, that the flags ask for, and prints the number.
 * @param say how the number is told, where nobody asked for JSON.
 */
export async function queueJob(
  context: Context,
  command: readonly string[],
  flags: QueueFlags,
  say: (id: number) => string = String,
): Promise<void> {
  const spec = jobSpec(context, command, flags);
  const sweep = pointsOf(context, flags);
  if (flags.dryRun) return preview(context, flags, spec, sweep);
  await withEngine(context, flags, (client) => queueSpec(context, client, spec, sweep, flags, say));
}

type Many = { readonly points: readonly Point[]; readonly atMost: number | null };

/** Queues what was made of flags. @param sweep null: one job. */
export async function queueSpec(
  context: Context,
  client: StintClient,
  spec: JobSpecInput,
  sweep: Many | null,
  flags: QueueFlags,
  say: (id: number) => string = String,
): Promise<void> {
  if (flags.dryRun) return preview(context, flags, spec, sweep);
  const answer = sweep === null ? await queueOne() : await queueArray(context, client, flags, spec, sweep);
  context.out(flags.json ? JSON.stringify(answer) : say(answer.id));

  async function queueOne() {
    const request = { ...spec, ...secretsFrom(flags) };
    await checkRuns(context, client, request, flags);
    return client.jobs.submit(request);
  }
}

async function queueArray(
  context: Context,
  client: StintClient,
  flags: QueueFlags,
  spec: JobSpecInput,
  { points, atMost }: Many,
) {
  tellUnused(context, spec, points);
  const members = points.map((point) => ({ ...point }));
  const { index, values } = points[0]!;
  const first = filledJob(spec, { ...values, index: String(index) });
  await checkRuns(context, client, { ...first, ...secretsFrom(flags) }, flags);
  return client.arrays.submit({ spec, members, atMost, ...secretsFrom(flags) });
}

function tellUnused(context: Context, spec: JobSpecInput, points: readonly Point[]): void {
  const unused = unusedParameters(spec, Object.keys(points[0]?.values ?? {}));
  if (unused.length > 0) {
    const names = unused.map((name) => `{${name}}`).join(', ');
    context.err(
      `${names} occurs nowhere in the command, its name or variables: jobs find it in STINT_PARAMS only`,
    );
  }
}

/** Says what would keep it from running. @throws {CliError} where that is certain, before anything is queued. */
async function checkRuns(
  context: Context,
  client: StintClient,
  spec: JobSpecInput,
  { preflight = true }: QueueFlags,
): Promise<void> {
  if (!preflight) return;
  const { obstacles } = await client.jobs.preflight(spec);
  for (const { problem, remedy, certain } of obstacles) {
    const text = printable(`it could not run: ${problem}`);
    if (certain)
      throw new CliError(STATUS.badUsage, text, `${remedy}; or queue it all the same: --no-preflight`);
    context.err(`as it stands, ${text}; ${remedy}`);
  }
}

const secretsFrom = ({ secretsFrom }: QueueFlags) => (secretsFrom === undefined ? {} : { secretsFrom });

/** Lines of a preview; who wants all of more has --json. */
const PREVIEWED = 20;

function preview(context: Context, flags: QueueFlags, spec: JobSpecInput, sweep: Many | null): void {
  if (sweep !== null) tellUnused(context, spec, sweep.points);
  const points = sweep?.points ?? [{ index: 0, values: {} }];
  const jobs = points.map(({ index, values }) => ({
    index,
    values,
    ...filledJob(spec, sweep === null ? {} : { ...values, index: String(index) }),
  }));
  if (flags.json) return context.out(JSON.stringify(jobs));
  for (const { index, command, name } of jobs.slice(0, PREVIEWED)) {
    const secrets = secretArguments(command);
    const shown = command.map((text, at) => (secrets.has(at) ? SECRET : quoted(withoutSecrets(text))));
    const line = `${index}  ${name === null ? '' : `${withoutSecrets(name)}: `}${shown.join(' ')}`;
    context.out(printable(line));
  }
  if (jobs.length > PREVIEWED) context.out(`and ${jobs.length - PREVIEWED} more (--json shows them)`);
  context.err(`${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}, nothing was queued`);
}
