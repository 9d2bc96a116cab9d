import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { ExecutorCheck, ExecutorOrder, ExecutorView } from '../../domain/executor.ts';
import { client } from '../connection.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { hrefOf } from '../route.ts';
import { useNow } from '../store/store.ts';
import { formatClockSeconds } from '../text/formatTime.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { say, sayTrouble } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { BLANK, type ExecutorField, type ExecutorForm, readExecutor } from './executorForm.ts';
import { Group, Setting, useIsSought } from './Setting.tsx';
import classes from './Settings.module.css';

const ask = () => client().executors.list();

/** Other queues that jobs may be handed over to: how they are doing, whether they work, and in which order the policy would have them. */
export function Executors() {
  const executors = useAsked(ask);
  const again = async (): Promise<void> => executors.set(await ask());
  return (
    <Group
      title={t('Other queues')}
      about={t(
        'A Slurm that is there already, spoken to by its commands on this machine, as you. Only what is submitted to it by name goes there.',
      )}
    >
      {executors.value?.map((executor) => (
        <One key={executor.name} executor={executor} onChange={again} />
      ))}
      {executors.trouble !== null && <p className="trouble">{visibleText(executors.trouble)}</p>}
      <NewExecutor onMade={again} />
    </Group>
  );
}

function One({ executor, onChange }: { executor: ExecutorView; onChange(): Promise<void> }) {
  const { name } = executor;
  const [testing, setTesting] = useState(false);
  const [checks, setChecks] = useState<readonly ExecutorCheck[] | null>(null);
  const [order, setOrder] = useState<ExecutorOrder | null>(null);
  const test = async (): Promise<void> => {
    setTesting(true);
    try {
      setChecks(await client().executors.test({ name }));
      await onChange();
    } catch (error) {
      sayTrouble(t('{{name}} was not tried', { name }), error);
    } finally {
      setTesting(false);
    }
  };
  const arrange = async (apply: boolean): Promise<void> => {
    try {
      setOrder(await client().executors.order({ name, apply }));
    } catch (error) {
      sayTrouble(t('{{name}} keeps its order', { name }), error);
    }
  };
  const remove = async (): Promise<void> => {
    try {
      await client().executors.remove({ name });
      say(t('{{name}} is forgotten; its past jobs stay in the record', { name }));
      await onChange();
    } catch (error) {
      sayTrouble(t('{{name}} is still there', { name }), error);
    }
  };
  return (
    <>
      <Setting label={name} words="executor slurm queue" about={<Standing executor={executor} />}>
        <div className={classes.line}>
          <Button
            size="compact-xs"
            variant="default"
            loading={testing}
            aria-label={t('Test {{name}}', { name })}
            onClick={() => void test()}
          >
            {t('Test')}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Order of {{name}}', { name })}
            onClick={() => void arrange(false)}
          >
            {t('Order')}
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={t('Remove {{name}}', { name })}
            onClick={() => void remove()}
          >
            {t('Remove')}
          </Button>
        </div>
      </Setting>
      {checks !== null && (
        <ul className={classes.checks} aria-label={t('What was tried of {{name}}', { name })}>
          {checks.map(({ what, ok, detail }) => (
            <li key={what} className={ok ? undefined : 'trouble'}>
              {ok ? t('works') : t('fails')}: {engineText(visibleText(what))},{' '}
              {engineText(visibleText(detail))}
            </li>
          ))}
        </ul>
      )}
      {order !== null && <Arranged name={name} order={order} onApply={() => void arrange(true)} />}
    </>
  );
}

function Standing({ executor }: { executor: ExecutorView }) {
  const nowMs = useNow();
  const { kind, version, cluster, state, trouble, nextTryAtMs, partition, gres, bin } = executor;
  const { waiting, pending, running, niceSpread, atMostPending } = executor;
  const facts = [
    [kind, version, cluster].filter(Boolean).join(' '),
    state === 'idle' ? t('idle: not asked while it has no jobs of yours') : '',
    t('{{waiting}} wait here, {{pending}} are pending there, {{running}} run', { waiting, pending, running }),
    partition === null ? '' : t('partition {{partition}}', { partition }),
    t('GPUs are {{gres}}', { gres }),
    bin === null ? '' : t('commands in {{bin}}', { bin }),
    niceSpread === 0 ? '' : t('ordered by the policy, nice 0 to {{niceSpread}}', { niceSpread }),
    atMostPending === null ? '' : t('at most {{n}} pending there', { n: atMostPending }),
  ];
  return (
    <>
      {visibleText(facts.filter(Boolean).join('; '))}
      {trouble !== null && (
        <span className="trouble">
          {' '}
          {visibleText(trouble)}
          {nextTryAtMs !== null &&
            nextTryAtMs > nowMs &&
            t('; tried again at {{clock}}', { clock: formatClockSeconds(nextTryAtMs) })}
        </span>
      )}
    </>
  );
}

