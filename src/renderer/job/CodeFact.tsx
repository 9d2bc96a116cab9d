import { useEffect, useState } from 'react';
import type { CodeRecord } from '../../domain/codeRecord.ts';
import { lateness } from '../../domain/codeText.ts';
import type { Job } from '../../domain/job.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { useStint } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { visibleText } from '../text/visibleText.ts';
import { Fact } from './Fact.tsx';
import classes from './JobPage.module.css';

interface Code {
  readonly record: CodeRecord;
  readonly diff: string;
}

/** What a job's code was when it was submitted, with how it differed from the commit; nothing where that is not recorded. */
export function CodeFact({ job: { id: jobId, submittedAtMs } }: { job: Job }) {
  const live = useStint((state) => state.phase === 'live');
  const [code, setCode] = useState<Code | null>(null);
  useEffect(() => {
    if (!live) return;
    const controller = new AbortController();
    client()
      .jobs.code({ id: jobId, diff: true }, { signal: controller.signal })
      .then(
        ({ record, diff }) => setCode(record === null ? null : { record, diff: diff ?? '' }),
        // A lost connection is told above, and it is read again after it; the job itself says if it is not there.
        () => undefined,
      );
    return () => controller.abort();
  }, [jobId, live]);
  if (code === null) return null;
  const { record, diff } = code;
  const late = lateness(record, submittedAtMs);
  return (
    <Fact name={t('Code')}>
      {record.trouble === null ? (
        <>
          <code className="mono" title={record.commit ?? undefined}>
            {record.commit === null ? t('no commit yet') : record.commit.slice(0, 10)}
          </code>
          {record.branch !== null && ` ${visibleText(record.branch)}`}
          {record.changed === 0 && <span className="dim"> {t('unchanged')}</span>}
          {record.untrackedCount > 0 && (
            <span className="dim" title={visibleText(record.untracked.slice(0, 20).join(', '))}>
              {' '}
              {t('untracked files:')} {record.untrackedCount}
            </span>
          )}
          {late !== null && (
            <span className="dim">
              {' '}
              {t('as it was {{a}} after the submission', { a: formatDuration(late) })}
            </span>
          )}
          {record.changed > 0 && (
            <details>
              <summary>
                {t('files changed:')} {record.changed}
              </summary>
              <pre className={`${classes.diff} mono`}>
                {diff
                  .split('\n')
                  .map((line) => visibleText(line, '\t'))
                  .join('\n')}
              </pre>
              {record.diffCut && <p className="dim">{t('The rest of the diff was too long to be kept.')}</p>}
            </details>
          )}
        </>
      ) : (
        <span className="dim">{visibleText(record.trouble)}</span>
      )}
    </Fact>
  );
}
