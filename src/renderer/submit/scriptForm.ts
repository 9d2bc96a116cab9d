import { FieldError } from '../../domain/errors.ts';
import { quoted } from '../../domain/quoted.ts';
import { slurmDependencies } from '../../domain/readDependencies.ts';
import { fromSlurm } from '../../domain/slurm/fromSlurm.ts';
import { missingTools, readScriptHead } from '../../domain/slurm/scriptHead.ts';
import type { Dependency } from '../../domain/terms.ts';
import { t } from '../i18n/t.ts';
import { readOptions, type Said } from './commandLine.ts';
import type { JobForm } from './jobForm.ts';

/** A file that somebody dropped on the console or chose. */
export interface ScriptFile {
  readonly name: string;
  /** Its beginning. */
  readonly text: string;
  /** Where it lies; null: the browser does not say. */
  readonly path: string | null;
}

/** The form that a script makes, with what its head asks for and has no meaning here; or what is wrong with it. */
export type ScriptForm =
  | { readonly form: JobForm; readonly notes: readonly string[] }
  | { readonly problem: string };

/**
 * Fills the form with a script and what its `#SBATCH` and `#STINT` lines ask for.
 * @param blank what the script does not say.
 */
export function formOfScript(script: ScriptFile, blank: JobForm): ScriptForm {
  const { name, text, path } = script;
  if (text.includes('\0')) return { problem: t('{{name}} is no text: choose a script', { name }) };
  try {
    const head = readScriptHead(text, name);
    const slurm = head.slurm === null ? null : fromSlurm(head.slurm);
    const cwd = path === null ? blank.cwd : directoryOf(path);
    const notes = [...(slurm?.notes ?? []), ...(slurm === null ? [] : missingTools(text))];
    const said: Said = { name };
    const elsewhere = (flag: string, value: string): boolean => {
      if (flag === '--dependency') return depend(said, slurmDependencies(value));
      if (flag === '--export') return exportTo(said, value, notes);
      notes.push(t('{{flag}} works on the command line only; it is left out', { flag }));
      return true;
    };
    for (const { words, where } of [...(slurm?.flags ?? []), ...head.stint]) {
      const read = readOptions(words, said, blank, elsewhere);
      const wrong =
        'problem' in read
          ? read.problem
          : read.rest.length > 0
            ? t('{{word}} is no option', { word: read.rest[0] })
            : null;
      if (wrong !== null) return { problem: where === '' ? wrong : `${where}: ${wrong}` };
    }
    const env = Object.entries({ ...slurm?.env, ...(slurm === null ? {} : { SLURM_SUBMIT_DIR: cwd }) });
    const lines = [...env.map(([key, value]) => `${key}=${value}`), ...(said.env ? [said.env] : [])];
    if (path === null) {
      notes.unshift(
        t('A browser does not say where a file lies. {{name}} is looked for in the working directory', {
          name,
        }),
      );
    }
    return {
      form: {
        ...blank,
        ...said,
        cwd: typeof said.cwd === 'string' ? joined(cwd, said.cwd) : cwd,
        env: lines.join('\n'),
        command: [...runs(text, name, head.interpreter), path ?? name].map(quoted).join(' '),
      } as JobForm,
      notes,
    };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    return { problem: error.message };
  }
}

/** Python files seldom say what runs them. */
const runs = (text: string, name: string, interpreter: readonly string[]): readonly string[] =>
  name.endsWith('.py') && !text.startsWith('#!') ? ['python'] : interpreter;

const directoryOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
const joined = (base: string, path: string): string =>
  path.startsWith('/') ? path : `${base.replace(/\/$/, '')}/${path}`;

const FIELDS = { ok: 'afterOk', any: 'afterAny', 'not-ok': 'afterNotOk' } as const;

function depend(said: Said, on: readonly Dependency[]): true {
  for (const { jobId, on: how } of on) {
    const field = FIELDS[how];
    said[field] = said[field] === undefined ? String(jobId) : `${said[field]}, ${jobId}`;
  }
  return true;
}

/** A console has no shell whose variables could go with the job. */
function exportTo(said: Said, list: string, notes: string[]): true {
  const items = list.split(',').map((item) => item.trim());
  for (const item of items.filter((one) => one.includes('='))) {
    said.env = said.env === undefined ? item : `${said.env}\n${item}`;
  }
  const names = items.filter((item) => item !== '' && item !== 'NONE' && !item.includes('='));
  if (names.length > 0) {
    notes.push(
      t('--export={{names}}: there is no shell here to take them from; give them under Environment', {
        names: names.join(','),
      }),
    );
  }
  return true;
}
