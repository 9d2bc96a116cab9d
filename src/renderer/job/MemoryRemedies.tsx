import { Button, Group, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { FieldError } from '../../domain/errors.ts';
import { formatMib, parseMemoryMib } from '../../domain/units.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { retryWith } from '../jobActions.ts';
import { useMachine } from '../store/store.ts';

/**
 * What can be done with a job that ran out of GPU memory, once it is over: again alone, or with more memory.
 * @param withField true: also with an amount of one's own.
 */
export function MemoryRemedies({ jobId, withField = false }: { jobId: number; withField?: boolean }) {
  const over = useMachine((machine) => (machine.jobs.get(jobId)?.finishedAtMs ?? null) !== null);
  const [suggestedMib, setSuggestedMib] = useState<number | null>(null);
  useEffect(() => {
    let left = false;
    client()
      .jobs.memory({ id: jobId })
      .then(
        (memory) => {
          if (!left) setSuggestedMib(memory.suggestedMib);
        },
        // Without an answer there is one button less.
        () => undefined,
      );
    return () => {
      left = true;
    };
  }, [jobId]);
  if (!over) return null;
  return (
    <Group gap={8}>
      <Button size="compact-xs" variant="default" onClick={() => void retryWith(jobId, { alone: true })}>
        {t('Retry alone on its GPU')}
      </Button>
      {suggestedMib !== null && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => void retryWith(jobId, { vramMib: suggestedMib })}
        >
          {t('Retry with')} {formatMib(suggestedMib)}
        </Button>
      )}
      {withField && <OtherAmount jobId={jobId} />}
    </Group>
  );
}

function OtherAmount({ jobId }: { jobId: number }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const retry = (event: FormEvent): void => {
    event.preventDefault();
    try {
      void retryWith(jobId, { vramMib: parseMemoryMib(text, 'vram') });
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      setProblem(error.remedy);
    }
  };
  return (
    <form onSubmit={retry} noValidate style={{ display: 'flex', gap: 8, alignItems: 'flex-start' }}>
      <TextInput
        size="xs"
        w={104}
        aria-label={t('Memory per GPU for another attempt')}
        placeholder="14GiB"
        value={text}
        error={problem}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          setProblem(null);
        }}
      />
      <Button size="compact-sm" variant="default" type="submit">
        {t('Retry with so much')}
      </Button>
    </form>
  );
}
