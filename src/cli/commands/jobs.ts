import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView, LoggedEvent } from '../../contract/messages.ts';
import { FieldError } from '../../domain/errors.ts';
import type { JobStatus } from '../../domain/job.ts';
import { formatDuration, formatMib } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { jobId } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, printable, renderPairs, renderTable } from '../table.ts';

interface ListFlags {
  readonly status?: string[];
  readonly all?: true;
  readonly json?: true;
  readonly data?: string;
}

const PAGE = 1000;
const FINISHED_SHOWN = 10;

const LIST_HELP = `
Statuses: queued, held, starting, running, paused, stopping, succeeded, failed, cancelled, timed-out, lost.

Examples:
  stint ls
  stint ls --status running paused
  stint ls --json | jq '.[] | select(.status == "failed") | .id'`;

export function registerJobs(program: Command, context: Context): void {
  clientCommand(
    program,
    'ls',
    'Lists jobs: those that run, those that wait and why, and the last that ended.',
  )
    .option('--status <S...>', 'only jobs with one of these statuses')
    .option('--all', `all that ever ended, not only the last ${FINISHED_SHOWN}`)
    .option('--json', 'print all jobs as a JSON array')
    .addHelpText('after', LIST_HELP)
    .action((flags: ListFlags) => withEngine(context, flags, (client) => list(context, client, flags)));

  clientCommand(program, 'show', 'Shows one job: what it is, how it stands, and what happened to it.')
    .argument('<ID>', 'number of the job', jobId)
    .option('--json', 'print the job as JSON')
    .action((id: number, flags: ListFlags) =>
      withEngine(context, flags, async (client) => {
        const job = await client.jobs.get({ id });
        if (flags.json) return context.out(JSON.stringify(job));
        await describe(context, job, await client.jobs.events({ id }));
      }),
    );
}

async function list(context: Context, client: StintClient, flags: ListFlags): Promise<void> {
  const statuses = flags.status?.flatMap((text) => text.split(',')).filter((text) => text !== '');
  if (statuses?.length === 0) throw new FieldError('--status', '', 'give a status, such as running');
  const jobs = await everyJob(client, statuses as JobStatus[] | undefined);
  if (flags.json) return context.out(JSON.stringify(jobs));
  const over = jobs.filter((job) => job.finishedAtMs !== null);
  const hidden = flags.all || statuses ? [] : over.slice(FINISHED_SHOWN);
  if (jobs.length === 0)
    return context.out(statuses ? 'No such jobs.' : 'No jobs yet. Queue one with `stint submit`.');
  const columns = await jobColumns(context.nowMs());
  const shown = jobs.slice(0, jobs.length - hidden.length);
  for (const line of renderTable(columns, shown, context.width)) context.out(line);
  if (hidden.length > 0) context.out(`and ${hidden.length} that ended earlier (--all shows them)`);
}

/** Jobs that are over come last, latest first, so that the pages fit together. */
async function everyJob(client: StintClient, statuses: JobStatus[] | undefined): Promise<JobView[]> {
  const byId = new Map<number, JobView>();
  for (let offset = 0; ; offset += PAGE) {
    const page = await client.jobs.list({ limit: PAGE, offset, ...(statuses ? { statuses } : {}) });
    // A job that moved on between two pages is met again, and once is enough.
    for (const job of page.jobs) byId.set(job.id, job);
    if (page.jobs.length < PAGE || offset + PAGE >= page.total) return [...byId.values()];
  }
}

async function jobColumns(nowMs: number): Promise<Column<JobView>[]> {
  // Loaded here and not above: it brings the schemas with it, which a submission can do without.
  const { runSeconds } = await import('../../domain/job.ts');
  const time = (job: JobView) => {
    if (job.startedAtMs !== null) return `ran ${formatDuration(runSeconds(job, nowMs) * 1000)}`;
    return job.finishedAtMs === null ? `waits ${formatDuration(Math.max(0, nowMs - job.submittedAtMs))}` : '';
  };
  return [
    { title: 'ID', right: true, cell: (job) => String(job.id) },
    { title: 'STATUS', cell: statusOf },
    { title: 'PRIO', right: true, expendable: true, cell: (job) => String(job.priority) },
    { title: 'GPUS', right: true, expendable: true, cell: (job) => String(job.gpus) },
    { title: 'ON', least: 9, cell: (job) => job.devices.join(',') },
    { title: 'USER', least: 6, expendable: true, cell: (job) => job.user },
    { title: 'TIME', cell: time },
    { title: 'NAME', least: 12, cell: (job) => job.name },
    { title: 'NOTE', least: 24, cell: (job) => job.waitingReason ?? job.cause ?? job.progress?.label ?? '' },
  ];
}

const statusOf = (job: JobView): string =>
  job.exitCode !== null && job.status === 'failed' ? `failed (${job.exitCode})` : job.status;

async function describe(context: Context, job: JobView, events: readonly LoggedEvent[]): Promise<void> {
  const { runSeconds } = await import('../../domain/job.ts');
  const moment = (ms: number | null) => (ms === null ? '' : formatTime(ms));
  const progress = job.progress && `${Math.round(job.progress.fraction * 100)} % (${job.progress.label})`;
  const memory = job.vramMib === null ? 'memory unknown, so alone' : `${formatMib(job.vramMib)} each`;
  const env = Object.entries(job.env).map(([key, value]) => `${key}=${value}`);
  const pairs: readonly (readonly [string, string])[] = [
    ['job', `${job.id}  ${job.name}`],
    ['status', job.waitingReason ? `${job.status}: ${job.waitingReason}` : job.status],
    ['cause', job.cause ?? ''],
    ['exit code', job.exitCode === null ? '' : String(job.exitCode)],
    ['progress', progress ?? ''],
    ['command', job.command.map(quoted).join(' ')],
    ['directory', job.cwd],
    ['variables', env.join(' ')],
    ['gpus', job.gpus === 0 ? 'none' : `${job.gpus}, ${memory}${job.exclusive ? ', never shared' : ''}`],
    ['devices', job.devices.join(', ')],
    ['priority', String(job.priority)],
    ['user', `${job.user}, project ${job.project}`],
    ['estimate', job.estimateS === null ? '' : formatDuration(job.estimateS * 1000)],
    ['submitted', moment(job.submittedAtMs)],
    ['started', moment(job.startedAtMs)],
    ['ended', moment(job.finishedAtMs)],
    ['ran', job.startedAtMs === null ? '' : formatDuration(runSeconds(job, context.nowMs()) * 1000)],
    ['process', job.process ? String(job.process.pid) : ''],
  ];
  for (const line of renderPairs(pairs.filter(([, value]) => value !== ''))) context.out(line);
  context.out('');
  for (const { atMs, actor, event } of events) {
    const reason =
      'reason' in event ? event.reason : 'exitCode' in event ? `exit code ${event.exitCode}` : '';
    if (event.kind === 'progressed') continue;
    context.out(`${formatTime(atMs)}  ${event.kind} by ${actor}${reason ? `: ${printable(reason)}` : ''}`);
  }
}

/** As a shell would need it, so that it can be copied. */
const quoted = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
