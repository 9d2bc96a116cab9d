import type { JobView } from '../../contract/messages.ts';
import { t } from '../i18n/t.ts';
import { isPossible, type JobAction } from '../jobActions.ts';
import { matches } from '../queue/queueRows.ts';
import { statusWord } from '../text/statusWord.ts';
import { visibleText } from '../text/visibleText.ts';

/** One thing that can be done or gone to. */
export interface PaletteItem {
  readonly key: string;
  readonly label: string;
  /** Found by, beside the label. */
  readonly words?: string;
  readonly hint?: string;
  run(): void;
}

const VERBS: readonly (readonly [JobAction, string])[] = [
  ['pause', t('Pause')],
  ['resume', t('Resume')],
  ['hold', t('Hold back')],
  ['release', t('Release')],
  ['retry', t('Retry')],
  ['park', t('Pause and free the memory of')],
  ['preempt', t('Let others go before')],
  ['start', t('Start now')],
  ['cancel', t('Cancel')],
];
const MOST = 12;

export interface PaletteContext {
  readonly jobs: readonly JobView[];
  readonly commands: readonly PaletteItem[];
  act(action: JobAction, job: JobView): void;
  open(jobId: number): void;
}

/** What a query offers: commands whose words begin so, jobs that match, and after a verb what can be done to them. */
export function paletteItems(query: string, context: PaletteContext): readonly PaletteItem[] {
  const { jobs, commands, act, open } = context;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter(({ label, words: more = '' }) => {
    const own = `${label} ${more}`.toLowerCase().split(/[\s,:]+/);
    return words.every((word) => own.some((one) => one.startsWith(word)));
  });
  if (words.length === 0) return found;
  const rest = query.trim().split(/\s+/).slice(1).join(' ');
  const done = VERBS.filter(([, label]) => label.toLowerCase().split(' ')[0]!.startsWith(words[0]!)).flatMap(
    ([action, label]) =>
      jobs
        .filter((job) => isPossible(action, job) && matches(job, numbered(rest)))
        .slice(0, MOST)
        .map((job) => ({
          key: `${action} ${job.id}`,
          label: `${label} #${job.id} ${visibleText(job.name)}`,
          hint: statusWord(job.status),
          run: () => act(action, job),
        })),
  );
  const opened = jobs
    .filter((job) => matches(job, numbered(query)))
    .slice(0, MOST)
    .map((job) => ({
      key: `open ${job.id}`,
      label: `#${job.id} ${visibleText(job.name)}`,
      hint: `${statusWord(job.status)} · ${visibleText(job.project)}`,
      run: () => open(job.id),
    }));
  // A job that ended long ago is not among those that the console knows.
  const number = /^#?([1-9]\d{0,15})$/.exec(query.trim())?.[1];
  const other =
    number === undefined || jobs.some(({ id }) => id === Number(number))
      ? []
      : [
          {
            key: `open ${number}`,
            label: t('Job #{{number}}', { number }),
            hint: t('open'),
            run: () => open(Number(number)),
          },
        ];
  return [...found, ...done, ...opened, ...other].slice(0, 40);
}

/** A number means the job of that number. */
const numbered = (query: string): string =>
  query.trim().replace(/(^|\s)(\d+)(?=\s|$)/g, (_, before: string, number: string) => `${before}#${number}`);
