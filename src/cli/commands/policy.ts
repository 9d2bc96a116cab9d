import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { FieldError, messageOf, NotFoundError } from '../../domain/errors.ts';
import { POLICY_NAMES, type PolicyName, parsePolicyName } from '../../domain/policyNames.ts';
import type { PolicyVersion, Standing } from '../../domain/policyVersion.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer, yesOrNo } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';
import { watched } from '../watched.ts';
import { registerCalibration } from './calibration.ts';
import { registerMode } from './mode.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

function learningText({ limits, yields }: SchedulerStatus['learner']): string {
  if (limits.cpuPercent === 0) return 'nothing is learned';
  const when = limits.whilePresent ? 'also while you are here' : 'and nothing while you are here';
  return `at most ${limits.cpuPercent} % of a core, ${when}${yields ? ', as now' : ''}`;
}

/** `stint policy`: which policy decides, and which weights the learned one has. */
export function registerPolicy(program: Command, context: Context): void {
  const policy = clientCommand(program, 'policy', 'Says which policy decides, or puts another in charge.')
    .argument('[NAME]', `${POLICY_NAMES.join(', ')}`, parsePolicyName)
    .option('--json', "print the scheduler's state as JSON")
    .action((name: PolicyName | undefined, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const status =
          name === undefined
            ? await client.scheduler.status()
            : await client.scheduler.setPolicy({ policy: name });
        context.out(flags.json ? JSON.stringify(status) : status.policy);
      }),
    );

  // `--json` after `ls` is for `ls`.
  policy.enablePositionalOptions();
  const tell = (flags: Flags, status: SchedulerStatus, sentence: string): void =>
    context.out(flags.json ? JSON.stringify(status) : sentence);

  registerMode(policy, context);
  registerCalibration(policy, context);

  clientCommand(policy, 'learning', 'Says or sets what learning may take of the processor, across restarts.')
    .option(
      '--cpu <PERCENT>',
      'of one core (default: 10); 0: nothing is learned, and what is new waits',
      integer('--cpu', 0, 100),
    )
    .option(
      '--while-present <yes|no>',
      'also while you sit at the desk or use a GPU by hand (default: no)',
      yesOrNo('--while-present'),
    )
    .option('--json', "print the scheduler's state as JSON")
    .action((flags: Flags & { readonly cpu?: number; readonly whilePresent?: boolean }) =>
      withEngine(context, flags, async (client) => {
        const change = {
          ...(flags.cpu === undefined ? {} : { cpuPercent: flags.cpu }),
          ...(flags.whilePresent === undefined ? {} : { whilePresent: flags.whilePresent }),
        };
        const status =
          Object.keys(change).length === 0
            ? await client.scheduler.status()
            : await client.scheduler.setLearning(change);
        tell(flags, status, learningText(status.learner));
      }),
    );

  watched(
    clientCommand(
      policy,
      'ls',
      'Lists the versions of the learned policy: the one in charge first, then the latest.',
    ),
    context,
    { after: ['scheduler'], json: 'the versions as a JSON array' },
    async (to, client, flags: Flags) => {
      const versions = await client.scheduler.versions();
      if (flags.json) return to.out(JSON.stringify(versions));
      if (versions.length === 0) return to.out('There are no weights; the heuristic decides.');
      for (const line of renderTable(VERSION_COLUMNS, versions, to.width)) to.out(line);
      const { promotion } = await client.scheduler.status();
      if (promotion.judging !== null) to.out(`${promotion.judging} is being judged`);
      if (promotion.frozen) to.out('frozen: nothing takes charge by itself (`stint policy freeze --off`)');
    },
  );

  clientCommand(policy, 'show', 'Shows a version and how it was judged.')
    .argument('<VERSION>', 'as `stint policy ls` names it')
    .option('--json', 'print the version as JSON')
    .action((version: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const found = (await client.scheduler.versions()).find((one) => one.version === version);
        if (found === undefined)
          throw new NotFoundError('version', version, '`stint policy ls` lists those that there are');
        if (flags.json) return context.out(JSON.stringify(found));
        describe(context, found);
      }),
    );

  clientCommand(policy, 'promote', 'Puts a version in charge, whatever was said of it.')
    .argument('<VERSION>', 'as `stint policy ls` names it')
    .option('--json', "print the scheduler's state as JSON")
    .action((version: string, flags: Flags) =>
      withEngine(context, flags, async (client) =>
        tell(flags, await client.scheduler.promote({ version }), `${version} is in charge`),
      ),
    );

  clientCommand(policy, 'rollback', 'Puts the version back in charge that was before.')
    .option('--json', "print the scheduler's state as JSON")
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const status = await client.scheduler.rollBack();
        const now = (await client.scheduler.versions()).find(({ inCharge }) => inCharge);
        tell(flags, status, `${now?.version} is in charge again`);
      }),
    );

  clientCommand(policy, 'freeze', 'Lets nothing that is learned take charge by itself, until told otherwise.')
    .option('--off', 'let what passes the gate take charge again')
    .option('--json', "print the scheduler's state as JSON")
    .action((flags: Flags & { readonly off?: true }) =>
      withEngine(context, flags, async (client) =>
        tell(
          flags,
          await client.scheduler.freeze({ on: !flags.off }),
          flags.off ? 'what passes the gate takes charge again' : 'frozen: nothing takes charge by itself',
        ),
      ),
    );

  clientCommand(
    policy,
    'judge',
    'Judges a version against the one in charge, on your last days and a standing suite; takes a minute or two.',
  )
    .argument('<VERSION>', 'as `stint policy ls` names it')
    .option('--json', "print the scheduler's state as JSON")
    .action((version: string, flags: Flags) =>
      withEngine(context, flags, async (client) =>
        tell(
          flags,
          await client.scheduler.judge({ version }),
          `${version} is being judged; \`stint policy show ${version}\` says what came of it`,
        ),
      ),
    );

  clientCommand(policy, 'export', 'Writes the weights of a version to a file, for another machine.')
    .argument('<VERSION>', 'as `stint policy ls` names it')
    .requiredOption('-o, --output <FILE>', 'where to')
    .action((version: string, flags: Flags & { readonly output: string }) =>
      withEngine(context, flags, async (client) => {
        const file = await client.scheduler.exportVersion({ version });
        try {
          writeFileSync(resolve(context.callerDir, flags.output), `${JSON.stringify(file)}\n`);
        } catch (error) {
          throw new FieldError(
            '--output',
            flags.output,
            `name a file that can be written (${messageOf(error)})`,
          );
        }
        context.out(flags.output);
      }),
    );

  clientCommand(
    policy,
    'import',
    'Registers weights from a file. They take charge only when they are promoted.',
  )
    .argument('<FILE>', 'as `stint policy export` writes it')
    .option('--json', 'print the version as JSON')
    .action((path: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const version = await client.scheduler.importVersion(
          readPolicyFile(resolve(context.callerDir, path)),
        );
        context.out(flags.json ? JSON.stringify(version) : version.version);
      }),
    );
}

