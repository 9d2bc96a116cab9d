import { Button, Checkbox, Code, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { NOTIFY_EVENTS, type NotifyEvent, type NotifyView } from '../../domain/notifyRule.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { useNow } from '../store/store.ts';
import { formatDuration } from '../text/formatDuration.ts';
import { formatAgo } from '../text/formatTime.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { say, sayTrouble } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { BLANK, KINDS, type NotifyField, type NotifyForm, readNotify } from './notifyForm.ts';
import { Group, Setting, useIsSought } from './Setting.tsx';
import classes from './Settings.module.css';

const ask = () => client().notify.list();
const EVENTS: Readonly<Record<NotifyEvent, string>> = {
  failed: t('a job failed and is not tried again'),
  finished: t('a job is over, however it ended'),
  'gpu-lost': t('a GPU cannot be read any more'),
};

/** Who is told of what, over HTTP or by mail. */
export function Notifications() {
  const rules = useAsked(ask);
  const [made, setMade] = useState<string | null>(null);
  const again = async (): Promise<void> => rules.set(await ask());
  const test = async (name: string): Promise<void> => {
    try {
      const { ok, detail } = await client().notify.test({ name });
      if (ok) say(t('{{name}}: sent', { name }));
      else sayTrouble(t('{{name}} was not reached', { name }), new Error(detail));
      await again();
    } catch (error) {
      sayTrouble(t('{{name}} was not reached', { name }), error);
    }
  };
  const remove = async (name: string): Promise<void> => {
    try {
      await client().notify.remove({ name });
      await again();
    } catch (error) {
      sayTrouble(t('{{name}} is still told', { name }), error);
    }
  };
  return (
    <Group
      title={t('Being told')}
      about={t(
        'Messages to your phone, a chat, a program of yours, or by mail. Addresses and secrets are kept in a file that only you may read, and never shown again.',
      )}
    >
      {rules.value?.map((rule) => (
        <Setting
          key={rule.name}
          label={visibleText(rule.name)}
          words="notify message notification"
          about={<Told rule={rule} />}
        >
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Send {{name}} a test', { name: rule.name })}
            onClick={() => void test(rule.name)}
          >
            {t('Test')}
          </Button>{' '}
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Remove {{name}}', { name: rule.name })}
            onClick={() => void remove(rule.name)}
          >
            {t('Remove')}
          </Button>
        </Setting>
      ))}
      {rules.trouble !== null && <p className="trouble">{visibleText(rules.trouble)}</p>}
      {made !== null && (
        <p className={classes.made} role="status">
          {t('It signs its requests with this, shown only here:')}{' '}
          <Code className={classes.token!}>{made}</Code>
        </p>
      )}
      <NewRule
        onMade={async (secret) => {
          setMade(secret);
          await again();
        }}
      />
    </Group>
  );
}

function Told({ rule }: { rule: NotifyView }) {
  const nowMs = useNow();
  const only = [rule.user, rule.project].filter((one) => one !== null).map((one) => visibleText(one));
  const facts = [
    `${rule.kind}, ${visibleText(rule.to)}`,
    rule.on.map((event) => EVENTS[event]).join(', '),
    ...(rule.overS === null
      ? []
      : [t('that ran for {{time}} or more', { time: formatDuration(rule.overS * 1000) })]),
    ...(only.length === 0 ? [] : [t('only of {{who}}', { who: only.join(', ') })]),
    rule.lastSentAtMs === null
      ? t('nothing sent yet')
      : t('last sent {{ago}}', { ago: formatAgo(rule.lastSentAtMs, nowMs) }),
    ...(rule.waiting === 0 ? [] : [t('{{n}} waiting', { n: rule.waiting })]),
  ];
  return (
    <>
      {facts.join('; ')}
      {rule.lastError !== null && <span className="trouble"> {visibleText(rule.lastError)}</span>}
    </>
  );
}

function NewRule({ onMade }: { onMade(secret: string | null): Promise<void> }) {
  const [form, setForm] = useState<NotifyForm>(BLANK);
  /** Fields that somebody has typed in: only there it is said at once what is wrong. */
  const [touched, setTouched] = useState<ReadonlySet<NotifyField>>(new Set());
  const [trouble, setTrouble] = useState<string | null>(null);
  const sought = useIsSought(
    t('notify message notification mail slack discord feishu dingtalk webhook ntfy'),
  );
  const { request, problems } = readNotify(form);
  const change = (part: Partial<NotifyForm>): void => {
    setForm((old) => ({ ...old, ...part }));
    setTouched((old) => new Set([...old, ...(Object.keys(part) as NotifyField[])]));
    setTrouble(null);
  };
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTouched(new Set(Object.keys(BLANK) as NotifyField[]));
    if (request === null) return;
    try {
      const { secret } = await client().notify.add(request);
      setForm(BLANK);
      setTouched(new Set());
      await onMade(secret);
    } catch (error) {
      setTrouble(troubleText(error));
    }
  };
  const field = (name: Exclude<NotifyField, 'on' | 'kind'>, label: string, placeholder = '') => (
    <TextInput
      size="xs"
      label={label}
      placeholder={placeholder}
      value={form[name]}
      error={touched.has(name) ? problems[name] : undefined}
      spellCheck={false}
      {...(name === 'secret' && { type: 'password', autoComplete: 'new-password' })}
      onChange={({ currentTarget }) => change({ [name]: currentTarget.value })}
    />
  );
  const mail = form.kind === 'mail';
  return (
    <form
      onSubmit={add}
      noValidate
      hidden={!sought}
      className={classes.notify}
      data-setting={sought || undefined}
      aria-label={t('A new message')}
    >
      {field('name', t('Name of who is told'), t('phone'))}
      <NativeSelect
        size="xs"
        label={t('By')}
        data={[...KINDS]}
        value={form.kind}
        onChange={({ currentTarget }) => change({ kind: currentTarget.value as NotifyForm['kind'] })}
      />
      {mail ? (
        <>
          {field('to', t('Addresses'), 'ada@example.org')}
          {field('server', t('Mail server'), 'smtps://user@mail.example.org')}
          {field('from', t('Sender'))}
        </>
      ) : (
        field('url', t('Address'), 'https://ntfy.sh/my-topic')
      )}
      {field('secret', mail ? t('Password') : t('Secret or token'))}
      <Checkbox.Group
        label={t('When')}
        value={[...form.on]}
        error={touched.has('on') ? problems.on : undefined}
        onChange={(on) => change({ on: on as NotifyEvent[] })}
        className={classes.wide!}
      >
        {NOTIFY_EVENTS.map((event) => (
          <Checkbox key={event} size="xs" mt={4} value={event} label={EVENTS[event]} />
        ))}
      </Checkbox.Group>
      {field('over', t('Only if it ran for'), '1h')}
      {field('user', t('Only jobs of user'))}
      {field('project', t('Only jobs of project'))}
      {trouble !== null && (
        <p role="alert" className={`trouble ${classes.wide}`}>
          {visibleText(trouble)}
        </p>
      )}
      <Button size="xs" variant="default" type="submit">
        {t('Add it')}
      </Button>
    </form>
  );
}
