import type { Command } from 'commander';
import type { PairSpeed } from '../../contract/messages.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Episode } from '../../domain/episode.ts';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { duration, integer, jobId, yesOrNo } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderTable } from '../table.ts';
import { watched } from '../watched.ts';
import { registerPolicy } from './policy.ts';
import { registerWhy } from './why.ts';

interface Flags {
  readonly limit?: number;
  readonly json?: true;
  readonly data?: string;
}

interface PreemptionFlags extends Flags {
  readonly on?: true;
  readonly off?: true;
  readonly pause?: boolean;
  readonly max?: number;
  readonly minSpell?: number;
}

export function registerScheduler(program: Command, context: Context): void {
  registerPolicy(program, context);

  clientCommand(
    program,
    'drain',
    'Lets what runs finish and starts nothing, across restarts, until told otherwise.',
  )
    .option('--off', 'start jobs again')
    .option('--json', "print the scheduler's state as JSON")
    .action((flags: Flags & { readonly off?: true }) =>
      withEngine(context, flags, async (client) => {
        const status = await client.scheduler.drain({ on: !flags.off });
        if (flags.json) return context.out(JSON.stringify(status));
        const live = ['starting', 'running', 'paused', 'stopping'] as const;
        const { total } = await client.jobs.list({ statuses: [...live], limit: 1 });
        const left = total === 0 ? 'nothing runs' : total === 1 ? '1 job runs on' : `${total} jobs run on`;
        context.out(flags.off ? 'jobs are started again' : `drained: nothing is started; ${left}`);
      }),
    );

  clientCommand(
    program,
    'preemption',
    'Says or sets what policies may do to running jobs, across restarts. Your own pauses are never lifted by them.',
  )
    .option(
      '--on',
      'jobs submitted with --restartable may be stopped at their checkpoint for others (default)',
    )
    .option('--off', 'they may not')
    .option(
      '--pause <yes|no>',
      'others may be paused with their GPU memory held (default: no)',
      yesOrNo('--pause'),
    )
    .option(
      '--max <N>',
      'a job that has given way so often is left alone (default: 5)',
      integer('--max', 0, 1000),
    )
    .option(
      '--min-spell <T>',
      'a job is left alone for so long after each start, pause and resume (default: 5min)',
      duration('--min-spell'),
    )
    .option('--json', "print the scheduler's state as JSON")
    .action((flags: PreemptionFlags) => {
      if (flags.on && flags.off) throw new FieldError('--off', true, 'give either --on or --off');
      return withEngine(context, flags, async (client) => {
        const change = {
          ...(flags.on || flags.off ? { preempt: !flags.off } : {}),
          ...(flags.pause === undefined ? {} : { pause: flags.pause }),
          ...(flags.max === undefined ? {} : { maxPreemptions: flags.max }),
          ...(flags.minSpell === undefined ? {} : { minSpellS: flags.minSpell }),
        };
        const status =
          Object.keys(change).length === 0
            ? await client.scheduler.status()
            : await client.scheduler.setGiveWay(change);
        if (flags.json) return context.out(JSON.stringify(status));
        const { preempt, pause, maxPreemptions, minSpellS } = status.giveWay;
        context.out(
          `restartable jobs ${preempt ? 'may' : 'may not'} be stopped for others, the rest ${pause ? 'may' : 'may not'} be paused`,
        );
        context.out(
          `each at most ${maxPreemptions} times, and not within ${formatDuration(minSpellS * 1000)} of a change`,
        );
      });
    });

  clientCommand(
    program,
    'interference',
    'Lists how fast commands ran beside each other, relative to alone, the slowest first.',
  )
    .option('--json', 'print the pairs as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const pairs = await client.scheduler.interference();
        if (flags.json) return context.out(JSON.stringify(pairs));
        if (pairs.length === 0) {
          return context.out(
            'Nothing is known yet: it is measured where a command reports its progress, alone and beside another.',
          );
        }
        for (const line of renderTable(PAIR_COLUMNS, pairs, context.width)) context.out(line);
      }),
    );

  registerWhy(program, context);

  const decided = clientCommand(
    program,
    'decisions',
    'Lists what the scheduler decided and why, latest first.',
  )
    .argument('[ID]', 'only what was done with this job', jobId)
    .option('--limit <N>', 'how many (default: 20)', integer('--limit', 1, 1000));
  watched(
    decided,
    context,
    { after: ['decision'], json: 'the decisions as a JSON array' },
    async (to, client, id: number | undefined, flags: Flags) => {
      const decisions = await client.scheduler.decisions({
        limit: flags.limit ?? 20,
        ...(id === undefined ? {} : { jobId: id }),
      });
      if (flags.json) return to.out(JSON.stringify(decisions));
      if (decisions.length === 0) return to.out('Nothing has been decided yet.');
      for (const line of renderTable(DECISION_COLUMNS, decisions, to.width)) to.out(line);
    },
  );

  const busy = clientCommand(
    program,
    'episodes',
    'Lists busy periods of the machine (from the first arrival until it is idle) and their reward, latest first.',
  ).option('--limit <N>', 'how many (default: 20)', integer('--limit', 1, 1000));
  watched(
    busy,
    context,
    { after: ['episode', 'decision'], json: 'the episodes as a JSON array' },
    async (to, client, flags: Flags) => {
      const episodes = await client.scheduler.episodes({ limit: flags.limit ?? 20 });
      if (flags.json) return to.out(JSON.stringify(episodes));
      if (episodes.length === 0) return to.out('No episode yet: it begins with the first job.');
      for (const line of renderTable(episodeColumns(to.nowMs()), episodes, to.width)) to.out(line);
    },
  );
}

