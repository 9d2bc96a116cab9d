import { ActionIcon, CopyButton, Textarea } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { t } from '../i18n/t.ts';
import { formOfLine, lineOf } from './commandLine.ts';
import type { JobForm } from './jobForm.ts';

/** The form as a command. What is typed here fills the form, as far as it can be read. */
export function CommandBox(props: { form: JobForm; blank: JobForm; onForm(form: JobForm): void }) {
  const { form, blank, onForm } = props;
  /** What a person types, for as long as they are at it, or it cannot be read. */
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const line = lineOf(form, blank);
  return (
    <Textarea
      label={t('The same in a shell')}
      description={t('Type or paste here as well: the fields follow')}
      value={draft ?? line}
      error={problem}
      autosize
      minRows={3}
      maxRows={10}
      spellCheck={false}
      classNames={{ input: 'mono' }}
      onChange={({ currentTarget }) => {
        setDraft(currentTarget.value);
        const read = formOfLine(currentTarget.value, blank);
        setProblem('problem' in read ? read.problem : null);
        if ('form' in read) onForm(read.form);
      }}
      onBlur={() => {
        if (problem === null) setDraft(null);
      }}
      rightSection={
        <CopyButton value={line}>
          {({ copied, copy }) => (
            <ActionIcon variant="subtle" onClick={copy} aria-label={t('Copy it')} title={t('Copy it')}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          )}
        </CopyButton>
      }
      rightSectionProps={{ style: { alignItems: 'flex-start', paddingTop: 4 } }}
    />
  );
}
