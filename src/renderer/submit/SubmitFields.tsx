import { Accordion, Checkbox, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { splitCommand } from '../../domain/splitCommand.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import type { Field, JobForm, Switch } from './jobForm.ts';
import type { Problems } from './jobRequest.ts';
import classes from './SubmitDialog.module.css';

export interface FieldsProps {
  readonly form: JobForm;
  readonly problems: Problems;
  onChange(change: Partial<JobForm>): void;
}

/** A field that takes one line: its name, what it is called, and what it is for. */
type Line = readonly [
  field: Field,
  label: string,
  about?: string | undefined,
  placeholder?: string | undefined,
];

interface Section {
  readonly key: string;
  readonly title: string;
  readonly about: string;
  readonly fields: readonly Field[];
  readonly switches?: readonly Switch[];
}

const SECTIONS: readonly Section[] = [
  {
    key: 'sweep',
    title: t('Many jobs of one'),
    about: t('a sweep over parameters, or an array of indices'),
    fields: ['sweep', 'samples', 'seed', 'array', 'atMost'],
  },
  {
    key: 'when',
    title: t('When'),
    about: t('not before, by when, after which jobs'),
    fields: ['begin', 'deadline', 'time', 'estimate', 'afterOk', 'afterAny', 'afterNotOk', 'afterArray'],
    switches: ['hold'],
  },
  {
    key: 'failure',
    title: t('If it fails or has to stop'),
    about: t('retries, checkpoints'),
    fields: ['retries', 'retryDelay', 'retryOn', 'checkpointSignal', 'grace'],
    switches: ['restartable'],
  },
  {
    key: 'around',
    title: t('Around it'),
    about: t(
      'Python environment, before and after it, limits, secrets, output to a file of yours, another queue',
    ),
    fields: [
      'venv',
      'conda',
      'pre',
      'post',
      'ulimits',
      'secretsFrom',
      'output',
      'executor',
      'executorOptions',
    ],
    switches: ['snapshot'],
  },
];
const USUAL: Partial<Record<Field, string>> = { retries: '0' };

/** Every field that a job can be given, those that are rarely needed folded away. */
export function SubmitFields(props: FieldsProps) {
  const { form, problems, onChange } = props;
  const filled = SECTIONS.filter((section) => countOf(section, form) > 0).map(({ key }) => key);
  const [open, setOpen] = useState<readonly string[]>(filled);
  useEffect(() => {
    const troubled = SECTIONS.filter(({ fields }) => fields.some((field) => problems[field]));
    if (troubled.length > 0) setOpen((old) => [...new Set([...old, ...troubled.map(({ key }) => key)])]);
  }, [problems]);
  const tick = (name: Switch, label: string, description?: string) => (
    <Checkbox
      label={label}
      description={description}
      checked={form[name]}
      onChange={({ currentTarget }) => onChange({ [name]: currentTarget.checked })}
    />
  );
  const contents: Readonly<Record<string, ReactNode>> = {
    sweep: (
      <>
        <Text
          {...props}
          rows={2}
          of={[
            'sweep',
            t('Parameters'),
            t('One a line. Each {lr} in the command, the name and the environment becomes its value'),
            'lr=1e-3,3e-4\nseed=0..4',
          ]}
        />
        <Lines
          {...props}
          of={[
            ['samples', t('Draw at random'), t('Empty: every combination'), '20'],
            ['seed', t('Seed'), t('Draws the same again'), '0'],
            ['atMost', t('At once'), t('Empty: as many as fit'), '4'],
          ]}
        />
        <Lines {...props} of={[['array', t('Indices'), t('Instead: one job for each {index}'), '0-9']]} />
      </>
    ),
    when: (
      <>
        <Lines
          {...props}
          of={[
            ['begin', t('Not before'), t('+2h, 22:30, tomorrow 07:00')],
            ['deadline', t('Deadline'), t('Goes first when time gets short'), 'tomorrow 09:00'],
            ['time', t('Time limit'), t('Is ended then; pauses not counted'), '2h'],
          ]}
        />
        <Lines
          {...props}
          of={[
            ['afterOk', t('After success of'), t('Job numbers'), '12, 13'],
            ['afterAny', t('After the end of'), t('However they end')],
            ['afterNotOk', t('After failure of'), t('However they fail')],
          ]}
        />
        <Lines
          {...props}
          of={[
            ['afterArray', t('After the arrays'), t('All of their jobs succeed')],
            ['estimate', t('Runs for about'), t('Your guess, for the scheduler'), '45min'],
          ]}
        />
        {tick('hold', t('Hold it back until somebody releases it'))}
      </>
    ),
    failure: (
      <>
        <Lines
          {...props}
          of={[
            ['retries', t('Retries'), t('Tried again so often by itself')],
            ['retryDelay', t('First after'), t('Then twice as long each time'), '30s'],
            ['retryOn', t('Only after'), t('Exit codes, causes of death'), '1,137,gpu-memory'],
          ]}
        />
        {tick(
          'restartable',
          t('Restartable'),
          t(
            'It may be stopped at any time, and goes on from its checkpoint: it can give way to others, and be paused with its memory freed',
          ),
        )}
        <Lines
          {...props}
          of={[
            ['checkpointSignal', t('Checkpoint signal'), t('Makes it write one and end'), 'USR1'],
            ['grace', t('Time to end'), t('Before it is killed'), '10s'],
          ]}
        />
      </>
    ),
    around: (
      <>
        {tick('snapshot', t('From a copy'), t('Of the code as it is now: later edits change nothing for it'))}
        <Lines
          {...props}
          of={[
            ['venv', t('Virtual environment'), t('Of Python: its directory'), '.venv'],
            ['conda', t('Conda environment'), t('Its name or directory')],
          ]}
        />
        <Lines
          {...props}
          of={[
            ['pre', t('Before it'), t('A shell runs this; where it fails, the job does')],
            ['post', t('After it'), t('In any case, with STINT_EXIT_CODE')],
          ]}
        />
        <Text {...props} rows={2} of={['ulimits', t('Limits'), t('One a line'), 'nofile=65536']} />
        <Lines
          {...props}
          of={[
            ['secretsFrom', t('Secrets of job'), t('What stands as [secret:1] is what it is there')],
            ['output', t('Also written to'), t('%j: its number, %A and %a: array and index'), 'logs/%j.out'],
          ]}
        />
        <Lines
          {...props}
          of={[
            [
              'executor',
              t('Handed over to'),
              t('Empty: runs here. An executor, or one of its parts'),
              'cluster:gpu',
            ],
          ]}
        />
        <Text
          {...props}
          rows={1}
          of={['executorOptions', t('Options there'), t('One a line'), '--mem=32G']}
        />
      </>
    ),
  };
  return (
    <div className={classes.fields}>
      <Text {...props} rows={2} focus of={['command', t('Command'), undefined, 'python train.py --lr 0.1']} />
      <Argv command={form.command} />
      <Lines {...props} mono of={[['cwd', t('Working directory')]]} />
      <Lines
        {...props}
        of={[
          ['gpus', 'GPUs', t('0: none, 1-4: as fits, 0.5: half')],
          ['vram', t('Memory per GPU'), t('Empty: whole GPUs, unshared'), '4GiB'],
          ['priority', t('Priority'), t('Higher first')],
        ]}
      />
      {tick('exclusive', t('Never share, whatever memory is left'))}
      <Lines
        {...props}
        of={[
          ['name', t('Name'), undefined, t('the command')],
          ['project', t('Project')],
          ['user', t('User')],
        ]}
      />
      <Lines
        {...props}
        of={[['tags', t('Tags'), t('Words to find it by, with commas between'), 'baseline, v2']]}
      />
      <Text
        {...props}
        rows={1}
        of={[
          'env',
          t('Environment'),
          t("One NAME=value a line, added to the engine's own"),
          'WANDB_MODE=offline',
        ]}
      />
      <Accordion
        multiple
        order={3}
        chevronPosition="left"
        value={[...open]}
        onChange={setOpen}
        transitionDuration={0}
        classNames={{
          control: classes.section!,
          content: classes.sectionContent!,
          label: classes.sectionLabel!,
        }}
      >
        {SECTIONS.map((section) => {
          const count = countOf(section, form);
          return (
            <Accordion.Item key={section.key} value={section.key}>
              <Accordion.Control>
                {section.title}{' '}
                <span className="dim">{count > 0 ? t('{{n}} set', { n: count }) : section.about}</span>
              </Accordion.Control>
              <Accordion.Panel>{contents[section.key]}</Accordion.Panel>
            </Accordion.Item>
          );
        })}
      </Accordion>
    </div>
  );
}

/** How many of a section's fields say something. */
const countOf = ({ fields, switches = [] }: Section, form: JobForm): number =>
  fields.filter((field) => form[field].trim() !== (USUAL[field] ?? '')).length +
  switches.filter((name) => form[name]).length;

function Lines(props: FieldsProps & { of: readonly Line[]; mono?: boolean }) {
  const { form, problems, onChange, of, mono = false } = props;
  return (
    <div className={of.length === 1 ? undefined : classes.three}>
      {of.map(([field, label, about, placeholder]) => (
        <TextInput
          key={field}
          name={field}
          label={label}
          description={about}
          placeholder={placeholder}
          value={form[field]}
          error={problems[field]}
          spellCheck={false}
          onChange={({ currentTarget }) => onChange({ [field]: currentTarget.value })}
          {...(mono && { classNames: { input: 'mono' } })}
        />
      ))}
    </div>
  );
}

function Text(props: FieldsProps & { of: Line; rows: number; focus?: boolean }) {
  const { form, problems, onChange, of, rows, focus = false } = props;
  const [field, label, about, placeholder] = of;
  return (
    <Textarea
      name={field}
      label={label}
      description={about}
      placeholder={placeholder}
      value={form[field]}
      error={problems[field]}
      autosize
      minRows={rows}
      maxRows={8}
      spellCheck={false}
      classNames={{ input: 'mono' }}
      {...(focus && { 'data-autofocus': true })}
      onChange={({ currentTarget }) => onChange({ [field]: currentTarget.value })}
    />
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
        <span className="dim">{t('The words as the job will get them appear here.')}</span>
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
