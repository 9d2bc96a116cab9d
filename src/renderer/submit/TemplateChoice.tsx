import { ActionIcon, Button, Popover, Select, TextInput } from '@mantine/core';
import { IconPencil, IconTemplate, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { Template } from '../../domain/template.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import { sayTrouble, sayWithUndo } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { formOfTemplate, type JobForm, templateOf } from './jobForm.ts';
import type { JobRequest } from './jobRequest.ts';
import classes from './SubmitDialog.module.css';

const ask = (): Promise<Template[]> => client().templates.list();
const byName = (a: Template, b: Template): number => a.name.localeCompare(b.name);

/** Submissions that are kept under a name: chosen, kept, renamed and removed. */
export function TemplateChoice(props: {
  form: JobForm;
  request: JobRequest;
  blank: JobForm;
  onForm(form: JobForm): void;
}) {
  const { form, request, blank, onForm } = props;
  const { value, set } = useAsked(ask);
  const all = value ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const template = all.find(({ name }) => name === chosen);
  /** In the list as it is then: it may have changed meanwhile. */
  const change = async (work: () => Promise<unknown>, trouble: string): Promise<boolean> => {
    try {
      await work();
      set((await ask()).sort(byName));
      return true;
    } catch (error) {
      sayTrouble(trouble, error);
      return false;
    }
  };
  const save = async (name: string): Promise<boolean> => {
    if (request.spec === null) return false;
    const kept = { name, ...templateOf(form, request.spec), replace: name === chosen };
    const done = await change(() => client().templates.save(kept), t('The template was not kept'));
    if (done) setChosen(name);
    return done;
  };
  const rename = async (to: string): Promise<boolean> => {
    const name = chosen!;
    const done = await change(() => client().templates.rename({ name, to }), t('It was not renamed'));
    if (done) setChosen(to);
    return done;
  };
  const remove = async ({ savedAtMs: _, ...was }: Template): Promise<void> => {
    if (!(await change(() => client().templates.remove({ name: was.name }), t('It was not removed')))) return;
    setChosen(null);
    sayWithUndo(t('removed the template {{name}}', { name: visibleText(was.name) }), t('Put back'), () => {
      void change(() => client().templates.save(was), t('It was not put back'));
    });
  };

  return (
    <div className={classes.template}>
      <Select
        size="xs"
        aria-label={t('Template')}
        placeholder={all.length === 0 ? t('No templates yet') : t('Template')}
        data={all.map(({ name }) => ({ value: name, label: visibleText(name) }))}
        value={chosen}
        searchable
        clearable
        disabled={all.length === 0}
        nothingFoundMessage={t('None is called that')}
        clearButtonProps={{ 'aria-label': t('Choose none') }}
        onChange={(name) => {
          setChosen(name);
          const found = all.find((one) => one.name === name);
          if (found !== undefined) onForm(formOfTemplate(found, blank));
        }}
      />
      <NameField
        label={t('Keep as a template …')}
        about={t('Without moments, what it waits for, and secrets')}
        first={chosen ?? form.name}
        verb={t('Keep')}
        disabled={request.spec === null || request.spec.command.length === 0}
        onName={save}
        button={(open, disabled) => (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTemplate size={16} />}
            disabled={disabled}
            onClick={open}
          >
            {t('Keep as a template …')}
          </Button>
        )}
      />
      {template !== undefined && (
        <>
          <NameField
            label={t('New name')}
            first={template.name}
            verb={t('Rename')}
            onName={rename}
            button={(open) => (
              <ActionIcon
                variant="subtle"
                aria-label={t('Rename the template')}
                title={t('Rename the template')}
                onClick={open}
              >
                <IconPencil size={16} />
              </ActionIcon>
            )}
          />
          <ActionIcon
            variant="subtle"
            aria-label={t('Remove the template')}
            title={t('Remove the template')}
            onClick={() => void remove(template)}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </>
      )}
    </div>
  );
}

/** A button that asks for a name. */
function NameField(props: {
  label: string;
  about?: string;
  first: string;
  verb: string;
  disabled?: boolean;
  /** @returns whether it was taken. */
  onName(name: string): Promise<boolean>;
  button(open: () => void, disabled: boolean): React.ReactElement;
}) {
  const { label, about, first, verb, disabled = false, onName, button } = props;
  const [name, setName] = useState<string | null>(null);
  const close = () => setName(null);
  const done = async (): Promise<void> => {
    const given = name?.trim() ?? '';
    if (given !== '' && (await onName(given))) close();
  };
  return (
    <Popover opened={name !== null} onDismiss={close} position="bottom-start" trapFocus withinPortal={false}>
      <Popover.Target>{button(() => setName(first), disabled)}</Popover.Target>
      <Popover.Dropdown>
        <TextInput
          size="xs"
          label={label}
          description={about}
          value={name ?? ''}
          maxLength={64}
          data-autofocus
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            // The dialog's own form is not meant.
            event.preventDefault();
            event.stopPropagation();
            void done();
          }}
        />
        <Button size="xs" mt={8} onClick={() => void done()} disabled={(name?.trim() ?? '') === ''}>
          {verb}
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
