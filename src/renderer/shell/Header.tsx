import { ActionIcon, Button, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconKeyboard,
  IconMoon,
  IconPlus,
  IconSearch,
  IconSun,
} from '@tabler/icons-react';
import { useMemo } from 'react';
import { isLive, isTerminal } from '../../domain/job.ts';
import { t } from '../i18n/t.ts';
import { setDrain } from '../machineActions.ts';
import { palette } from '../palette/Palette.tsx';
import { hrefOf, type Route, type Thing, VIEWS } from '../route.ts';
import { useMachine, useNow } from '../store/store.ts';
import { formatCount } from '../text/formatCount.ts';
import { formatClock, formatMoment } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Header.module.css';
import { VIEW_LABELS } from './viewLabels.ts';

const THINGS: Readonly<Record<Thing, (id: number) => string>> = {
  job: (id) => t('Job #{{id}}', { id }),
  decision: (id) => t('Decision {{id}}', { id }),
  episode: (id) => t('Episode {{id}}', { id }),
};

/** Name, views and actions; below them one line that says how the machine stands. */
export function Header(props: { route: Route; onSubmit(): void; onKeys(): void }) {
  const { route, onSubmit, onKeys } = props;
  return (
    <header className={classes.header}>
      <div className={classes.top}>
        <a className={classes.name} href="#/queue" aria-label={t('Stint, queue')}>
          <Mark />
          Stint
        </a>
        <nav className={classes.views} aria-label={t('Views')}>
          {VIEWS.map((view) => (
            <a
              key={view}
              href={hrefOf({ view })}
              aria-current={route.view === view ? 'page' : undefined}
              className={classes.tab}
            >
              {VIEW_LABELS[view]}
            </a>
          ))}
          {'id' in route && (
            <a href={hrefOf(route)} aria-current="page" className={classes.tab}>
              {THINGS[route.view](route.id)}
            </a>
          )}
        </nav>
        <div className={classes.actions}>
          <Tooltip label={t('Do or find (Ctrl+K)')}>
            <ActionIcon
              variant="subtle"
              size={32}
              onClick={() => palette.update(() => true)}
              aria-label={t('Do or find')}
            >
              <IconSearch size={18} />
            </ActionIcon>
          </Tooltip>
          <ThemeMenu />
          <Tooltip label={t('Keys (?)')}>
            <ActionIcon variant="subtle" size={32} onClick={onKeys} aria-label={t('Keys')}>
              <IconKeyboard size={18} />
            </ActionIcon>
          </Tooltip>
          <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={onSubmit} h={32} px={12}>
            {t('Submit')}
          </Button>
        </div>
      </div>
      <Standing />
    </header>
  );
}

function Standing() {
  const system = useMachine((machine) => machine.system);
  const jobs = useMachine((machine) => machine.jobs);
  const devices = useMachine((machine) => machine.devices);
  const policy = useMachine((machine) => machine.scheduler.policy);
  const drainedSinceMs = useMachine((machine) => machine.scheduler.drainedSinceMs);
  const nowMs = useNow();
  const { live, waiting } = useMemo(() => {
    const open = [...jobs.values()].filter(({ status }) => !isTerminal(status));
    const live = open.filter(({ status }) => isLive(status));
    return { live, waiting: open.length - live.length };
  }, [jobs]);
  const usable = devices.filter((device) => device.health === 'ok');
  const taken = new Set(live.flatMap((job) => job.devices));
  const idle = usable.filter((device) => !taken.has(device.id) && device.foreign.length === 0).length;
  const broken = devices.length - usable.length;
  return (
    <div className={classes.standing}>
      <span
        className={`${classes.host} cut`}
        title={t('{{os}} · {{cpu}} · Stint {{version}}', {
          os: system.os,
          cpu: system.cpu,
          version: system.version,
        })}
      >
        {visibleText(system.hostname)}
      </span>
      <span className={classes.figure}>
        <b>{formatCount(live.length)}</b> {t('running')}
      </span>
      <span className={classes.figure}>
        <b>{formatCount(waiting)}</b> {t('waiting')}
      </span>
      <span className={classes.figure}>
        <b>
          {idle}
          <span className={classes.of}>/{devices.length}</span>
        </b>{' '}
        {t('GPUs idle')}
      </span>
      {broken > 0 && (
        <span className={`${classes.figure} trouble`}>
          <b>{broken}</b> {t('not readable')}
        </span>
      )}
      {drainedSinceMs !== null && (
        <span
          className={classes.figure}
          title={t('since {{drainedSinceMs}}', { drainedSinceMs: formatMoment(drainedSinceMs, nowMs) })}
        >
          <b>{t('drained')}</b>
          {t(', nothing is started')}{' '}
          <Button size="compact-xs" variant="default" onClick={() => void setDrain(false)}>
            {t('Start jobs again')}
          </Button>
        </span>
      )}
      <span
        className={`${classes.probe} cut`}
        title={system.probeNote ?? t('Readings come from {{probe}}', { probe: system.probe })}
      >
        {t('readings from')} {system.probe}
        {system.probeNote && <> · {visibleText(system.probeNote)}</>}
      </span>
      <span className={classes.right}>
        {policy} {t('decides')}
        <span className={classes.clock} title={Intl.DateTimeFormat().resolvedOptions().timeZone}>
          {formatClock(nowMs)}
        </span>
      </span>
    </div>
  );
}

function ThemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const themes = [
    { value: 'light', label: t('Light'), Icon: IconSun },
    { value: 'dark', label: t('Dark'), Icon: IconMoon },
    { value: 'auto', label: t('As the system'), Icon: IconDeviceDesktop },
  ] as const;
  const Current = themes.find(({ value }) => value === colorScheme)?.Icon ?? IconDeviceDesktop;
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="subtle" size={32} aria-label={t('Theme')}>
          <Current size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {themes.map(({ value, label, Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            onClick={() => setColorScheme(value)}
            aria-current={value === colorScheme}
            fw={value === colorScheme ? 600 : undefined}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Three tracks and the line that is now. */
function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M1 5h10M1 10h7M1 15h13" stroke="currentColor" strokeWidth="3" />
      <path d="M17.5 1v18" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}