function Arranged(props: { name: string; order: ExecutorOrder; onApply(): void }) {
  const { name, order, onApply } = props;
  if (order.jobs.length === 0) return <p className="dim">{t('No job is pending in {{name}}.', { name })}</p>;
  return (
    <section className={classes.line} aria-label={t('Order of {{name}}', { name })}>
      <ol className={classes.checks}>
        {order.jobs.map(({ jobId, nice, given }) => (
          <li key={jobId}>
            <a href={hrefOf({ view: 'job', id: jobId })}>#{jobId}</a>{' '}
            <span className="dim">
              {t('nice {{nice}}, now {{given}}', { nice, given: given ?? t('as handed over') })}
            </span>
          </li>
        ))}
      </ol>
      {order.applied ? (
        <span className="dim">{t('It is so there now.')}</span>
      ) : (
        <Button size="compact-xs" variant="default" onClick={onApply}>
          {t('Have it so')}
        </Button>
      )}
    </section>
  );
}

function NewExecutor({ onMade }: { onMade(): Promise<void> }) {
  const [form, setForm] = useState<ExecutorForm>(BLANK);
  /** Fields that somebody has typed in: only there it is said at once what is wrong. */
  const [touched, setTouched] = useState<ReadonlySet<ExecutorField>>(new Set());
  const [trouble, setTrouble] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const sought = useIsSought(t('executor slurm other queue cluster partition'));
  const { request, problems } = readExecutor(form);
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTouched(new Set(Object.keys(BLANK) as ExecutorField[]));
    // What is wrong must be in sight.
    if (LESS_ASKED.some(([name]) => problems[name] !== undefined)) setAll(true);
    if (request === null) return;
    try {
      const { name } = await client().executors.add(request);
      setForm(BLANK);
      setTouched(new Set());
      say(t('{{name}} is there: try it, then submit to it by that name', { name }));
      await onMade();
    } catch (error) {
      setTrouble(troubleText(error));
    }
  };
  return (
    <form
      onSubmit={add}
      noValidate
      hidden={!sought}
      className={classes.notify}
      data-setting={sought || undefined}
      aria-label={t('A new queue')}
    >
      {[...ASKED, ...(all ? LESS_ASKED : [])].map(([name, label, placeholder]) => (
        <TextInput
          key={name}
          size="xs"
          label={label}
          placeholder={placeholder}
          value={form[name]}
          error={touched.has(name) ? problems[name] : undefined}
          spellCheck={false}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            setForm((old) => ({ ...old, [name]: value }));
            setTouched((old) => new Set([...old, name]));
            setTrouble(null);
          }}
        />
      ))}
      {trouble !== null && (
        <p role="alert" className={`trouble ${classes.wide}`}>
          {visibleText(trouble)}
        </p>
      )}
      <Button size="xs" variant="default" type="submit">
        {t('Add a Slurm')}
      </Button>
      <Button size="xs" variant="subtle" aria-expanded={all} onClick={() => setAll((old) => !old)}>
        {all ? t('Fewer fields') : t('More fields')}
      </Button>
    </form>
  );
}

type FieldRow = readonly [ExecutorField, string, string];
const ASKED: readonly FieldRow[] = [
  ['name', t('What you call it'), 'slurm'],
  ['partition', t('Partition'), t('Slurm’s own')],
  ['account', t('Account'), t('Slurm’s own')],
  ['gres', t('What GPUs are called there'), 'gpu:a100'],
  ['directory', t('Directory that its nodes see too'), t('Stint’s own')],
];
const LESS_ASKED: readonly FieldRow[] = [
  ['qos', t('Quality of service'), t('Slurm’s own')],
  ['bin', t('Where sbatch and the others are'), t('on PATH')],
  ['conf', t('Its slurm.conf'), t('the system’s')],
  ['options', t('Options of sbatch for every job'), '--constraint=nvlink --mem=64G'],
  ['pollS', t('Looks every'), '2s'],
  ['timeoutS', t('A command of it may take'), '20s'],
  ['niceSpread', t('The policy orders with nice up to'), t('0: it does not')],
  ['atMostPending', t('At most pending there'), t('all')],
];
