import { ActionIcon, TextInput } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconRegex } from '@tabler/icons-react';
import type { Ref } from 'react';
import { locale, t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './LogTail.module.css';
import type { LogSearch, Question } from './useLogSearch.ts';

/** Looks for something in the whole log, and goes from one line in which it occurs to the next. */
export function LogSearchBox(props: {
  ref: Ref<HTMLInputElement>;
  question: Question;
  search: LogSearch;
  at: number | null;
  onQuestion(question: Question): void;
  onStep(by: 1 | -1): void;
}) {
  const { ref, question, search, at, onQuestion, onStep } = props;
  const { length } = search.matches;
  const all = `${length.toLocaleString(locale)}${search.more ? '+' : ''}`;
  return (
    <div className={classes.search}>
      <TextInput
        ref={ref}
        size="xs"
        aria-label={t('Search the log')}
        placeholder={t('Search (/)')}
        value={question.pattern}
        error={search.trouble === null ? undefined : visibleText(search.trouble)}
        spellCheck={false}
        maxLength={1000}
        onChange={({ currentTarget }) => onQuestion({ ...question, pattern: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
          else if (event.key === 'Escape' && question.pattern !== '')
            onQuestion({ ...question, pattern: '' });
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <ActionIcon
        variant={question.regex ? 'filled' : 'subtle'}
        aria-pressed={question.regex}
        aria-label={t('As an expression, with its case')}
        title={t('As an expression, with its case')}
        onClick={() => onQuestion({ ...question, regex: !question.regex })}
      >
        <IconRegex size={16} />
      </ActionIcon>
      {question.pattern !== '' && (
        <>
          <span className="dim" role="status">
            {search.searching
              ? t('searching …')
              : at === null
                ? t('in {{n}} lines', { n: all })
                : t('{{at}} of {{n}}', { at: (at + 1).toLocaleString(locale), n: all })}
          </span>
          <ActionIcon variant="subtle" aria-label={t('The one before')} onClick={() => onStep(-1)}>
            <IconChevronUp size={16} />
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={t('The next one')} onClick={() => onStep(1)}>
            <IconChevronDown size={16} />
          </ActionIcon>
        </>
      )}
    </div>
  );
}
