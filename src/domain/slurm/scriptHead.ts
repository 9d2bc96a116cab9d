import { FieldError } from '../errors.ts';
import { splitCommand } from '../splitCommand.ts';
import { placed, readSlurmOptions, type SlurmOption } from './slurmOptions.ts';

/** What a script says at its beginning of what it needs. */
export interface ScriptHead {
  /** Options after `#SBATCH`, in order; null: it has no such line. */
  readonly slurm: readonly SlurmOption[] | null;
  /** The words of each `#STINT` line, and its place. */
  readonly stint: readonly { readonly words: readonly string[]; readonly where: string }[];
  /** What runs it: a program and what else its first line says. */
  readonly interpreter: readonly string[];
}

const HEADER = /^#(SBATCH|STINT)\b(.*)$/;

/**
 * Reads what stands before the first line that is neither empty nor a comment.
 * @param file its name, for errors.
 * @throws {FieldError} naming option, file and line.
 */
export function readScriptHead(text: string, file: string): ScriptHead {
  const slurm: SlurmOption[][] = [];
  const stint: { words: readonly string[]; where: string }[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) break;
    const match = HEADER.exec(line);
    if (match === null) continue;
    const where = `${file}, line ${at + 1}`;
    const split = splitCommand(withoutComment(match[2]!));
    if ('problem' in split) throw new FieldError(placed(`#${match[1]}`, where), line, split.problem);
    if (match[1] === 'STINT') stint.push({ words: split.argv, where });
    else slurm.push(slurmLine(split.argv, where));
  }
  return { slurm: slurm.length === 0 ? null : slurm.flat(), stint, interpreter: interpreter(text) };
}

/** What stands before a `#` that begins a word outside of quotes. */
const withoutComment = (text: string): string =>
  /^(?:[^\s"'\\#]#*|\s+(?!#)|\\.|"(?:\\.|[^"\\])*"?|'[^']*'?)*/.exec(text)![0];

function slurmLine(words: readonly string[], where: string): SlurmOption[] {
  const { options, rest } = readSlurmOptions(words, where);
  if (rest.length > 0) throw new FieldError(placed('#SBATCH', where), rest[0], 'give options only');
  return options;
}

/** As the kernel reads a first line: a program, and the rest as one argument. */
function interpreter(text: string): string[] {
  const match = /^#!\s*(\S+)(?:[ \t]+(.*?))?\s*(?:\n|$)/.exec(text);
  if (match === null) return ['/bin/sh'];
  return match[2] ? [match[1]!, match[2]] : [match[1]!];
}

/** A script of a cluster may call what only clusters have. @returns a sentence, or none. */
export function missingTools(text: string): string[] {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^\s*(?:exec\s+)?(srun|mpirun_rsh|sbcast|scontrol)\b/.test(line));
  if (at < 0) return [];
  const tool = /(srun|mpirun_rsh|sbcast|scontrol)/.exec(lines[at]!)![1]!;
  return [`line ${at + 1} calls ${tool}, which comes with Slurm: leave it out where Slurm is not installed`];
}
