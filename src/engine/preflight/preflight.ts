import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { FieldError } from '../../domain/errors.ts';
import type { JobSpec } from '../../domain/job.ts';
import type { Obstacle } from '../../domain/obstacle.ts';
import { activation, isDirectory, withPrefix } from '../jobs/activation.ts';
import { resourcePath } from '../packageRoot.ts';
import { pythonScript } from './pythonScript.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** An interpreter on a network disk may be slow; who submits does not wait for longer. */
const PATIENCE_MS = 20_000;
const MOST_OUTPUT_BYTES = 64 * 1024;
const PYTHON = /^(.*\/)?python[0-9.]*$/;
const SHELL = /^(.*\/)?(ba|da|z|k)?sh$/;

/**
 * What would keep a job from running, as far as it can be told now: its directory, its Python environment, its command, the
 * script that Python is to run, and the modules that this imports, asked of that very interpreter. Nothing of the job is run.
 * Where something cannot be told, nothing is said.
 */
export async function preflight(given: JobSpec, engineEnv: Env): Promise<Obstacle[]> {
  // Whatever is to happen before it may mend it.
  const certain = given.after.length === 0 && given.preCommand === null;
  const found = (field: string, problem: string, remedy: string): Obstacle[] => [
    { field, problem, remedy, certain },
  ];
  let spec: JobSpec;
  try {
    spec = withPrefix(given, engineEnv);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    return found('conda', `there is no conda environment ${given.conda}`, error.remedy);
  }
  const { cwd, venv, conda, command } = spec;
  if (!isDirectory(cwd)) return found('cwd', `the directory ${cwd} is not there`, 'make it, or give another');
  const entered = venv ?? conda;
  if (entered !== null && !isRunnable(join(entered, 'bin/python'))) {
    const remedy = 'give the directory of an environment that has it';
    return found(venv === null ? 'conda' : 'venv', `${entered} has no bin/python`, remedy);
  }
  const env = { ...engineEnv, ...spec.env };
  const seen = { ...env, ...activation(spec, env) };
  const program = programOf(command[0]!, cwd, seen.PATH ?? '');
  if (program === null) {
    return found('command', `there is no program ${command[0]}`, 'give its full path, or set PATH');
  }
  const script = PYTHON.test(command[0]!) ? pythonScript(command.slice(1)) : null;
  const file = script !== null && 'file' in script ? script.file : shellScript(command);
  if (file !== null && !isThere(resolve(cwd, file))) {
    return found('command', `the script ${file} is not there`, `it is looked for from ${cwd}`);
  }
  if (script === null) return [];
  const about = 'file' in script ? ['file', resolve(cwd, script.file)] : ['module', script.module];
  const answer = await ask(program, about, cwd, seen);
  if (answer?.syntax !== undefined) {
    return found('command', `the script does not parse: ${answer.syntax}`, 'mend it');
  }
  const missing = answer?.missing ?? [];
  if (missing.length === 0) return [];
  const what = missing.length === 1 ? `the module ${missing[0]}` : `the modules ${missing.join(', ')}`;
  const remedy = 'install it there, or say which environment: --venv or --conda';
  return found('command', `${program} has not got ${what}`, remedy);
}

/** The file that a shell is to read; null: none, or that cannot be told. */
function shellScript([program = '', ...args]: readonly string[]): string | null {
  if (!SHELL.test(program)) return null;
  const first = args.find((argument) => !/^-[efhlnuvx]+$/.test(argument));
  return first === undefined || first.startsWith('-') || first.startsWith('+') ? null : first;
}

interface Answer {
  readonly missing?: readonly string[];
  readonly syntax?: string;
}

/** null: it could not be told, be it that it took too long. */
function ask(program: string, about: readonly string[], cwd: string, env: Env): Promise<Answer | null> {
  const options = {
    cwd,
    env: { ...env, PYTHONDONTWRITEBYTECODE: '1' } as NodeJS.ProcessEnv,
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT_BYTES,
  } as const;
  return new Promise((done) => {
    execFile(program, [resourcePath('preflight.py'), ...about], options, (error, stdout) => {
      done(error === null ? answerOf(stdout) : null);
    });
  });
}

/** Something that starts with the interpreter may write as well: then nothing can be told. */
function answerOf(stdout: string): Answer | null {
  const line = stdout.trim();
  return /^\{"(missing|syntax)": .*\}$/.test(line) ? (JSON.parse(line) as Answer) : null;
}

function programOf(name: string, cwd: string, path: string): string | null {
  const places = name.includes('/') ? [''] : path.split(delimiter).map((folder) => folder || '.');
  return places.map((folder) => resolve(cwd, folder, name)).find(isRunnable) ?? null;
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // It may be there, and not for us to see.
    return true;
  }
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // It is not there, or not for us.
    return false;
  }
}
