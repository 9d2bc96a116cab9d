import { VisuallyHidden } from '@mantine/core';
import { Suspense, useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { MorePanel } from './control/MorePanel.tsx';
import { undoLast } from './jobActions.ts';
import { Palette } from './palette/Palette.tsx';
import { QueueView } from './queue/QueueView.tsx';
import { goTo, useRoute } from './route.ts';
import classes from './shell/App.module.css';
import { ConnectionBanner } from './shell/ConnectionBanner.tsx';
import { Header } from './shell/Header.tsx';
import { HeldKeys } from './shell/HeldKeys.tsx';
import { KeysDialog } from './shell/KeysDialog.tsx';
import { lazyView } from './shell/lazyView.tsx';
import { Connecting, Refused } from './shell/NoMachine.tsx';
import { useKeys } from './shell/useKeys.ts';
import { VIEW_LABELS } from './shell/viewLabels.ts';
import { useStint } from './store/store.ts';
import { DropTarget } from './submit/DropTarget.tsx';
import { openSubmit, submitting } from './submit/openSubmit.ts';

// The queue is what is seen first; the rest comes when it is looked at, and what is likely next before that.
const loadJobPage = async () => (await import('./job/JobPage.tsx')).JobPage;
const JobPage = lazyView(loadJobPage);
const HistoryView = lazyView(async () => (await import('./history/HistoryView.tsx')).HistoryView);
const NowView = lazyView(async () => (await import('./machine/NowView.tsx')).NowView);
const DecisionPage = lazyView(async () => (await import('./scheduler/DecisionPage.tsx')).DecisionPage);
const EpisodePage = lazyView(async () => (await import('./scheduler/EpisodePage.tsx')).EpisodePage);
const SchedulerView = lazyView(async () => (await import('./scheduler/SchedulerView.tsx')).SchedulerView);
const SettingsView = lazyView(async () => (await import('./settings/SettingsView.tsx')).SettingsView);
const loadSubmitDialog = async () => (await import('./submit/SubmitDialog.tsx')).SubmitDialog;
const SubmitDialog = lazyView(loadSubmitDialog);

/** The console: header, the view that the address names, and the dialogs. */
export function App() {
  const phase = useStint((state) => state.phase);
  const known = useStint((state) => state.machine !== null);
  if (phase === 'refused') return <Refused />;
  return known ? <Console /> : <Connecting />;
}

function Console() {
  const route = useRoute();
  const [keys, setKeys] = useState(false);
  const submits = useSyncExternalStore(submitting.subscribe, submitting.get) !== null;
  const [asked, setAsked] = useState(false);
  if (submits && !asked) setAsked(true);
  useEffect(() => {
    // They are there before they are asked for: who presses n types on at once.
    const idle = requestIdleCallback(() => {
      for (const load of [loadSubmitDialog, loadJobPage]) load().catch(() => undefined);
    });
    return () => cancelIdleCallback(idle);
  }, []);
  const openKeys = useCallback(() => setKeys(true), []);
  const submit = () => openSubmit();

  useKeys({
    '1': () => goTo({ view: 'queue' }),
    '2': () => goTo({ view: 'machine' }),
    '3': () => goTo({ view: 'scheduler' }),
    '4': () => goTo({ view: 'history' }),
    '5': () => goTo({ view: 'settings' }),
    n: submit,
    u: undoLast,
    '?': openKeys,
  });

  return (
    <div className={classes.console}>
      <Header route={route} onSubmit={submit} onKeys={openKeys} />
      <ConnectionBanner />
      <main className={classes.view}>
        <Suspense key={route.view} fallback={<HeldKeys />}>
          {!('id' in route) && <VisuallyHidden component="h1">{VIEW_LABELS[route.view]}</VisuallyHidden>}
          {route.view === 'queue' && <QueueView onSubmit={submit} />}
          {route.view === 'machine' && <NowView onSubmit={submit} />}
          {route.view === 'scheduler' && <SchedulerView />}
          {route.view === 'settings' && <SettingsView />}
          {route.view === 'history' && <HistoryView key={route.query ?? ''} query={route.query ?? ''} />}
          {route.view === 'job' && <JobPage key={route.id} jobId={route.id} />}
          {route.view === 'decision' && <DecisionPage key={route.id} id={route.id} />}
          {route.view === 'episode' && <EpisodePage key={route.id} id={route.id} />}
        </Suspense>
      </main>
      <Suspense fallback={<HeldKeys typed />}>{asked && <SubmitDialog />}</Suspense>
      <MorePanel />
      <DropTarget />
      <Palette onKeys={openKeys} />
      <KeysDialog opened={keys} onClose={() => setKeys(false)} />
    </div>
  );
}
