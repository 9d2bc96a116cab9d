import { Button } from '@mantine/core';
import type { JobView } from '../../contract/messages.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Diagnosis.module.css';
import type { Sought } from './LogTail.tsx';
import { MemoryRemedies } from './MemoryRemedies.tsx';
import { OtherRemedies } from './OtherRemedies.tsx';

/** What told why the job died, with the way to it in the log, and what to do. */
export function Diagnosis(props: {
  jobId: number;
  diagnosis: NonNullable<JobView['diagnosis']>;
  onShow(sought: Sought): void;
}) {
  const { jobId } = props;
  const { code, line, remedy } = props.diagnosis;
  return (
    <section className={classes.diagnosis} aria-label={t('Why it ended')}>
      {line !== null && (
        <div className={classes.telling}>
          <code className={`${classes.line} mono`}>{visibleText(line.text)}</code>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => props.onShow({ offset: line.offset, text: line.text })}
          >
            {line.number === null ? t('Show in the log') : t('Show line {{number}}', { number: line.number })}
          </Button>
        </div>
      )}
      <p className={classes.remedy}>{engineText(visibleText(remedy))}</p>
      {code === 'gpu-memory' ? <MemoryRemedies jobId={jobId} /> : <OtherRemedies jobId={jobId} code={code} />}
    </section>
  );
}
