import { Button, Modal } from '@mantine/core';
import { type FormEvent, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { withAnswer } from '../store/state.ts';
import { store, useMachine } from '../store/store.ts';
import { formatCount } from '../text/formatCount.ts';
import { offsetMinAt } from '../text/offsetMinAt.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { say } from '../toasts.tsx';
import { CommandBox } from './CommandBox.tsx';
import { blankForm, type Field, type JobForm } from './jobForm.ts';
import { fieldNamed, type JobRequest, type Problems, readForm } from './jobRequest.ts';
import { Obstacles } from './Obstacles.tsx';
import { type Submitting, submitting } from './openSubmit.ts';
import { ScriptChoice } from './ScriptChoice.tsx';
import classes from './SubmitDialog.module.css';
import { SubmitFields } from './SubmitFields.tsx';
import { SubmitPreview } from './SubmitPreview.tsx';
import { TemplateChoice } from './TemplateChoice.tsx';
import { usePreflight } from './usePreflight.ts';

/** Asks for a job, or many of one, and submits; what the engine refuses is said beside the field that it names. */
export function SubmitDialog() {
  const about = useSyncExternalStore(submitting.subscribe, submitting.get);
  const close = () => submitting.update(() => null);
  return (
    <Modal opened={about !== null} onClose={close} title={t('Submit a job')} size={1120} yOffset={24}>
      {about !== null && <SubmitForm about={about} onClose={close} />}
    </Modal>
  );
}

function SubmitForm({ about, onClose }: { about: Submitting; onClose(): void }) {
  const system = useMachine((machine) => machine.system);
  const [blank] = useState(() => blankForm(system));
  const [form, setForm] = useState<JobForm>(about.form ?? blank);
  const [problems, setProblems] = useState<Problems>({});
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const clockOffsetMs = useMachine((machine) => machine.clockOffsetMs);
  const read = (): JobRequest => readForm(form, { nowMs: Date.now() + clockOffsetMs, offsetMinAt });
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is read anew when the form changes.
  const preview = useMemo(read, [form]);
  const preflight = usePreflight(preview);

  useEffect(() => {
    const [field] = Object.keys(problems);
    // A section that is opened for it is drawn first.
    if (field) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`[name="${field}"]`)?.focus());
    }
  }, [problems]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTrouble(null);
    const request = read();
    setProblems(request.problems ?? {});
    if (request.spec === null) return;
    setBusy(true);
    try {
      // Who was not told yet that it could not run is told now; who was may submit it all the same.
      if (!preflight.told && (await preflight.ask()).some(({ certain }) => certain)) return;
      say(await send(request));
      onClose();
    } catch (error) {
      const { field, remedy } = refusalOf(error);
      if (field !== null) setProblems({ [field]: remedy });
      else setTrouble(troubleText(error));
    } finally {
      setBusy(false);
    }
  };
  const count = preview.sweep?.points.length ?? 1;
  const hopeless = preflight.obstacles.some(({ certain }) => certain);
  const change = (next: JobForm): void => {
    setForm(next);
    setProblems({});
  };

  return (
    <form
      onSubmit={submit}
      noValidate
      className={classes.form}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        if (!busy) event.currentTarget.requestSubmit();
      }}
    >
      <div className={classes.start}>
        <TemplateChoice form={form} request={preview} blank={blank} onForm={change} />
        <ScriptChoice dropped={about.scripts} blank={blank} onForm={change} />
      </div>
      <SubmitFields
        form={form}
        problems={problems}
        onChange={(change) => {
          setForm((old) => ({ ...old, ...change }));
          const changed = Object.keys(change);
          if (changed.some((field) => problems[field as Field])) {
            setProblems((old) =>
              Object.fromEntries(Object.entries(old).filter(([field]) => !changed.includes(field))),
            );
          }
        }}
      />
      <div className={classes.side}>
        <section className={classes.preview} aria-label={t('What would be queued')} aria-live="polite">
          <SubmitPreview request={preview} />
          <Obstacles found={preflight.obstacles} looking={preflight.looking} />
        </section>
        <CommandBox form={form} blank={blank} onForm={change} />
        {trouble !== null && (
          <p role="alert" className={classes.trouble}>
            {t('Not submitted:')} {visibleText(trouble)}
          </p>
        )}
        <div className={classes.end}>
          <span className="dim">{t('Ctrl+Enter submits')}</span>
          <Button variant="default" onClick={onClose}>
            {t('Close')}
          </Button>
          <Button type="submit" loading={busy}>
            {hopeless
              ? t('Submit all the same')
              : count === 1
                ? t('Submit')
                : t('Submit {{n}} jobs', { n: formatCount(count) })}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** @returns what was submitted. */
async function send(request: Extract<JobRequest, { problems: null }>): Promise<string> {
  const { spec, sweep, secretsFrom } = request;
  if (sweep === null) {
    const job = await client().jobs.submit({ ...spec, secretsFrom });
    store.update((state) => withAnswer(state, job));
    return t('submitted #{{id}}', { id: job.id });
  }
  const members = sweep.points.map(({ index, values }) => ({ index, values: { ...values } }));
  const { id, ids } = await client().arrays.submit({ spec, members, atMost: sweep.atMost, secretsFrom });
  return t('submitted {{length}} jobs as the array #{{id}}', { length: formatCount(ids.length), id });
}

/** The field that the engine names in its refusal, as far as the dialog shows it, and what to do. */
function refusalOf(error: unknown): { field: Field | null; remedy: string } {
  const data = (error as { data?: { field?: unknown; remedy?: unknown } }).data;
  const field = typeof data?.field === 'string' ? fieldNamed(data.field) : null;
  return { field, remedy: typeof data?.remedy === 'string' ? data.remedy : troubleText(error) };
}
