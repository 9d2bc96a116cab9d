import { Button, Group } from '@mantine/core';
import type { DiagnosisCode } from '../../domain/diagnosis.ts';
import { t } from '../i18n/t.ts';
import { act, isPossible, retryWith } from '../jobActions.ts';
import { useMachine } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';

/** Another attempt of a job that is over: the same, or with more time where it had too little. */
export function OtherRemedies({ jobId, code }: { jobId: number; code: DiagnosisCode }) {
  const job = useMachine((machine) => machine.jobs.get(jobId));
  if (job === undefined || !isPossible('retry', job)) return null;
  const longerS = code === 'timed-out' && job.timeLimitS !== null ? 2 * job.timeLimitS : null;
  return (
    <Group gap={8}>
      {longerS !== null && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => void retryWith(jobId, { timeLimitS: longerS })}
        >
          {t('Retry with twice the time ({{time}})', { time: formatDuration(longerS * 1000) })}
        </Button>
      )}
      <Button size="compact-xs" variant="default" onClick={() => act('retry', [job])}>
        {t('Retry')}
      </Button>
    </Group>
  );
}
