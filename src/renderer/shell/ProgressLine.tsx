import type { JobView } from '../../contract/messages.ts';
import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './ProgressLine.module.css';

/** How far a job says it is: its own words, the share, and a bar in its project's colour. */
export function ProgressLine({ job }: { job: JobView }) {
  if (job.progress === null) return null;
  const percent = Math.floor(job.progress.fraction * 100);
  const label = visibleText(job.progress.label);
  return (
    <div
      className={classes.bar}
      role="progressbar"
      aria-label={t('Progress of #{{id}}', { id: job.id })}
      aria-valuenow={percent}
      aria-valuetext={`${percent} %, ${label}`}
    >
      <div
        className={classes.done}
        style={{ width: `${job.progress.fraction * 100}%`, background: projectColour(job.project) }}
      />
    </div>
  );
}
