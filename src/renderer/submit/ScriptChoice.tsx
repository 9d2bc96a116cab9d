import { Button, FileButton, Select } from '@mantine/core';
import { IconFileCode } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import type { JobForm } from './jobForm.ts';
import { readScript } from './readDropped.ts';
import classes from './SubmitDialog.module.css';
import { formOfScript, type ScriptFile } from './scriptForm.ts';

/** Fills the form from a script: one that was dropped on the window, or is chosen here. What has no meaning here is said. */
export function ScriptChoice(props: {
  dropped: readonly ScriptFile[];
  blank: JobForm;
  onForm(form: JobForm): void;
}) {
  const { dropped, blank, onForm } = props;
  const [scripts, setScripts] = useState<readonly ScriptFile[]>([]);
  const [at, setAt] = useState(0);
  const [said, setSaid] = useState<{ readonly notes: readonly string[]; readonly problem: string | null }>({
    notes: [],
    problem: null,
  });
  const use = (all: readonly ScriptFile[], index: number): void => {
    setScripts(all);
    setAt(index);
    const script = all[index];
    if (script === undefined) return;
    const read = formOfScript(script, blank);
    if ('form' in read) onForm(read.form);
    setSaid('form' in read ? { notes: read.notes, problem: null } : { notes: [], problem: read.problem });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is filled in once for what was dropped.
  useEffect(() => {
    if (dropped.length > 0) use(dropped, 0);
  }, [dropped]);
  const script = scripts[at];

  return (
    <div className={classes.script}>
      <FileButton onChange={(file) => file && void readScript(file).then((read) => use([read], 0))}>
        {(button) => (
          <Button {...button} variant="default" size="xs" leftSection={<IconFileCode size={16} />}>
            {t('From a script …')}
          </Button>
        )}
      </FileButton>
      {scripts.length > 1 ? (
        <Select
          size="xs"
          aria-label={t('Script')}
          data={scripts.map(({ name }, index) => ({ value: String(index), label: visibleText(name) }))}
          value={String(at)}
          allowDeselect={false}
          onChange={(value) => value !== null && use(scripts, Number(value))}
        />
      ) : (
        <span className="dim">
          {script === undefined
            ? t('or drop one on the window: its #SBATCH and #STINT lines fill the form')
            : visibleText(script.name)}
        </span>
      )}
      {said.problem !== null && (
        <p role="alert" className={classes.trouble}>
          {visibleText(said.problem)}
        </p>
      )}
      {said.notes.length > 0 && (
        <ul
          className={classes.notes}
          aria-label={t('What the script asks for and means something else here')}
        >
          {said.notes.map((note) => (
            <li key={note}>{visibleText(note)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
