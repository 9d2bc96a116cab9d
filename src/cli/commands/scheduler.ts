import type { Command } from 'commander';
import type { Decision } from '../../domain/decision.ts';
import type { Episode } from '../../domain/episode.ts';
import { POLICY_NAMES, type PolicyName, parsePolicyName } from '../../domain/policyNames.ts';
import { formatDuration } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly limit?: number;
  readonly json?: true;
  readonly data?: string;
}

export function registerScheduler(program: Command, context: Context): void {
  clientCommand(program, 'policy', 'Says which policy decides, or puts another in charge.')
    .argument('[NAME]', `${POLICY_NAMES.join(', ')}`, parsePolicyName)
    .option('--json', "print the scheduler's state as JSON")
    .action((policy: PolicyName | undefined, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const status =
          policy === undefined
            ? await client.scheduler.status()
            : await client.scheduler.setPolicy({ policy });
        context.out(flags.json ? JSON.stringify(status) : status.policy);
      }),
    );

  clientCommand(program, 'decisions', 'Lists what the scheduler decided and why, latest first.')
    .option('--limit <N>', 'how many (default: 20)', integer('--limit', 1, 1000))
    .option('--json', 'print the decisions as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const decisions = await client.scheduler.decisions({ limit: flags.limit ?? 20 });
        if (flags.json) return context.out(JSON.stringify(decisions));
        if (decisions.length === 0) return context.out('Nothing has been decided yet.');
        for (const line of renderTable(DECISION_COLUMNS, decisions, context.width)) context.out(line);
      }),
    );

  clientCommand(
    program,
    'episodes',
    'Lists busy periods of the machine (from the first arrival until it is idle) and their reward, latest first.',
  )
    .option('--limit <N>', 'how many (default: 20)', integer('--limit', 1, 1000))
    .option('--json', 'print the episodes as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const episodes = await client.scheduler.episodes({ limit: flags.limit ?? 20 });
        if (flags.json) return context.out(JSON.stringify(episodes));
        if (episodes.length === 0) return context.out('No episode yet: it begins with the first job.');
        for (const line of renderTable(episodeColumns(context.nowMs()), episodes, context.width))
          context.out(line);
      }),
    );
}

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
