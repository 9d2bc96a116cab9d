import { VisuallyHidden } from '@mantine/core';
import { useCallback, useState } from 'react';
import { MorePanel } from './control/MorePanel.tsx';
import { HistoryView } from './history/HistoryView.tsx';
import { JobPage } from './job/JobPage.tsx';
import { undoLast } from './jobActions.ts';
import { MachineView } from './machine/MachineView.tsx';
import { Palette } from './palette/Palette.tsx';
import { QueueView } from './queue/QueueView.tsx';
import { goTo, useRoute } from './route.ts';
import { DecisionPage } from './scheduler/DecisionPage.tsx';
import { EpisodePage } from './scheduler/EpisodePage.tsx';
import { SchedulerView } from './scheduler/SchedulerView.tsx';
import { SettingsView } from './settings/SettingsView.tsx';
import classes from './shell/App.module.css';
import { ConnectionBanner } from './shell/ConnectionBanner.tsx';
import { Header } from './shell/Header.tsx';
import { KeysDialog } from './shell/KeysDialog.tsx';
import { Connecting, Refused } from './shell/NoMachine.tsx';
import { useKeys } from './shell/useKeys.ts';
import { useStint } from './store/store.ts';
import { openSubmit } from './submit/openSubmit.ts';
import { SubmitDialog } from './submit/SubmitDialog.tsx';

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
        {!('id' in route) && <VisuallyHidden component="h1">{route.view}</VisuallyHidden>}
        {route.view === 'queue' && <QueueView onSubmit={submit} />}
        {route.view === 'machine' && <MachineView />}
        {route.view === 'scheduler' && <SchedulerView />}
        {route.view === 'settings' && <SettingsView />}
        {route.view === 'history' && <HistoryView key={route.query ?? ''} query={route.query ?? ''} />}
        {route.view === 'job' && <JobPage key={route.id} jobId={route.id} />}
        {route.view === 'decision' && <DecisionPage key={route.id} id={route.id} />}
        {route.view === 'episode' && <EpisodePage key={route.id} id={route.id} />}
      </main>
      <SubmitDialog />
      <MorePanel />
      <Palette onKeys={openKeys} />
      <KeysDialog opened={keys} onClose={() => setKeys(false)} />
    </div>
  );
}
