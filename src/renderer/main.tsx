import './noEval.ts';
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './styles/fonts.css';
import './styles/base.css';
import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { runConnection } from './connection.ts';
import { language } from './i18n/t.ts';
import type { Look } from './line.ts';
import { theme } from './theme.ts';

document.documentElement.lang = language;
/** @param first the first look at the engine, which was begun while this was being read. */
export function show(first: Promise<Look>): void {
  const root = document.getElementById('root');
  if (root === null) throw new TypeError('index.html has no element #root to draw the console in');
  // For as long as the page is open.
  void runConnection(first, new AbortController().signal);
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <ModalsProvider>
          <Notifications position="bottom-right" limit={4} />
          <App />
        </ModalsProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
