import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { FieldError } from '../../domain/errors.ts';
import type { JobSpec } from '../../domain/job.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Activated = Pick<JobSpec, 'venv' | 'conda'>;

/** Where installers of conda put it, below the home directory and elsewhere. */
const ROOTS = ['miniconda3', 'miniforge3', 'mambaforge', 'anaconda3', 'micromamba', '.conda'];
const SYSTEM_ROOTS = ['/opt/conda', '/opt/miniconda3', '/opt/miniforge3', '/opt/anaconda3'];

/**
 * What activating its Python environment sets for a job, as `bin/activate` and `conda activate` do it. Scripts of
 * packages in etc/conda/activate.d are run by the supervisor.
 * @param env what it is set upon: the environment that is entered comes first on its PATH.
 */
export function activation({ venv, conda }: Activated, env: Env): Record<string, string> {
  const prefix = venv ?? conda;
  if (prefix === null) return {};
  const path = `${join(prefix, 'bin')}:${env.PATH ?? '/usr/local/bin:/usr/bin:/bin'}`;
  if (venv !== null) return { VIRTUAL_ENV: venv, PATH: path };
  return { CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: basename(prefix), CONDA_SHLVL: '1', PATH: path };
}

/** The directory of its scripts that set what else it needs; empty: none. */
export const activationScripts = ({ conda }: Pick<JobSpec, 'conda'>): string =>
  conda === null ? '' : join(conda, 'etc/conda/activate.d');

/**
 * The submission with its conda environment by its directory, wherever it was given by its name: the same at each attempt.
 * @throws {FieldError} where there is none of that name.
 */
export function withPrefix<S extends Pick<JobSpec, 'conda'>>(spec: S, env: Env): S {
  const { conda } = spec;
  if (conda === null || conda.startsWith('/')) return spec;
  const looked = prefixesOf(conda, env);
  const found = looked.find(isDirectory);
  if (found !== undefined) return { ...spec, conda: found };
  throw new FieldError(
    'conda',
    conda,
    'there is no such environment: give its directory, or a name of `conda env list`',
  );
}

function prefixesOf(name: string, env: Env): string[] {
  const home = env.HOME ?? homedir();
  const roots = [
    env.MAMBA_ROOT_PREFIX,
    env.CONDA_EXE && join(env.CONDA_EXE, '../..'),
    ...ROOTS.map((root) => join(home, root)),
    ...SYSTEM_ROOTS,
  ].filter((root): root is string => Boolean(root));
  const folders = [
    ...(env.CONDA_ENVS_PATH ?? '').split(':').filter(Boolean),
    ...roots.map((root) => join(root, 'envs')),
  ];
  const named = folders.map((folder) => join(folder, name));
  if (name === 'base') return roots.filter((root) => isDirectory(join(root, 'conda-meta')));
  return [...named, ...registered(home).filter((prefix) => basename(prefix) === name)];
}

/** What conda itself has written down of environments. */
function registered(home: string): string[] {
  try {
    return readFileSync(join(home, '.conda/environments.txt'), 'utf8').split(/\r?\n/).filter(Boolean);
  } catch {
    // Most have none.
    return [];
  }
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // It is not there, or not for us.
    return false;
  }
}