/** @throws {FieldError} naming the file. What the weights hold is checked by the engine. */
function readPolicyFile(path: string): { name: string; weights: string } {
  let file: unknown;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FieldError(
      'FILE',
      path,
      `name a file that \`stint policy export\` wrote (${messageOf(error)})`,
    );
  }
  const { name, weights } = (file ?? {}) as { readonly name?: unknown; readonly weights?: unknown };
  if (typeof name !== 'string' || typeof weights !== 'string') {
    throw new FieldError(
      'FILE',
      path,
      'name a file that `stint policy export` wrote: this one lacks `name` or `weights`',
    );
  }
  return { name, weights };
}

const verdict = ({ gate }: PolicyVersion): string =>
  gate === null ? '' : `${gate.passed ? 'passed' : 'refused'}: ${gate.reason}`;

const VERSION_COLUMNS: readonly Column<PolicyVersion>[] = [
  { title: 'VERSION', cell: ({ version }) => version },
  { title: '', cell: ({ inCharge }) => (inCharge ? 'in charge' : '') },
  { title: 'FROM', cell: ({ source }) => source },
  { title: 'STEPS', right: true, cell: ({ trainSteps }) => String(trainSteps) },
  { title: 'MADE', expendable: true, cell: ({ createdAtMs }) => formatTime(createdAtMs) },
  { title: 'VERDICT', least: 24, cell: verdict },
];

const percent = (ratio: number | null): string =>
  ratio === null ? '?' : `${(100 * (ratio - 1)).toFixed(1)} %`;

const STANDING_COLUMNS: readonly Column<Standing>[] = [
  { title: 'AGAINST', cell: ({ policy }) => policy },
  { title: 'MEAN JCT', right: true, cell: ({ ratio }) => percent(ratio) },
  { title: '95 % FROM', right: true, cell: ({ low }) => percent(low) },
  { title: 'TO', right: true, cell: ({ high }) => percent(high) },
  { title: 'LONGEST WAIT AT WORST', right: true, cell: ({ worstWaitRatio }) => percent(worstWaitRatio) },
];

function describe(context: Context, version: PolicyVersion): void {
  const { gate, promotedAtMs } = version;
  const worlds = gate && `${gate.ownDays} days of your own, ${gate.standingWorlds} of the standing suite`;
  const pairs: readonly (readonly [string, string])[] = [
    ['version', version.version + (version.inCharge ? ', in charge' : '')],
    ['from', `${version.source}, ${version.trainSteps} gradient steps on this machine`],
    ['made', formatTime(version.createdAtMs)],
    ['in charge', promotedAtMs === null ? 'never' : `last put there ${formatTime(promotedAtMs)}`],
    ['verdict', verdict(version) || 'not judged'],
    ['judged', gate === null ? '' : `${formatTime(gate.atMs)} against ${gate.against}, on ${worlds}`],
  ];
  for (const line of renderPairs(pairs.filter(([, value]) => value !== ''))) context.out(line);
  if (gate === null || gate.standings.length === 0) return;
  context.out('');
  for (const line of renderTable(STANDING_COLUMNS, gate.standings, context.width)) context.out(line);
}
