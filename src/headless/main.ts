import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../domain/finding.ts';
import { createEngine } from '../engine/engine.ts';
import { openEngineLog } from '../engine/engineLog.ts';
import { prepareHome } from '../engine/home.ts';
import { packageRoot } from '../engine/packageRoot.ts';
import { systemClock } from '../engine/ports.ts';
import { serveLocalSocket } from '../engine/server/localSocket.ts';
import { storageTrouble } from '../engine/store/storageTrouble.ts';
import type { CertificateFiles } from './certificate.ts';
import { createHttpHost } from './httpHost.ts';

// For the command line, which sees no more of the engine than this entry.
export { restoreBackup } from '../engine/backup/restoreBackup.ts';
export { writeBackup } from '../engine/backup/writeBackup.ts';

export interface HostOptions {
  /** Data directory, absolute; made if it is missing. */
  readonly home: string;
  /** Port of the console; 0: any free one. */
  readonly port: number;
  /** An address of this machine; left out: 127.0.0.1. Another needs a certificate. */
  readonly listen?: string;
  readonly certificate?: CertificateFiles;
  /** As `--devices` takes it; left out: what the machine has. */
  readonly devices?: string;
  readonly policy?: string;
  /** Where the built console lies; left out: this installation's. */
  readonly consoleDir?: string;
  /** Takes warnings, one line each. */
  readonly stderr: (line: string) => void;
}

export interface Host {
  /** The console's address with its token. Whoever has it may do everything. */
  readonly url: string;
  readonly socketPath: string;
  /** Ends the host and its engine. Jobs run on. */
  stop(): Promise<void>;
}

/**
 * Starts the engine with its two doors: the local socket for programs of this user, and loopback HTTP for the
 * console.
 * @throws {FieldError} for an unusable option, {ConflictError} if an engine runs on this home or the port is taken.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const { home } = options;
  prepareHome(home);
  const log = openEngineLog(join(home, 'engine.log'), options.stderr, systemClock.nowMs);
  // What has been started, to be ended in the opposite order, also when a later part fails to start.
  const started: (() => Promise<void> | void)[] = [
    () => {
      log.info('stopped; jobs run on');
      log.close();
    },
  ];
  const stop = async (): Promise<void> => {
    for (let end = started.pop(); end; end = started.pop()) await end();
  };
  try {
    const engine = await createEngine({
      home,
      log,
      ...(options.devices === undefined ? {} : { devices: options.devices }),
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    });
    started.push(() => engine.stop());
    const http = await createHttpHost({
      router: engine.router,
      tokens: engine.tokens,
      scrape: engine.scrape,
      port: options.port,
      ...(options.listen === undefined ? {} : { listen: options.listen }),
      ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
      consoleDir: options.consoleDir ?? join(packageRoot(), 'out', 'renderer'),
      log,
    });
    started.push(() => http.close());
    // For `stint console`: readable by the owner alone, like the rest of the home.
    const address = join(home, 'console.json');
    writeFileSync(address, JSON.stringify({ url: http.url, pid: process.pid }), { mode: 0o600 });
    started.push(() => rmSync(address, { force: true }));
    // Last, because whoever finds the socket expects everything to work.
    const socket = await serveLocalSocket({ home, router: engine.router, log });
    started.push(() => socket.close());
    log.info('serving', { port: http.port, socket: socket.path, pid: process.pid });
    return { url: http.url, socketPath: socket.path, stop };
  } catch (error) {
    await stop();
    throw storageTrouble(error, `${home} cannot be used: `) ?? error;
  }
}

/**
 * Examines a data directory on which no engine runs. What only an engine knows is left out.
 * @returns the gravest findings first.
 */
export async function doctor(home: string): Promise<Finding[]> {
  const { examine } = await import('../engine/doctor/examine.ts');
  const { rungsOffline } = await import('../engine/control/rungsOffline.ts');
  const { env } = process;
  const rungs = () => rungsOffline({ home, env, log: { info: quiet, warn: quiet, error: quiet } });
  return examine({ home, env, nowMs: systemClock.nowMs(), rungs, engine: null });
}

const quiet = (): void => undefined;

export interface ServeOptions extends HostOptions {
  /** True: announce readiness as one line of JSON. */
  readonly json: boolean;
  readonly stdout: (line: string) => void;
}

const STOP_DEADLINE_MS = 15_000;

/**
 * `stint serve`: starts a host, says in one line where it is, and runs until SIGTERM, SIGINT or SIGHUP.
 * @returns the exit status: 0, or 1 if it could not end in order.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const host = await startHost(options);
  options.stdout(
    options.json
      ? JSON.stringify({ url: host.url, socket: host.socketPath, pid: process.pid })
      : `Stint is running: open ${host.url} (Ctrl+C ends it; jobs run on)`,
  );
  await signalled;
  const stuck = setTimeout(() => {
    options.stderr(`it did not end within ${STOP_DEADLINE_MS / 1000} s and was cut off; see engine.log`);
    process.exit(1);
  }, STOP_DEADLINE_MS);
  await host.stop();
  clearTimeout(stuck);
  return 0;
}
