import { gpuNeedSentence } from '../../domain/gpuNeed.ts';
import { jobSpecSchema } from '../../domain/job.ts';
import { filledJob, unusedParameters } from '../../domain/placeholders.ts';
import { quoted } from '../../domain/quoted.ts';
import { t } from '../i18n/t.ts';
import { formatCount } from '../text/formatCount.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatExact } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import type { JobRequest } from './jobRequest.ts';
import classes from './SubmitDialog.module.css';

/** Jobs of a sweep that are shown one by one. */
const SHOWN = 12;

/** What would be queued, in words, and of a sweep its jobs. */
export function SubmitPreview({ request }: { request: JobRequest }) {
  const { spec, sweep } = request;
  if (spec === null || spec.command.length === 0) {
    return (
      <p className="dim">
        {request.problems?.command === undefined || Object.keys(request.problems).length > 1
          ? t('What would be queued appears here once every field can be read.')
          : t('Give a command, and what would be queued appears here.')}
      </p>
    );
  }
  const job = jobSpecSchema.parse(spec);
  const facts = [
    gpuNeedSentence(job),
    ...(job.hold ? [t('held until released')] : []),
    ...(job.beginAtMs === null
      ? []
      : [t('not before {{beginAtMs}}', { beginAtMs: formatExact(job.beginAtMs) })]),
    ...(job.deadlineAtMs === null
      ? []
      : [t('to end by {{deadlineAtMs}}', { deadlineAtMs: formatExact(job.deadlineAtMs) })]),
    ...(job.timeLimitS === null
      ? []
      : [t('ended after {{a}}', { a: formatDuration(job.timeLimitS * 1000) })]),
    ...(job.after.length === 0
      ? []
      : [
          t('after {{length}} other{{a}}', {
            length: job.after.length,
            a: job.after.length === 1 ? '' : 's',
          }),
        ]),
    ...(job.retries === 0 ? [] : [t('tried again up to {{retries}} times', { retries: job.retries })]),
    ...(job.restartable ? [t('may be stopped and go on')] : []),
  ];
  if (sweep === null) {
    return (
      <p>
        <b>{t('1 job')}</b>: {facts.join('; ')}.
      </p>
    );
  }
  const { points, atMost } = sweep;
  const names = Object.keys(points[0]?.values ?? {});
  const unused = unusedParameters(spec, names);
  return (
    <>
      <p>
        <b>
          {formatCount(points.length)} {t('job')}
          {points.length === 1 ? '' : 's'}
        </b>
        {atMost !== null && t(', {{atMost}} at once', { atMost })}
        {t(', each:')} {facts.join('; ')}.
      </p>
      {unused.length > 0 && (
        <p className="dim">
          {unused.map((name) => `{${name}}`).join(', ')}{' '}
          {t(
            'occurs nowhere in the command, the name or the environment: jobs find it in STINT_PARAMS only.',
          )}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <section className={classes.points} tabIndex={0} aria-label={t('Jobs that would be queued')}>
        <table>
          <tbody>
            {points.slice(0, SHOWN).map(({ index, values }) => {
              const one = filledJob(spec, { ...values, index: String(index) });
              return (
                <tr key={index}>
                  <td className="dim">{index}</td>
                  <td className="mono">
                    {one.name !== null && <b>{visibleText(one.name)} </b>}
                    {visibleText(one.command.map(quoted).join(' '))}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {points.length > SHOWN && (
        <p className="dim">
          {t('and')} {points.length - SHOWN} {t('more')}
        </p>
      )}
    </>
  );
}
