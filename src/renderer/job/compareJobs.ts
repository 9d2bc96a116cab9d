import type { JobView } from '../../contract/messages.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import type { MetricSeries } from '../../domain/metrics.ts';
import { quoted } from '../../domain/quoted.ts';
import { runSeconds } from '../../domain/runSeconds.ts';
import { t } from '../i18n/t.ts';
import type { Lines } from '../plot/LineChart.tsx';
import { formatDuration } from '../text/formatDuration.ts';
import { statusWord } from '../text/statusWord.ts';

/** So many figures are laid over each other. */
const MOST_CHARTS = 6;

/** The figures that more than one of the jobs tells of, each in one chart with a line a job; losses first. */
export function overlaid(
  all: readonly { readonly id: number; readonly series: readonly MetricSeries[] }[],
): Lines[] {
  const byName = Map.groupBy(
    all.flatMap(({ id, series }) => series.map((one) => ({ id, ...one }))),
    ({ unit, name }) => `${unit} ${name}`,
  );
  return [...byName.values()]
    .filter((those) => those.length > 1)
    .map((those) => {
      const at = [...new Set(those.flatMap((one) => one.at))].sort((a, b) => a - b);
      const lines = those.map(({ id, at: places, values }) => {
        const known = new Map(places.map((place, index) => [place, values[index]]));
        return { name: `#${id} ${those[0]!.name}`, values: at.map((place) => known.get(place)) };
      });
      return { name: those[0]!.name, unit: those[0]!.unit, at, lines };
    })
    .sort((a, b) => Number(b.name.includes('loss')) - Number(a.name.includes('loss')))
    .slice(0, MOST_CHARTS);
}

/** What is told of a job beside others. */
const FACTS: readonly (readonly [name: string, of: (job: JobView, nowMs: number) => string])[] = [
  [t('Status'), (job) => statusWord(job.status)],
  [t('Why'), (job) => job.diagnosis?.summary ?? job.cause ?? ''],
  [t('Ran'), (job, nowMs) => (job.startedAtMs === null ? '' : formatDuration(runSeconds(job, nowMs) * 1000))],
  [t('Name'), (job) => job.name],
  [t('Command'), (job) => job.command.map(quoted).join(' ')],
  [t('Directory'), (job) => job.cwd],
  [
    t('Environment'),
    (job) =>
      Object.entries(job.env)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
  ],
  [t('GPUs'), (job) => gpuNeedText(job)],
  [t('Memory per GPU'), (job) => (job.vramMib === null ? '' : `${job.vramMib} MiB`)],
  [t('Priority'), (job) => String(job.priority)],
  [t('Project'), (job) => job.project],
  [t('Tags'), (job) => job.tags.join(', ')],
  [t('User'), (job) => job.user],
  [t('Virtual environment'), (job) => job.venv ?? job.conda ?? ''],
  [t('Time limit'), (job) => (job.timeLimitS === null ? '' : formatDuration(job.timeLimitS * 1000))],
  [t('Retries'), (job) => String(job.retries)],
  [t('Attempt'), (job) => String(job.attempt)],
];

/** In what the jobs differ: a name, and what each of them has. */
export function differences(
  jobs: readonly JobView[],
  nowMs: number,
): { readonly name: string; readonly values: readonly string[] }[] {
  return FACTS.map(([name, of]) => ({ name, values: jobs.map((job) => of(job, nowMs)) })).filter(
    ({ values }) => new Set(values).size > 1,
  );
}
