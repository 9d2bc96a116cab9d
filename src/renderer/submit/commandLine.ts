import { quoted } from '../../domain/quoted.ts';
import { splitCommand } from '../../domain/splitCommand.ts';
import { t } from '../i18n/t.ts';
import { FLAGS, type JobForm } from './jobForm.ts';

/** The `stint submit` that does the same as the form. @param blank what needs no saying. */
export function lineOf(form: JobForm, blank: JobForm): string {
  const words = ['stint submit'];
  for (const [field, flag, many] of FLAGS) {
    const value = form[field];
    // A shell may stand anywhere: the directory is always said.
    if (value === blank[field] && field !== 'cwd') continue;
    if (typeof value === 'boolean') {
      if (value) words.push(flag);
      continue;
    }
    const values = many ? value.split(/\r?\n/).filter((line) => line.trim() !== '') : [value.trim()];
    for (const one of values) if (one !== '') words.push(flag, quoted(one));
  }
  // What was shown is what a shell makes.
  if (form.samples.trim() !== '' && form.seed.trim() === '') words.push('--seed', '0');
  const split = splitCommand(form.command);
  const command = 'problem' in split ? form.command.trim() : split.argv.map(quoted).join(' ');
  return `${words.join(' ')} -- ${command}`;
}

/** What a line says, or what keeps it from saying it. */
export type ReadLine = { readonly form: JobForm } | { readonly problem: string };

const BY_FLAG = new Map(FLAGS.map((entry) => [entry[1], entry] as const)).set('--after-ok', [
  'afterOk',
  '--after-ok',
]);
/** Options of the command line that ask for something else than a job. */
const ELSEWHERE = new Set([
  '--json',
  '--dry-run',
  '--data',
  '--sweep-file',
  '--export',
  '--env-file',
  '--dependency',
  '--no-headers',
  '--no-preflight',
]);
const TAKES_NONE = new Set(['--json', '--dry-run', '--no-headers', '--no-preflight']);

/** Reads `stint submit OPTIONS -- COMMAND`, with or without the first two words. What it does not say is as in `blank`. */
export function formOfLine(line: string, blank: JobForm): ReadLine {
  const split = splitCommand(line);
  if ('problem' in split) return split;
  const words = [...split.argv];
  if (words[0] === 'stint') words.shift();
  if (words[0] === 'submit' || words[0] === 'add') words.shift();
  const said: Said = {};
  const read = readOptions(words, said, blank);
  if ('problem' in read) return read;
  return { form: { ...blank, ...said, command: read.rest.map(quoted).join(' ') } as JobForm };
}

/** Fields that options have filled so far. */
export type Said = Partial<Record<keyof JobForm, string | boolean>>;

/** Takes an option of the command line that has no field here; false: it is a problem. */
type Elsewhere = (flag: string, value: string) => boolean;

/**
 * Lays options over `said`, up to the first word that is none.
 * @param elsewhere takes options that have no field, and says whether it did.
 */
export function readOptions(
  words: readonly string[],
  said: Said,
  blank: JobForm,
  elsewhere: Elsewhere = () => false,
): { readonly rest: readonly string[] } | { readonly problem: string } {
  const left = [...words];
  while (left.length > 0) {
    const word = left.shift()!;
    if (word === '--') break;
    if (!word.startsWith('--')) {
      left.unshift(word);
      break;
    }
    const [flag, attached] = /^(--[a-z-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word];
    const known = BY_FLAG.get(flag!);
    if (known === undefined) {
      const argument = attached ?? left[0] ?? '';
      const takes = TAKES_NONE.has(flag!) ? '' : argument;
      if (ELSEWHERE.has(flag!) && elsewhere(flag!, takes)) {
        if (attached === undefined && !TAKES_NONE.has(flag!)) left.shift();
        continue;
      }
      return {
        problem: ELSEWHERE.has(flag!)
          ? t('{{flag}} works on the command line only; leave it out here', { flag })
          : t('{{flag}} is no option of stint submit', { flag }),
      };
    }
    const [field, , many] = known;
    if (typeof blank[field] === 'boolean') {
      said[field] = true;
      continue;
    }
    const value = attached ?? left.shift();
    if (value === undefined || value === '--') return { problem: t('give {{flag}} a value', { flag }) };
    const before = said[field];
    said[field] = many && before !== undefined ? `${before}${many === 'list' ? ', ' : '\n'}${value}` : value;
  }
  return { rest: left };
}
