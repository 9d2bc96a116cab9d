import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { isPassedOn } from '../../domain/executorOption.ts';
import { fromSlurm } from '../../domain/slurm/fromSlurm.ts';
import { missingTools, readScriptHead } from '../../domain/slurm/scriptHead.ts';
import { placed, type SlurmOption } from '../../domain/slurm/slurmOptions.ts';
import type { Context } from '../context.ts';
import { type SubmitFlags, submitOptions } from '../submitOptions.ts';

/** A script that says what it needs. */
export interface Script {
  readonly command: readonly string[];
  /** What its head asks for, with what was given beside it laid over. */
  readonly flags: SubmitFlags;
  readonly notes: readonly string[];
}

/** A head is within this. */
const MOST_BYTES = 256 * 1024;

/**
 * Reads the `#SBATCH` and `#STINT` lines of the script that a command names.
 * @param given the command, argv.
 * @param over what counts more than the script's head.
 * @param options of sbatch, given beside the script: they count more than its `#SBATCH` lines.
 * @returns null where the command names no file with such lines, and there are no `options` either.
 * @throws {FieldError} naming option, file and line.
 */
export function withScriptHead(
  context: Context,
  given: readonly string[],
  over: SubmitFlags,
  options: readonly SlurmOption[] | null = null,
): Script | null {
  const [word = '', ...args] = given;
  const path = resolve(context.callerDir, word);
  const text = headOf(path);
  const head = text === null ? null : readScriptHead(text, basename(path));
  const inScript = head?.slurm ?? null;
  const stint = head?.stint ?? [];
  if (inScript === null && stint.length === 0 && options === null) return null;
  const executor = over.executor ?? readFlags(stint).executor;
  const slurm =
    options !== null || inScript !== null
      ? fromSlurm([...(inScript ?? []), ...(options ?? [])], executor !== undefined)
      : null;
  const flags = readFlags([...(slurm?.flags ?? []), ...stint]);
  const callerDir: Record<string, string> = slurm === null ? {} : { SLURM_SUBMIT_DIR: context.callerDir };
  const env = { ...slurm?.env, ...callerDir, ...flags.env, ...over.env };
  return {
    command: head === null ? given : [...head.interpreter, path, ...args],
    flags: {
      name: text === null ? undefined : basename(path),
      ...flags,
      ...over,
      ...(executor === undefined || slurm === null
        ? {}
        : passedOn(executor, slurm.unused, { ...flags, ...over })),
      ...(Object.keys(env).length === 0 ? {} : { env }),
    } as SubmitFlags,
    notes: [
      ...(slurm?.notes ?? []),
      ...(slurm === null || executor !== undefined ? [] : missingTools(text ?? '')),
    ],
  };
}

/** What this machine has no use for goes to the Slurm that the job is for; what Stint says to it itself does not. */
function passedOn(
  executor: string,
  unused: readonly string[],
  flags: SubmitFlags,
): Pick<SubmitFlags, 'executor' | 'slurm'> {
  const partition = unused.findLast((option) => option.startsWith('--partition='))?.slice(12);
  const options = unused.filter(isPassedOn);
  return {
    executor: partition === undefined || executor.includes(':') ? executor : `${executor}:${partition}`,
    slurm: [...options, ...(flags.slurm ?? [])],
  };
}

/** The beginning of a file, or null where there is none to read. */
function headOf(path: string): string | null {
  try {
    if (!statSync(path).isFile()) return null;
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(MOST_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, MOST_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    // No such file, or not ours to read: then it is a command like any other.
    return null;
  }
}

/** Reads flags of `stint submit`, first line by line, so that an error has its place. */
function readFlags(
  lines: readonly { readonly words: readonly string[]; readonly where: string }[],
): SubmitFlags {
  for (const { words, where } of lines) {
    try {
      parse(words);
    } catch (error) {
      if (!(error instanceof FieldError) || where === '') throw error;
      throw new FieldError(placed(error.field, where), error.value, error.remedy);
    }
  }
  return parse(lines.flatMap(({ words }) => words));
}

function parse(words: readonly string[]): SubmitFlags {
  const command = submitOptions(new Command())
    .option('--dry-run')
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .exitOverride((error) => {
      throw new FieldError(
        '#STINT',
        words.join(' '),
        error.message.replace(/^error:\s*/, '').replaceAll('\n', ' '),
      );
    })
    .allowExcessArguments(false);
  command.parse([...words], { from: 'user' });
  return command.opts<SubmitFlags>();
}