const PAIR_COLUMNS: readonly Column<PairSpeed>[] = [
  { title: 'SPEED', right: true, cell: (pair) => `${Math.round(pair.speed * 100)} %` },
  { title: 'OVER', right: true, cell: (pair) => formatDuration(pair.seconds * 1000) },
  { title: 'COMMAND', least: 16, cell: (pair) => commandOf(pair.kind) },
  { title: 'BESIDE', least: 16, cell: (pair) => commandOf(pair.beside) },
];

/** Without the number of GPUs that stands before it. */
const commandOf = (kind: string): string => (JSON.parse(kind) as (string | number)[]).slice(1).join(' ');

const DECISION_COLUMNS: readonly Column<Decision>[] = [
  { title: 'ID', right: true, cell: (d) => String(d.id) },
  { title: 'TIME', cell: (d) => formatTime(d.atMs) },
  { title: 'POLICY', cell: (d) => (d.fallback ? `${d.policy} (for ${d.fallback.failed})` : d.policy) },
  {
    title: 'DECIDED',
    least: 20,
    cell: (d) => `${d.sentence}${d.exploration.explored ? ' (exploring)' : ''}`,
  },
];

const episodeColumns = (nowMs: number): readonly Column<Episode>[] => [
  { title: 'ID', right: true, cell: (e) => String(e.id) },
  { title: 'BEGAN', cell: (e) => formatTime(e.startedAtMs) },
  {
    title: 'LENGTH',
    right: true,
    cell: (e) =>
      formatDuration((e.endedAtMs ?? nowMs) - e.startedAtMs) + (e.endedAtMs === null ? ' so far' : ''),
  },
  { title: 'POLICY', cell: (e) => e.policy },
  { title: 'JOBS', right: true, cell: (e) => `${e.jobsFinished} of ${e.jobsArrived}` },
  { title: 'DECISIONS', right: true, cell: (e) => String(e.decisions) },
  {
    title: 'MEAN JCT',
    right: true,
    cell: (e) => (e.meanJctS === null ? '?' : formatDuration(e.meanJctS * 1000)),
  },
  { title: 'REWARD', right: true, cell: (e) => e.reward.toFixed(4) },
];
