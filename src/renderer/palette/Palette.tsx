import { Modal, TextInput, useMantineColorScheme } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { MODES } from '../../domain/mode.ts';
import { POLICY_NAMES } from '../../domain/policyNames.ts';
import { DENSITIES, setDensity } from '../appearance.ts';
import { t } from '../i18n/t.ts';
import { act, undoLast } from '../jobActions.ts';
import { setDrain, setMode, setPolicy } from '../machineActions.ts';
import { goTo, VIEWS } from '../route.ts';
import { VIEW_LABELS } from '../shell/viewLabels.ts';
import { boardOf } from '../store/state.ts';
import { makeStore, useMachine } from '../store/store.ts';
import { openSubmit } from '../submit/openSubmit.ts';
import classes from './Palette.module.css';
import { type PaletteItem, paletteItems } from './paletteItems.ts';

/** Whether it is open. */
export const palette = makeStore(false);

/** Everything that can be done or gone to, by typing a few letters of it: Ctrl+K. */
export function Palette({ onKeys }: { onKeys(): void }) {
  const opened = useSyncExternalStore(palette.subscribe, palette.get);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      palette.update((open) => open || document.querySelector('[role="dialog"]') === null);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const close = () => palette.update(() => false);
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t('Do or find')}
      withCloseButton={false}
      size={640}
      yOffset="12vh"
      classNames={{ header: classes.header!, body: classes.body! }}
    >
      <Choices onClose={close} onKeys={onKeys} />
    </Modal>
  );
}

function Choices({ onClose, onKeys }: { onClose(): void; onKeys(): void }) {
  const jobs = useMachine((machine) => machine.jobs);
  const drained = useMachine((machine) => machine.scheduler.drainedSinceMs !== null);
  const { setColorScheme } = useMantineColorScheme();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);

  const commands = useMemo<readonly PaletteItem[]>(() => {
    const command = (label: string, run: () => void, words = '', hint = ''): PaletteItem => ({
      key: label,
      label,
      words,
      hint,
      run,
    });
    return [
      command(t('Submit a job'), () => openSubmit(), 'new', 'n'),
      ...VIEWS.map((view, i) =>
        command(
          t('Go to {{view}}', { view: VIEW_LABELS[view] }),
          () => goTo({ view }),
          'view',
          String(i + 1),
        ),
      ),
      command(t('Take back what was done last'), undoLast, 'undo', 'u'),
      drained
        ? command(t('Start jobs again'), () => void setDrain(false), t('drain off'))
        : command(t('Drain: start nothing more'), () => void setDrain(true), 'stop'),
      ...MODES.map((mode) =>
        command(
          t('Who acts: {{a}}', { a: MODE_LABELS[mode] }),
          () => void setMode(mode),
          t('mode {{mode}}', { mode }),
        ),
      ),
      ...POLICY_NAMES.map((policy) =>
        command(t('Policy: {{policy}}', { policy }), () => void setPolicy(policy), 'scheduler'),
      ),
      command(
        t('Failed jobs of the last day'),
        () => goTo({ view: 'history', query: FAILED_LATELY }),
        'history',
      ),
      ...(['light', 'dark', 'auto'] as const).map((scheme) =>
        command(
          t('Theme: {{a}}', { a: scheme === 'auto' ? t('as the system') : scheme }),
          () => setColorScheme(scheme),
          'colour',
        ),
      ),
      ...DENSITIES.map((one) => command(t('Density: {{one}}', { one }), () => setDensity(one), 'rows')),
      command(t('Keys'), onKeys, t('shortcuts help keyboard'), '?'),
    ];
  }, [drained, onKeys, setColorScheme]);
  const items = useMemo(() => {
    const { live, waiting, over } = boardOf(jobs);
    return paletteItems(query, {
      jobs: [...live, ...waiting, ...over],
      commands,
      act: (action, job) => act(action, [job]),
      open: (id) => goTo({ view: 'job', id }),
    });
  }, [query, jobs, commands]);
  const chosen = Math.min(at, items.length - 1);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const run = (item: PaletteItem | undefined): void => {
    if (item === undefined) return;
    onClose();
    item.run();
  };
  return (
    <>
      <TextInput
        value={query}
        onChange={({ currentTarget }) => {
          setQuery(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined) {
            event.preventDefault();
            setAt((chosen + step + items.length) % Math.max(1, items.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            run(items[chosen]);
          }
        }}
        placeholder={t('pause 12, go to history, policy, a job’s name …')}
        aria-label={t('What to do or find')}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-items"
        aria-activedescendant={items.length > 0 ? `palette-${chosen}` : undefined}
        leftSection={<IconSearch size={16} />}
        data-autofocus
        autoComplete="off"
        spellCheck={false}
      />
      <div
        ref={list}
        id="palette-items"
        role="listbox"
        aria-label={t('What there is')}
        className={classes.items}
      >
        {items.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keyboard, as a combobox does.
          // biome-ignore lint/a11y/useFocusableInteractive: as above, its option is the active descendant.
          <div
            key={item.key}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={classes.item}
            onClick={() => run(item)}
            onPointerMove={() => setAt(index)}
          >
            <span className="cut">{item.label}</span>
            <span className={classes.hint}>{item.hint}</span>
          </div>
        ))}
      </div>
      {items.length === 0 && <p className={classes.none}>{t('Nothing is called that.')}</p>}
    </>
  );
}

const MODE_LABELS = {
  manual: t('people only'),
  advise: t('the policy advises'),
  auto: t('the policy'),
} as const;
const FAILED_LATELY = 'status=failed,timed-out,lost&from=1d';
