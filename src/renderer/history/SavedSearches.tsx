import { Button, CloseButton, TextInput } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { useState, useSyncExternalStore } from 'react';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './HistoryView.module.css';
import { forgetSearch, savedSearches, saveSearch } from './savedSearches.ts';

/** What most people look for, and what the reader has kept. */
const OFFERED = [
  { name: t('Failed since yesterday'), query: 'status=failed,timed-out,lost&from=yesterday' },
  { name: t('Out of memory'), query: 'cause=gpu-memory,host-memory' },
] as const;

/** Searches under a name, and the way to keep the present one. @param query what is looked for now; empty: nothing. */
export function SavedSearches({ query, onPick }: { query: string; onPick(query: string): void }) {
  const saved = useSyncExternalStore(savedSearches.subscribe, savedSearches.get);
  const [name, setName] = useState<string | null>(null);
  return (
    <div className={classes.saved}>
      {OFFERED.map((one) => (
        <Button key={one.query} size="compact-xs" variant="default" onClick={() => onPick(one.query)}>
          {one.name}
        </Button>
      ))}
      {saved.map((one) => (
        <span key={one.name} className={classes.kept}>
          <Button size="compact-xs" variant="default" onClick={() => onPick(one.query)}>
            {visibleText(one.name)}
          </Button>
          <CloseButton
            size="xs"
            aria-label={t('Forget {{name}}', { name: visibleText(one.name) })}
            onClick={() => forgetSearch(one.name)}
          />
        </span>
      ))}
      {name === null ? (
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<IconBookmark size={14} />}
          disabled={query === ''}
          onClick={() => setName('')}
        >
          {t('Keep this search')}
        </Button>
      ) : (
        <form
          className={classes.kept}
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') saveSearch({ name: name.trim(), query });
            setName(null);
          }}
        >
          <TextInput
            size="xs"
            autoFocus
            maxLength={60}
            aria-label={t('Name of this search')}
            placeholder={t('Name of this search')}
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
            onKeyDown={({ key }) => key === 'Escape' && setName(null)}
          />
          <Button size="compact-xs" variant="default" type="submit">
            {t('Keep')}
          </Button>
        </form>
      )}
    </div>
  );
}
