import { Button, Checkbox, Modal, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { splitCommand } from '../../domain/splitCommand.ts';
import { client } from '../connection.ts';
import { withAnswer } from '../store/state.ts';
import { store, useMachine } from '../store/store.ts';
import { troubleText } from '../text/troubleText.ts';
import { visibleText } from '../text/visibleText.ts';
import { say } from '../toasts.tsx';
import { type Field, fieldNamed, type JobForm, type Problems, readForm } from './jobRequest.ts';
import classes from './SubmitDialog.module.css';

/** Asks for a job and submits it; what the engine refuses is said beside the field that it names. */
export function SubmitDialog({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Submit a job" size={680}>
      <SubmitForm onClose={onClose} />
    </Modal>
  );
}

function SubmitForm({ onClose }: { onClose(): void }) {
  const system = useMachine((machine) => machine.system);
  const [form, setForm] = useState<JobForm>(() => ({
    command: '',
    cwd: system.defaultCwd,
    name: '',
    gpus: '1',
    vram: '',
    priority: '0',
    user: system.user,
    project: 'default',
    env: '',
    hold: false,
  }));
  const [problems, setProblems] = useState<Problems>({});
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    const first = Object.keys(problems)[0];
    if (first) document.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
  }, [problems]);

  const bind = (name: Field) => ({
    name,
    value: form[name],
    error: problems[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setForm((old) => ({ ...old, [name]: value }));
    },
  });

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTrouble(null);
    const request = readForm(form);
    setProblems(request.problems ?? {});
    if (request.spec === null) return;
    setBusy(true);
    try {
      const job = await client().jobs.submit(request.spec);
      store.update((state) => withAnswer(state, job));
      say(`submitted #${job.id}`);
      onClose();
    } catch (error) {
      const { field, remedy } = refusalOf(error);
      if (field !== null) setProblems({ [field]: remedy });
      else setTrouble(troubleText(error));
    } finally {
      setBusy(false);
    }
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
      <Textarea
        {...bind('command')}
        label="Command"
        placeholder="python train.py --lr 0.1"
        autosize
        minRows={2}
        maxRows={8}
        data-autofocus
        spellCheck={false}
        classNames={{ input: 'mono' }}
      />
      <Argv command={form.command} />
      <TextInput
        {...bind('cwd')}
        label="Working directory"
        spellCheck={false}
        classNames={{ input: 'mono' }}
      />
      <div className={classes.three}>
        <TextInput {...bind('gpus')} label="GPUs" description="0: CPU only" inputMode="numeric" />
        <TextInput
          {...bind('vram')}
          label="Memory per GPU"
          description="Empty: whole GPUs, unshared"
          placeholder="4GiB"
        />
        <TextInput {...bind('priority')} label="Priority" description="Higher first" inputMode="numeric" />
      </div>
      <div className={classes.three}>
        <TextInput {...bind('name')} label="Name" placeholder="the command" />
        <TextInput {...bind('project')} label="Project" />
        <TextInput {...bind('user')} label="User" />
      </div>
      <Textarea
        {...bind('env')}
        label="Environment"
        description="One NAME=value a line, added to the engine's own"
        placeholder="WANDB_MODE=offline"
        autosize
        minRows={2}
        maxRows={6}
        spellCheck={false}
        classNames={{ input: 'mono' }}
      />
      <Checkbox
        label="Hold it back until somebody releases it"
        checked={form.hold}
        onChange={(event) => {
          const hold = event.currentTarget.checked;
          setForm((old) => ({ ...old, hold }));
        }}
      />
      {trouble !== null && (
        <p role="alert" className={classes.trouble}>
          Not submitted: {visibleText(trouble)}
        </p>
      )}
      <div className={classes.end}>
        <span className="dim">Ctrl+Enter submits</span>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button type="submit" loading={busy}>
          Submit
        </Button>
      </div>
    </form>
  );
}

/** The words as the job gets them. */
function Argv({ command }: { command: string }) {
  const split = splitCommand(command);
  return (
    <div className={classes.argv} aria-live="polite">
      {'problem' in split ? (
        <span className="dim">{split.problem}</span>
      ) : split.argv.length === 0 ? (
        <span className="dim">The words as the job will get them appear here.</span>
      ) : (
        <>
          <span className={classes.words}>
            {split.argv.map((word, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: words have no identity but their place.
              <code key={index} className={`${classes.word} mono`}>
                {word === '' ? '(empty)' : visibleText(word)}
              </code>
            ))}
          </span>
          {split.hint !== null && <span>{visibleText(split.hint)}</span>}
        </>
      )}
    </div>
  );
}

/** The field that the engine names in its refusal, as far as the dialog shows it, and what to do. */
function refusalOf(error: unknown): { field: Field | null; remedy: string } {
  const data = (error as { data?: { field?: unknown; remedy?: unknown } }).data;
  const field = typeof data?.field === 'string' ? fieldNamed(data.field) : null;
  return { field, remedy: typeof data?.remedy === 'string' ? data.remedy : troubleText(error) };
}
