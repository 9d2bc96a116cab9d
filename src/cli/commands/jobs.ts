import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { JobView, LoggedEvent } from '../../contract/messages.ts';
import { actorText } from '../../domain/actorText.ts';
import type { Attempt } from '../../domain/attempt.ts';
import { FieldError } from '../../domain/errors.ts';
import type { ExpectedStart } from '../../domain/expectedStart.ts';
import { gpuNeedSentence } from '../../domain/gpuNeed.ts';
import type { JobFilter } from '../../domain/jobFilter.ts';
import { SOURCE_WORDS } from '../../domain/predictionSource.ts';
import { quoted } from '../../domain/quoted.ts';
import { throttleText } from '../../domain/throttleText.ts';
import { ulimitsText } from '../../domain/ulimits.ts';
import { formatDuration } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { integer, jobId } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { jobColumns, type ListRow } from '../jobColumns.ts';
import { PERIOD_HELP, type PeriodFlags, periodOf } from '../period.ts';
import { startText } from '../startText.ts';
import { type Column, printable, renderPairs, renderTable, shownLine } from '../table.ts';
import { watched } from '../watched.ts';

interface ListFlags extends PeriodFlags {
  readonly status?: string[];
  readonly user?: string[];
  readonly project?: string[];
  readonly tag?: string[];
  readonly by?: string[];
  readonly cause?: string[];
  readonly search?: string;
  readonly limit?: number;
  readonly all?: true;
  readonly array?: number;
  readonly expand?: true;
  readonly json?: true;
}

const PAGE = 1000;
const FINISHED_SHOWN = 10;

const LIST_HELP = `
Statuses: queued, held, starting, running, paused, stopping, succeeded, failed, cancelled, timed-out, lost.

Causes are the codes of docs/diagnosis.md, such as gpu-memory or missing-module.
${PERIOD_HELP}
Examples:
  stint ls
  stint ls --status running paused
  stint ls --user ada --project vision --cause gpu-memory --from 7d
  stint ls --tag baseline --all
  stint ls --search "--lr 3e-4" --limit 20
  stint ls --array 12
  stint ls --watch --status running
  stint ls --json | jq '.[] | select(.status == "failed") | .id'`;

