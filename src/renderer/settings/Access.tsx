import { Button, Code, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { apiTokenSchema, SCOPES, type Scope } from '../../domain/apiToken.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { useNow } from '../store/store.ts';
import { formatAgo, formatExact } from '../text/formatTime.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { sayTrouble } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { Group, Setting, useIsSought } from './Setting.tsx';
import classes from './Settings.module.css';

const ask = () => client().tokens.list();
const MAY: Readonly<Record<Scope, string>> = {
  read: t('look at everything'),
  act: t('also submit and control jobs'),
  admin: t('also rules, policies and tokens'),
};

/** Which programs may speak to the engine over HTTP. */
export function Access() {
  const nowMs = useNow();
  const tokens = useAsked(ask);
  const [form, setForm] = useState({ name: '', scope: 'read' as Scope });
  const [problem, setProblem] = useState<string | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const sought = useIsSought(t('token access api http security scope'));
  const create = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const named = apiTokenSchema.shape.name.safeParse(form.name);
    setProblem(named.error?.issues[0]?.message ?? null);
    if (!named.success) return;
    try {
      setMade((await client().tokens.create(form)).token);
      setForm((old) => ({ ...old, name: '' }));
      tokens.set(await ask());
    } catch (error) {
      setProblem(troubleText(error));
    }
  };
  const revoke = async (name: string): Promise<void> => {
    try {
      await client().tokens.revoke({ name });
      tokens.set(await ask());
    } catch (error) {
      sayTrouble(t('the token {{name}} still opens the engine', { name }), error);
    }
  };
  return (
    <Group
      title={t('Access')}
      about={t(
        'Tokens for scripts, notebooks, Prometheus and agents. The engine listens on this machine only.',
      )}
    >
      {tokens.value?.map((token) => (
        <Setting
          key={token.name}
          label={visibleText(token.name)}
          words="token api http security"
          about={t('may {{a}}; {{a2}}{{a3}}', {
            a: MAY[token.scope],
            a2:
              token.lastUsedAtMs === null
                ? t('never used')
                : t('used {{lastUsedAtMs}}', { lastUsedAtMs: formatAgo(token.lastUsedAtMs, nowMs) }),
            a3:
              token.expiresAtMs === null
                ? ''
                : t('; until {{expiresAtMs}}', { expiresAtMs: formatExact(token.expiresAtMs) }),
          })}
        >
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Revoke {{name}}', { name: token.name })}
            onClick={() => void revoke(token.name)}
          >
            {t('Revoke')}
          </Button>
        </Setting>
      ))}
      {tokens.trouble !== null && <p className="trouble">{visibleText(tokens.trouble)}</p>}
      {made !== null && (
        <p className={classes.made} role="status">
          {t('Copy it now, it is shown only here:')} <Code className={classes.token!}>{made}</Code>
        </p>
      )}
      <form
        onSubmit={create}
        noValidate
        hidden={!sought}
        className={classes.line}
        data-setting={sought || undefined}
      >
        <TextInput
          size="xs"
          label={t('Name of a new token')}
          placeholder={t('notebook')}
          value={form.name}
          error={problem}
          onChange={({ currentTarget }) => {
            const name = currentTarget.value;
            setForm((old) => ({ ...old, name }));
            setProblem(null);
          }}
        />
        <NativeSelect
          size="xs"
          label={t('It may')}
          data={SCOPES.map((scope) => ({ value: scope, label: MAY[scope] }))}
          value={form.scope}
          onChange={({ currentTarget }) => {
            const scope = currentTarget.value as Scope;
            setForm((old) => ({ ...old, scope }));
          }}
        />
        <Button size="xs" variant="default" type="submit">
          {t('Make a token')}
        </Button>
      </form>
    </Group>
  );
}
