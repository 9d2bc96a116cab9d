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
import { theme } from './theme.ts';

document.documentElement.lang = language;
const root = document.getElementById('root');
if (root === null) throw new TypeError('index.html has no element #root to draw the console in');

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

// For as long as the page is open.
void runConnection(new AbortController().signal);
