// An engine in a process of its own, to be killed, by others or by itself at a moment that nobody else can hit.
//   host.ts HOME DEVICES [CLOCK_FILE] [DIE_AT N]
// CLOCK_FILE holds by how many milliseconds the clock on the wall is wrong. DIE_AT: `commit` kills it inside its Nth
// transaction, all written and nothing committed; `before-spawn` and `after-spawn` around the start of its Nth supervisor.
// On SIGUSR2 it collects its garbage and says on stdout how much memory is left in use.
import childProcess from 'node:child_process';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import SqliteDatabase from 'better-sqlite3';

const [home = '', devices = '', clockFile = '', dieAt = '', nth = '0'] = process.argv.slice(2);
let left = Number(nth);
const die = (): void => {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
};

if (dieAt === 'commit') {
  const { transaction } = SqliteDatabase.prototype;
  SqliteDatabase.prototype.transaction = function (this: SqliteDatabase.Database, act) {
    const dying = ((...given: never[]) => {
      const result = act(...given);
      die();
      return result;
    }) as typeof act;
    return transaction.call(this, dying) as never;
  };
} else if (dieAt !== '') {
  const { spawn } = childProcess;
  childProcess.spawn = ((...given: Parameters<typeof spawn>) => {
    const supervises = given[1]?.some?.((arg) => arg.endsWith('supervisor.sh')) === true;
    if (supervises && dieAt === 'before-spawn') die();
    const child = spawn(...given);
    if (supervises && dieAt === 'after-spawn') die();
    return child;
  }) as typeof spawn;
  syncBuiltinESMExports();
}

// Only now, so that they see what was done above.
const { createEngine } = await import('../../src/engine/engine.ts');
const { systemClock } = await import('../../src/engine/ports.ts');
const { serveLocalSocket } = await import('../../src/engine/server/localSocket.ts');

function offsetMs(): number {
  try {
    return Number(readFileSync(clockFile, 'utf8')) || 0;
  } catch {
    return 0;
  }
}
const clock =
  clockFile === '' ? systemClock : { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs() };
/** STINT_HEAP_SNAPSHOTS names a directory that gets a snapshot of the heap each time. */
function sayMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What finalisers let go of falls to the second.
  for (let times = 0; times < 2; times++) collect();
  const snapshots = process.env.STINT_HEAP_SNAPSHOTS;
  if (snapshots) writeHeapSnapshot(`${snapshots}/${Date.now()}.heapsnapshot`);
  process.stdout.write(`${JSON.stringify(process.memoryUsage())}\n`);
}
const say = (message: string, detail?: unknown): void =>
  void process.stderr.write(`${message} ${JSON.stringify(detail ?? {})}\n`);
const log = { info: () => undefined, warn: say, error: say };
try {
  const engine = await createEngine({ home, devices, policy: 'dqn', log, clock, graceMs: 1000 });
  const socket = await serveLocalSocket({ home, router: engine.router, log });
  process.on('SIGTERM', async () => {
    await socket.close();
    await engine.stop();
    process.exit(0);
  });
  process.on('SIGUSR2', sayMemory);
  process.stdout.write('ready\n');
} catch (error) {
  process.stderr.write(`refused: ${(error as Error).message}\n`);
  process.exit(9);
}
