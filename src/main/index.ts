import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, dialog, ipcMain, nativeTheme, protocol, session } from 'electron';
import { messageOf } from '../domain/errors.ts';
import { openEngineLog } from '../engine/engineLog.ts';
import { prepareHome, resolveHome } from '../engine/home.ts';
import { type Log, systemClock } from '../engine/ports.ts';
import { setAppMenu } from './appMenu.ts';
import { APP_SCHEME } from './appOrigin.ts';
import { sayThatJobsGoOn } from './closingNotice.ts';
import { type DesktopFlags, parseDesktopFlags } from './commandLine.ts';
import { type EngineHost, startEngineHost } from './engineHost.ts';
import { acceptConsolePorts, logStrayMessages } from './ipcPort.ts';
import { followJobCounts } from './jobCounts.ts';
import { pauseAll } from './pauseAll.ts';
import { registerAppScheme, rendererResponder } from './protocol.ts';
import { hardenContents, hardenSession } from './security.ts';
import { showTray } from './tray.ts';
import { openConsoleWindow } from './window.ts';

/** The desktop: one engine, one window, one icon in the tray. */
function main(): void {
  app.setName('Stint');
  app.setAppUserModelId('io.github.stint');
  registerAppScheme(protocol);
  nativeTheme.themeSource = 'system';
  try {
    const flags = parseDesktopFlags(process.argv.slice(1));
    const home = resolveHome(flags.data);
    prepareHome(home);
    // Beside the engine's data, so that the lock is one per home and consoles of different homes do not mix.
    const own = join(home, 'desktop');
    mkdirSync(own, { recursive: true, mode: 0o700 });
    app.setPath('userData', own);
    if (!app.requestSingleInstanceLock()) {
      process.stderr.write('Stint is open on this data already; its window comes to the front.\n');
      app.exit(0);
      return;
    }
    const log = openEngineLog(
      join(home, 'engine.log'),
      (line) => process.stderr.write(`${line}\n`),
      systemClock.nowMs,
    );
    run(home, flags, log).catch(giveUp);
  } catch (error) {
    giveUp(error);
  }
}

async function run(home: string, flags: DesktopFlags, log: Log): Promise<void> {
  // The tray keeps the app; without this a window that is gone would end it.
  app.on('window-all-closed', () => log.info('the window is gone; the engine goes on'));
  app.on('web-contents-created', (_event, contents) => {
    hardenContents(contents, log);
    logStrayMessages(contents, log);
  });
  await app.whenReady();
  hardenSession(session.defaultSession, log);
  protocol.handle(APP_SCHEME, rendererResponder(fileURLToPath(new URL('../renderer', import.meta.url))));
  const engine = await startEngineHost(home, flags, log);
  try {
    show(home, engine, log);
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** The window, the tray and the ways out. */
function show(home: string, engine: EngineHost, log: Log): void {
  const quit = (): void => app.quit();
  setAppMenu(quit);
  const window = openConsoleWindow({
    statePath: join(home, 'desktop', 'window.json'),
    clock: systemClock,
    log,
    onHidden: sayThatJobsGoOn(log),
    onGivenUp: () =>
      dialog.showErrorBox(
        'The console keeps ending unexpectedly',
        'Jobs go on running. Quit Stint and start it again, or use: stint serve',
      ),
  });
  acceptConsolePorts({ ipcMain, isConsole: window.isShowing, serve: engine.serve, log });
  app.on('second-instance', window.show);
  app.on('activate', window.show);

  const tray = showTray({ open: window.show, pauseAll: () => void pauseAll(engine.client, log), quit });
  const ending = new AbortController();
  followJobCounts(engine.client, ending.signal, tray.update).catch((error: unknown) => {
    if (!ending.signal.aborted) log.error('the tray no longer counts jobs', { error: messageOf(error) });
  });

  app.on('before-quit', window.letClose);
  app.on('will-quit', (event) => {
    if (ending.signal.aborted) return;
    event.preventDefault();
    ending.abort();
    tray.destroy();
    engine.stop().then(
      () => app.exit(0),
      (error: unknown) => {
        log.error('the engine did not end in order', { error: messageOf(error) });
        app.exit(1);
      },
    );
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit);
}

/** Says what is wrong and what to do, and ends. Nothing has been opened that would need closing. */
function giveUp(error: unknown): void {
  void app.whenReady().then(() => {
    dialog.showErrorBox('Stint cannot start', messageOf(error));
    app.exit(1);
  });
}

main();