export function registerJobs(program: Command, context: Context): void {
  const ls = clientCommand(
    program,
    'ls',
    'Lists jobs: those that run, those that wait and why, and the last that ended.',
  )
    .alias('squeue')
    .option('--status <S...>', 'only jobs with one of these statuses')
    .option('--user <NAME...>', 'only jobs of these users')
    .option('--project <NAME...>', 'only jobs of these projects')
    .option('--tag <TAG...>', 'only jobs with one of these tags')
    .option('--by <WHO...>', 'only jobs that these submitted: person, or the name of an agent or token')
    .option('--search <TEXT>', 'only jobs with this in their name or command')
    .option('--cause <CODE...>', 'only jobs that died of one of these')
    .option('--from <T>', 'only jobs that were there after this moment, such as 2026-11-20 or 7d')
    .option('--to <T>', 'and before this one; a day counts whole')
    .option('--limit <N>', 'so many at most', integer('--limit', 1, Number.MAX_SAFE_INTEGER))
    .option('--all', `all that ever ended, not only the last ${FINISHED_SHOWN}`)
    .option('--array <ID>', 'the jobs of this array, each in a line of its own', jobId)
    .option('--expand', 'every job of an array in a line of its own, not one line for the array')
    .addHelpText('after', LIST_HELP);
  watched(ls, context, { after: ['event', 'reasons'], json: 'all jobs as a JSON array' }, list);

  const show = clientCommand(
    program,
    'show',
    'Shows one job: what it is, how it stands, and what happened to it.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .option('--diff', 'print instead how its code differed from the commit when it was submitted');
  watched(
    show,
    context,
    {
      after: ['event', 'reasons', 'devices'],
      json: 'the job as JSON, or with --diff what is recorded of its code',
    },
    async (to, client, id: number, flags: ShowFlags) => {
      const job = await client.jobs.get({ id });
      if (flags.diff) return showCode(to, job, await client.jobs.code({ id, diff: true }), flags);
      if (flags.json) return to.out(JSON.stringify(job));
      await describe(to, job, await client.jobs.events({ id }), {
        starts: await startText(to, client, job),
        code: await client.jobs.code({ id }),
        joules: (await client.history.energy({ ids: [id] }))[0]?.joules ?? null,
      });
    },
  );
}

interface ShowFlags {
  readonly diff?: true;
  readonly json?: true;
}

type Code = Awaited<ReturnType<StintClient['jobs']['code']>>;

const noCode = ({ pending }: Code): string =>
  pending
    ? 'git is still being asked; ask again in a moment'
    : 'nothing is recorded of its code: its directory was in no git repository';

/** Prints the diff as git gave it, for `git apply`; on a terminal with nothing in it that a terminal would obey. */
async function showCode(
  context: Context,
  { submittedAtMs }: Pick<JobView, 'submittedAtMs'>,
  code: Code,
  { json }: ShowFlags,
): Promise<void> {
  if (json) return context.out(JSON.stringify(code));
  const { record, diff } = code;
  if (record === null) return context.err(noCode(code));
  const { codeText } = await import('../../domain/codeText.ts');
  context.err(printable(codeText(record, submittedAtMs)));
  for (const name of record.untracked) context.err(`untracked: ${printable(name)}`);
  const more = record.untrackedCount - record.untracked.length;
  if (more > 0) context.err(`and ${more} more untracked files`);
  if (!diff) return;
  if (context.width === Number.POSITIVE_INFINITY) return context.write(diff);
  for (const line of diff.replace(/\n$/, '').split('\n')) context.out(shownLine(line));
}

async function list(context: Context, client: StintClient, flags: ListFlags): Promise<void> {
  const filter = filterOf(context, flags);
  const filtered = Object.keys(filter).length > 0;
  const whole = flags.all === true || flags.json === true || filtered;
  const { jobs, more } = await listed(client, filter, flags, {
    most: flags.limit ?? Number.POSITIVE_INFINITY,
    mostOver: whole || flags.limit !== undefined ? Number.POSITIVE_INFINITY : FINISHED_SHOWN,
  });
  if (flags.json) return context.out(JSON.stringify(jobs));
  const rows: readonly ListRow[] =
    flags.expand || flags.array !== undefined ? jobs : await collapsed(client, jobs, filtered);
  if (jobs.length === 0)
    return context.out(filtered ? 'No such jobs.' : 'No jobs yet. Queue one with `stint submit`.');
  const columns = jobColumns(context.nowMs(), await startsOf(client, jobs));
  for (const line of renderTable(columns, rows, context.width)) context.out(line);
  if (!more) return;
  if (flags.limit !== undefined) return context.out('and more (a larger --limit shows them)');
  const { total } = await client.jobs.list({ limit: 1 });
  const hidden = total - rows.reduce((sum, row) => sum + (row.members?.length ?? 1), 0);
  if (hidden > 0) context.out(`and ${hidden} that ended earlier (--all shows them)`);
}

/** A list is not kept waiting for long. */
const LIST_WAIT_MS = 300;

/** When those of the jobs will start that wait for their turn. */
async function startsOf(
  client: StintClient,
  jobs: readonly JobView[],
): Promise<ReadonlyMap<number, ExpectedStart>> {
  if (!jobs.some(({ status }) => status === 'queued')) return new Map();
  const starts = await client.scheduler.expectedStarts({ waitMs: LIST_WAIT_MS });
  return new Map(starts.jobs.map((start) => [start.jobId, start]));
}

function filterOf(context: Context, flags: ListFlags): JobFilter {
  const given: Record<string, unknown> = {};
  const names = (flag: string, values: readonly string[] | undefined, split: boolean) => {
    if (values === undefined) return undefined;
    const each = values.flatMap((text) => (split ? text.split(',') : [text])).filter((text) => text !== '');
    if (each.length === 0) throw new FieldError(flag, '', 'give at least one');
    return each;
  };
  given.statuses = names('--status', flags.status, true);
  given.users = names('--user', flags.user, false);
  given.projects = names('--project', flags.project, false);
  given.tags = names('--tag', flags.tag, true);
  given.submitters = names('--by', flags.by, false);
  given.causes = names('--cause', flags.cause, true);
  if (flags.search === '') throw new FieldError('--search', '', 'give some text');
  given.text = flags.search;
  if (flags.from !== undefined || flags.to !== undefined) {
    const { fromMs, toMs } = periodOf(context, flags);
    if (flags.from !== undefined) given.fromMs = fromMs;
    if (flags.to !== undefined) given.toMs = toMs;
  }
  for (const key of Object.keys(given)) if (given[key] === undefined) delete given[key];
  // What is no status or no cause is refused by the engine, which names them all.
  return given as JobFilter;
}

/** @returns the wanted jobs in the order of the list, and whether there are more. */
async function listed(
  client: StintClient,
  filter: JobFilter,
  { array, expand }: ListFlags,
  limits: { readonly most: number; readonly mostOver: number },
): Promise<{ jobs: JobView[]; more: boolean }> {
  if (array === undefined) return wantedJobs(client, filter, expand === true, limits);
  const { jobs } = await client.arrays.get({ id: array });
  const wanted = jobs.filter(({ status }) => filter.statuses?.includes(status) ?? true);
  return { jobs: wanted.slice(0, limits.most), more: wanted.length > limits.most };
}

/** @param expanded false: the jobs of an array that are over count once. */
async function wantedJobs(
  client: StintClient,
  filter: JobFilter,
  expanded: boolean,
  { most, mostOver }: { readonly most: number; readonly mostOver: number },
): Promise<{ jobs: JobView[]; more: boolean }> {
  const byId = new Map<number, JobView>();
  const over = new Set<string>();
  let after: Awaited<ReturnType<StintClient['jobs']['search']>>['next'] = null;
  do {
    const page: Awaited<ReturnType<StintClient['jobs']['search']>> = await client.jobs.search({
      ...filter,
      limit: Math.min(PAGE, most - byId.size),
      after,
    });
    for (const job of page.jobs) {
      // A job that moved on between two pages is met again, and once is enough.
      if (byId.has(job.id)) continue;
      if (job.finishedAtMs !== null) {
        over.add(expanded || job.array === null ? `job ${job.id}` : `array ${job.array.id}`);
        if (over.size > mostOver) return { jobs: [...byId.values()], more: true };
      }
      byId.set(job.id, job);
    }
    after = page.next;
  } while (after !== null && byId.size < most);
  return { jobs: [...byId.values()], more: after !== null };
}

/**
 * An array stands where its first listed job does, and is over once all of its jobs are.
 * @param filtered true: only those of its jobs that were asked for are counted.
 */
async function collapsed(
  client: StintClient,
  jobs: readonly JobView[],
  filtered: boolean,
): Promise<ListRow[]> {
  const byArray = Map.groupBy(jobs, ({ array }) => array?.id);
  const rows: ListRow[] = [];
  for (const job of jobs) {
    const { array } = job;
    const known = array === null ? undefined : byArray.get(array.id);
    if (array === null || known === undefined) rows.push(job);
    else if (known[0] === job) {
      const whole = filtered || known.length === array.size;
      const members = whole ? known : (await client.arrays.get({ id: array.id })).jobs;
      const devices = members.flatMap(({ finishedAtMs, devices }) => (finishedAtMs === null ? devices : []));
      rows.push({ ...job, id: array.id, name: array.name, devices, members });
    }
  }
  return rows;
}

/** @param more when it starts (empty: it does not wait, or nobody knows), what its code was, and what its GPUs drew. */
async function describe(
  context: Context,
  job: JobView,
  events: readonly LoggedEvent[],
  { starts, code, joules }: { readonly starts: string; readonly code: Code; readonly joules: number | null },
): Promise<void> {
  const { runSeconds } = await import('../../domain/runSeconds.ts');
  const { missedText } = await import('../../domain/deadline.ts');
  const { attemptsOf } = await import('../../domain/attempts.ts');
  const { dependencyText } = await import('../../domain/dependencies.ts');
  const { restartText, retryText } = await import('../../domain/retries.ts');
  const { codeText } = await import('../../domain/codeText.ts');
  const { JOULES_PER_KWH } = await import('../../domain/units.ts');
  const moment = (ms: number | null) => (ms === null ? '' : formatTime(ms));
  const progress = job.progress && `${Math.round(job.progress.fraction * 100)} % (${job.progress.label})`;
  const env = Object.entries(job.env).map(([key, value]) => `${key}=${value}`);
  const pairs: readonly (readonly [string, string])[] = [
    ['job', `${job.id}  ${job.name}`],
    ['status', standing(job)],
    ['cause', job.cause ?? ''],
    ...diagnosisPairs(job),
    ['exit code', job.exitCode === null ? '' : String(job.exitCode)],
    ['progress', progress ?? ''],
    ['command', job.command.map(quoted).join(' ')],
    ['directory', job.cwd],
    [
      'code',
      code.record === null ? (code.pending ? noCode(code) : '') : codeText(code.record, job.submittedAtMs),
    ],
    ['snapshot', job.snapshot ? (code.snapshot ?? 'the copy that it ran from is not kept any more') : ''],
    ['environment', job.venv ?? job.conda ?? ''],
    ['before it', job.preCommand ?? ''],
    ['after it', job.postCommand ?? ''],
    ['limits', ulimitsText(job.ulimits)],
    ['variables', env.join(' ')],
    ['gpus', gpuNeedSentence(job)],
    ['devices', job.devices.join(', ')],
    ['executor', executorText(job)],
    ['priority', String(job.priority)],
    ['user', `${job.user}, project ${job.project}`],
    ['tags', job.tags.join(', ')],
    ['estimate', job.estimateS === null ? '' : formatDuration(job.estimateS * 1000)],
    ['starts', starts],
    ['still to run', remainingText(job)],
    ['array', arrayText(job)],
    ['waits for', dependencyText(job.after)],
    ['begins', moment(job.beginAtMs)],
    ['time limit', job.timeLimitS === null ? '' : formatDuration(job.timeLimitS * 1000)],
    ['retries', retryText(job)],
    ['deadline', [moment(job.deadlineAtMs), missedText(job, context.nowMs()) ?? ''].join(' ').trim()],
    ['restart', restartText(job)],
    ['submitted', moment(job.submittedAtMs)],
    ['started', moment(job.startedAtMs)],
    ['ended', moment(job.finishedAtMs)],
    ['ran', job.startedAtMs === null ? '' : formatDuration(runSeconds(job, context.nowMs()) * 1000)],
    ['energy', joules === null ? '' : `${(joules / JOULES_PER_KWH).toFixed(3)} kWh`],
    ['process', job.process ? String(job.process.pid) : ''],
  ];
  for (const line of renderPairs(pairs.filter(([, value]) => value !== ''))) context.out(line);
  const attempts = attemptsOf(events);
  if (attempts.length > 1) {
    context.out('');
    const columns = attemptColumns(context.nowMs());
    for (const line of renderTable(columns, attempts, context.width)) context.out(line);
  }
  context.out('');
  for (const { atMs, actor, by, event } of events) {
    const reason =
      'reason' in event ? event.reason : 'exitCode' in event ? `exit code ${event.exitCode}` : '';
    if (event.kind === 'progressed') continue;
    context.out(
      `${formatTime(atMs)}  ${event.kind} by ${printable(actorText(actor, by))}${reason ? `: ${printable(reason)}` : ''}`,
    );
  }
}

/** Who has it, under which number and where; empty for a job of this machine. */
function executorText({ executor, executorOptions, remote }: JobView): string {
  if (executor === null) return '';
  const there = remote === null ? '' : remote.id === null ? ', being handed over' : `, its job ${remote.id}`;
  const nodes = remote === null || remote.nodes.length === 0 ? '' : ` on ${remote.nodes.join(', ')}`;
  return `${executor}${there}${nodes}${executorOptions.map((option) => ` ${option}`).join('')}`;
}

/** Which of its array it is, and its parameters; empty for a job of none. */
function arrayText({ array }: JobView): string {
  if (array === null) return '';
  const values = Object.entries(array.values).map(([name, value]) => ` ${name}=${value}`);
  const most = array.atMost === null ? '' : `, ${array.atMost} at once`;
  return `#${array.id}, index ${array.index} of ${array.size} jobs${most}${values.join('')}`;
}

/** How it stands, with what holds it and what it holds. */
function standing(job: JobView): string {
  // What tells why a held job waits begins with that very word.
  if (job.waitingReason)
    return job.status === 'held' ? job.waitingReason : `${job.status}: ${job.waitingReason}`;
  if (job.status !== 'paused') return `${job.status}${throttleText(job)}`;
  const memory =
    job.devices.length === 0
      ? ''
      : job.holdsVram
        ? '; its GPU memory stays held'
        : '; its GPU memory is free';
  return `paused by ${job.pausedBy === 'person' ? 'a person' : `the ${job.pausedBy}`} (${job.pauseMethod})${memory}`;
}

const attemptColumns = (nowMs: number): readonly Column<Attempt>[] => [
  { title: 'ATTEMPT', right: true, cell: (one) => String(one.attempt) },
  { title: 'ENDED', cell: (one) => (one.outcome === 'open' ? 'not yet' : one.outcome) },
  { title: 'EXIT', right: true, cell: (one) => String(one.exitCode ?? '') },
  { title: 'STARTED', cell: (one) => (one.startedAtMs === null ? '' : formatTime(one.startedAtMs)) },
  {
    title: 'TIME',
    cell: ({ startedAtMs, finishedAtMs }) =>
      startedAtMs === null ? '' : formatDuration(Math.max(0, (finishedAtMs ?? nowMs) - startedAtMs)),
  },
  { title: 'ON', least: 9, expendable: true, cell: (one) => one.devices.join(',') },
  { title: 'CAUSE', least: 12, cell: (one) => one.cause ?? '' },
];

/** Why it died: the cause, the line of the log that tells it with its place, and what to do. */
function diagnosisPairs({ diagnosis }: JobView): (readonly [string, string])[] {
  if (diagnosis === null) return [];
  const { line } = diagnosis;
  const place = line === null ? '' : line.number === null ? `byte ${line.offset}` : `line ${line.number}`;
  return [
    ['why', `${diagnosis.summary} (${diagnosis.code})`],
    ['log', line === null ? '' : `${place}: ${line.text}`],
    ['remedy', diagnosis.remedy],
  ];
}

/** How long it will still run, how sure that is, and how one knows. */
function remainingText({ remaining }: JobView): string {
  if (remaining === null) return '';
  const [p10, p50, p90] = [remaining.p10S, remaining.p50S, remaining.p90S].map((s) =>
    formatDuration(s * 1000),
  );
  return `about ${p50}, eight in ten between ${p10} and ${p90}, ${SOURCE_WORDS[remaining.source]}`;
}
