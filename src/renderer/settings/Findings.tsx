import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Finding } from '../../domain/finding.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { Group, Setting } from './Setting.tsx';

const WORDS: Readonly<Record<Finding['severity'], string>> = {
  error: t('does not work'),
  warning: t('works in part'),
  note: t('optional'),
  ok: t('as it should be'),
};

/** What works on this machine, and what would help where it does not. */
export function Findings() {
  const [found, setFound] = useState<readonly Finding[] | null>(null);
  const [looking, setLooking] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const look = async (): Promise<void> => {
    setLooking(true);
    setTrouble(null);
    try {
      setFound(await client().system.doctor());
    } catch (error) {
      setTrouble(troubleText(error));
    } finally {
      setLooking(false);
    }
  };
  const well = found?.filter(({ severity }) => severity === 'ok').length ?? 0;
  return (
    <Group title={t('What works here')} about={t('Looks at everything that Stint and its jobs need.')}>
      <Setting
        label={t('Look now')}
        words="doctor findings remedies check health"
        about={
          found === null
            ? t('It takes some seconds, and changes nothing.')
            : t('{{well}} of {{n}} as they should be', { well, n: found.length })
        }
      >
        <Button size="xs" variant="default" loading={looking} onClick={() => void look()}>
          {t('Look now')}
        </Button>
      </Setting>
      {trouble !== null && (
        <p role="alert" className="trouble">
          {visibleText(trouble)}
        </p>
      )}
      {found
        ?.filter(({ severity }) => all || severity !== 'ok')
        .map(({ about, severity, found: what, remedy }) => (
          <Setting
            key={`${about} ${what}`}
            label={visibleText(about)}
            words="doctor"
            about={`${visibleText(what)}${remedy === null ? '' : `. ${visibleText(remedy)}`}`}
          >
            <span className={severity === 'error' ? 'trouble' : 'dim'}>{WORDS[severity]}</span>
          </Setting>
        ))}
      {well > 0 && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll((old) => !old)}>
          {all ? t('Only what is not as it should be') : t('Also what is as it should be')}
        </Button>
      )}
    </Group>
  );
}
