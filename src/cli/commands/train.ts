import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatDuration } from '../../domain/units.ts';
import type { TrainEvent } from '../../lab/main.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { ProgressBar } from '../progressBar.ts';
import { asUsage } from '../traceUsage.ts';

interface Flags {
  readonly config?: string;
  readonly out: string;
  readonly resume?: true;
  readonly workers?: number;
  readonly recordEvery: number;
  readonly json?: true;
}

const HELP = `
The configuration is a JSON object of which every field may be left out; docs/learning.md lists them all with their
defaults. Everything is kept in the directory: train.db (SQLite) with the curves and all that it takes to go on, and the
best weights so far as NAME.json. A training that was stopped or killed goes on with --resume, to the same end as if it
had not been. The same configuration gives the same weights on one machine, whatever the number of workers.

With --json each line of stdout is one object: points of the curve, validations, phases, and at the end the result.

Examples:
  stint train --config small.json --out runs/small
  stint train --resume --out runs/small
  stint evaluate --suite standing --policy dqn,gittins --weights runs/small/trained.json`;

export function registerTrain(program: Command, context: Context): void {
  program
    .command('train')
    .description('Trains the learned policy on simulated machines. Needs no engine.')
    .option('--config <FILE>', 'what to train, as JSON; may be left out with --resume')
    .option('--out <DIR>', 'where everything is kept', 'training')
    .option('--resume', 'go on with the training in that directory')
    .option(
      '--workers <N>',
      'threads that run simulated machines (default: one fewer than cores)',
      integer('--workers', 1, 256),
    )
    .option(
      '--record-every <S>',
      'seconds of work that may be lost when it is killed',
      integer('--record-every', 0, 86_400),
      20,
    )
    .option('--json', 'print each event as a JSON object')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const lab = await import('../../lab/main.ts');
      const bar = new ProgressBar({
        what: 'training',
        lines: flags.json !== true,
        nowMs: context.nowMs,
        stream: process.stderr,
      });
      const ratios: number[] = [];
      const losses: number[] = [];
      const show = (event: TrainEvent): void => {
        if (flags.json) {
          context.out(JSON.stringify(event));
          return;
        }
        if (event.event === 'point') {
          losses.push(event.loss);
          return;
        }
        bar.end();
        if (event.event === 'phase') {
          context.err(`${event.phase}: after ${event.worlds} worlds and ${event.step} steps`);
          return;
        }
        ratios.push(event.ratio);
        const { step, ratio, low, high, best, trouble } = event;
        const interval = `${ratio.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
        const remark = trouble ?? (best ? 'the best so far' : '');
        context.err(`${curveOf(ratios)} step ${step}: mean JCT ratio ${interval} ${remark}`.trimEnd());
      };
      const result = await interruptible(
        (signal) =>
          lab.train({
            configFile:
              flags.config === undefined
                ? null
                : { path: resolve(context.callerDir, flags.config), file: flags.config },
            directory: resolve(context.callerDir, flags.out),
            resume: flags.resume === true,
            signal,
            recordEveryS: flags.recordEvery,
            ...(flags.workers === undefined ? {} : { workers: flags.workers }),
            onEvent: show,
            onProgress: (progress) => bar.update(progress, lossText(losses)),
          }),
        'go on with --resume',
      )
        .catch(asUsage)
        .finally(() => bar.end());
      if (flags.json) {
        context.out(JSON.stringify({ event: 'end', ...result }));
        return;
      }
      const { file, ratio, bestStep, steps, worlds, trainedS } = result;
      const took = `${steps} steps in ${worlds} worlds took ${formatDuration(1000 * trainedS)}`;
      context.out(
        file === null
          ? `${took}; no weights were fit to be kept`
          : `${file}: mean JCT ratio ${ratio!.toFixed(4)} at step ${bestStep}; ${took}`,
      );
    });
}

const BARS = '▁▂▃▄▅▆▇█';
const SHOWN = 24;

/** How the loss has gone; empty before the first point of the curve. */
const lossText = (losses: readonly number[]): string =>
  losses.length === 0 ? '' : `loss ${curveOf(losses)} ${losses.at(-1)!.toPrecision(3)}`;

/** The latest values as a row of bars, from the least to the most. */
function curveOf(values: readonly number[]): string {
  const shown = values.slice(-SHOWN);
  const least = Math.min(...shown);
  const span = Math.max(...shown) - least;
  return shown
    .map((value) => BARS[span === 0 ? 0 : Math.round(((value - least) / span) * (BARS.length - 1))])
    .join('');
}
