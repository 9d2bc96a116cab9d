import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { FieldError } from '../../domain/errors.ts';
import { t } from '../i18n/t.ts';

/** What a text stands for, or what to write instead. */
export type Read<T> = { readonly value: T } | { readonly remedy: string };

/** A reader of texts from a parser of the domain and a schema of the contract, so that both rules hold as typed. */
export const reader =
  <T,>(
    parse: (text: string) => unknown,
    schema: {
      safeParse(value: unknown): { success: boolean; data?: T; error?: { issues: { message: string }[] } };
    },
  ) =>
  (text: string): Read<T> => {
    try {
      const checked = schema.safeParse(parse(text.trim()));
      if (checked.success) return { value: checked.data as T };
      return { remedy: checked.error?.issues[0]?.message ?? t('that cannot be read') };
    } catch (error) {
      if (error instanceof FieldError) return { remedy: error.remedy };
      throw error;
    }
  };

/** A number; null where nothing is written. */
export const numberOrNull = (text: string): number | null => (text === '' ? null : Number(text));

/** A text that is checked as it is typed, and saved with Enter or when it is left. Escape takes back. */
export function ValueField<T>(props: {
  label: string;
  /** As it stands. */
  value: string;
  unit?: string;
  placeholder?: string;
  read(text: string): Read<T>;
  onSave(value: T): void;
}) {
  const { label, value, unit, placeholder, read, onSave } = props;
  const [draft, setDraft] = useState<string | null>(null);
  const checked = draft === null || draft === value ? null : read(draft);
  const problem = checked !== null && 'remedy' in checked ? checked.remedy : null;
  const save = (): void => {
    if (checked !== null && 'value' in checked) onSave(checked.value);
    // What cannot be read stays, with what is wrong about it.
    if (problem === null) setDraft(null);
  };
  return (
    <TextInput
      size="xs"
      aria-label={label}
      value={draft ?? value}
      placeholder={placeholder}
      error={problem}
      rightSection={unit === undefined ? undefined : <span className="dim">{unit}</span>}
      rightSectionWidth={unit === undefined ? undefined : 48}
      onChange={({ currentTarget }) => setDraft(currentTarget.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === 'Enter') save();
        if (event.key === 'Escape') setDraft(null);
      }}
    />
  );
}
