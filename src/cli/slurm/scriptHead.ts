import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { splitCommand } from '../../domain/splitCommand.ts';
import type { Context } from '../context.ts';
import { type SubmitFlags, submitOptions } from '../submitOptions.ts';
import { fromSlurm } from './fromSlurm.ts';
import { placed, readSlurmOptions, type SlurmOption } from './slurmOptions.ts';

/** A script that says what it needs. */
export interface Script {
  readonly command: readonly string[];
  /** What its head asks for, with what was given beside it laid over. */
  readonly flags: SubmitFlags;
  readonly notes: readonly string[];
}

/** A head is within this. */
const MOST_BYTES = 256 * 1024;
const HEADER = /^#(SBATCH|STINT)\b(.*)$/;

interface HeaderLine {
  readonly kind: string;
  readonly words: readonly string[];
  readonly where: string;
}

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
  const lines = text === null ? [] : headerLines(text, basename(path));
  if (lines.length === 0 && options === null) return null;
  const inScript = lines.flatMap(({ kind, words, where }) =>
    kind === 'SBATCH' ? [slurmLine(words, where)] : [],
  );
  const slurm =
    options !== null || inScript.length > 0 ? fromSlurm([...inScript.flat(), ...(options ?? [])]) : null;
  const stint = lines.filter(({ kind }) => kind === 'STINT');
  const flags = readFlags([...(slurm?.flags ?? []), ...stint]);
  const callerDir: Record<string, string> = slurm === null ? {} : { SLURM_SUBMIT_DIR: context.callerDir };
  const env = { ...slurm?.env, ...callerDir, ...flags.env, ...over.env };
  return {
    command: text === null ? given : [...interpreter(text), path, ...args],
    flags: {
      name: text === null ? undefined : basename(path),
      ...flags,
      ...over,
      ...(Object.keys(env).length === 0 ? {} : { env }),
    } as SubmitFlags,
    notes: [...(slurm?.notes ?? []), ...missingTools(text ?? '', slurm !== null)],
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

/** The headers before the first line that is neither empty nor a comment. */
function headerLines(text: string, file: string): HeaderLine[] {
  const found: HeaderLine[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) break;
    const match = HEADER.exec(line);
    if (match === null) continue;
    const where = `${file}, line ${at + 1}`;
    const split = splitCommand(withoutComment(match[2]!));
    if ('problem' in split) throw new FieldError(placed(`#${match[1]}`, where), line, split.problem);
    found.push({ kind: match[1]!, words: split.argv, where });
  }
  return found;
}

/** What stands before a `#` that begins a word outside of quotes. */
const withoutComment = (text: string): string =>
  /^(?:[^\s"'\\#]#*|\s+(?!#)|\\.|"(?:\\.|[^"\\])*"?|'[^']*'?)*/.exec(text)![0];

function slurmLine(words: readonly string[], where: string): SlurmOption[] {
  const { options, rest } = readSlurmOptions(words, where);
  if (rest.length > 0) throw new FieldError(placed('#SBATCH', where), rest[0], 'give options only');
  return options;
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

/** As the kernel reads a first line: a program, and the rest as one argument. */
function interpreter(text: string): string[] {
  const match = /^#!\s*(\S+)(?:[ \t]+(.*?))?\s*(?:\n|$)/.exec(text);
  if (match === null) return ['/bin/sh'];
  return match[2] ? [match[1]!, match[2]] : [match[1]!];
}

/** A script of a cluster may call what only clusters have. */
function missingTools(text: string, fromCluster: boolean): string[] {
  if (!fromCluster) return [];
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^\s*(?:exec\s+)?(srun|mpirun_rsh|sbcast|scontrol)\b/.test(line));
  if (at < 0) return [];
  const tool = /(srun|mpirun_rsh|sbcast|scontrol)/.exec(lines[at]!)![1]!;
  return [`line ${at + 1} calls ${tool}, which comes with Slurm: leave it out where Slurm is not installed`];
}
