import { Button, Group } from '@mantine/core';
import { useEffect, useState } from 'react';
import { formatMib } from '../../domain/units.ts';
import { retryWith } from '../actions.ts';
import { client } from '../connection.ts';
import { useMachine } from '../store/store.ts';

/** What can be done with a job that ran out of GPU memory, once it is over: again alone, or with more memory. */
export function MemoryRemedies({ jobId }: { jobId: number }) {
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
        Retry alone on its GPU
      </Button>
      {suggestedMib !== null && (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => void retryWith(jobId, { vramMib: suggestedMib })}
        >
          Retry with {formatMib(suggestedMib)}
        </Button>
      )}
    </Group>
  );
}
