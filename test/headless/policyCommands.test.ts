import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { commandLineOf } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';
import { until } from './until.ts';

let home: string;
let engine: TestEngine;
let socket: LocalSocket;
beforeAll(async () => {
  home = temporaryHome();
  engine = await startEngine({ home, policy: 'dqn', gate: { jobsPerWorld: 20 } });
  socket = await serveLocalSocket({ home, router: engine.engine.router, log: recordingLog(), env: {} });
});
afterAll(async () => {
  await socket.close();
  await engine.engine.stop();
  removeHome(home);
});
const stint = commandLineOf(() => home);
const ok = (stdout: string) => ({ status: 0, stdout, stderr: '' });

it('hands weights on, judges them, and puts them in charge and back', { timeout: 180_000 }, async () => {
  // The gate keeps to what learning may take.
  await engine.client.scheduler.setLearning({ cpuPercent: 100 });
  const shipped = (await engine.client.scheduler.versions())[0]!.version;
  const file = join(home, 'weights.json');
  expect(await stint('policy', 'export', shipped, '-o', file)).toEqual(ok(`${file}\n`));
  const weights = JSON.parse(readFileSync(file, 'utf8')) as { name: string; weights: string };
  expect(weights.name).toBe(shipped);
  writeFileSync(file, JSON.stringify({ ...weights, name: 'from-home' }));
  expect(await stint('policy', 'import', file)).toEqual(ok('from-home\n'));

  expect((await stint('policy', 'judge', 'from-home')).status).toBe(0);
  await until(
    async () => (await engine.client.scheduler.status()).promotion.last !== null,
    'a verdict',
    120_000,
  );
  const { stdout } = await stint('policy', 'show', 'from-home');
  expect(stdout).toMatch(/verdict +refused: no certain gain over/);
  expect(stdout).toMatch(/AGAINST +MEAN JCT/);
  const listed = JSON.parse((await stint('policy', 'ls', '--json')).stdout) as { version: string }[];
  expect(listed.map(({ version }) => version)).toEqual([shipped, 'from-home']);

  expect(await stint('policy', 'promote', 'from-home')).toEqual(ok('from-home is in charge\n'));
  expect((await stint('policy', 'ls')).stdout).toMatch(/from-home +in charge +imported/);
  expect(await stint('policy', 'rollback')).toEqual(ok(`${shipped} is in charge again\n`));
  expect((await stint('policy', 'freeze')).stdout).toMatch(/^frozen/);
  expect((await stint('policy', 'ls')).stdout).toMatch(/frozen: nothing takes charge by itself/);
  expect((await stint('policy', 'freeze', '--off')).status).toBe(0);
  expect(await stint('policy')).toEqual(ok('dqn\n'));
  expect(await stint('policy', 'calibration')).toEqual(
    ok('0 decisions of dqn to compare, too few to tell\n'),
  );
  expect(JSON.parse((await stint('policy', 'calibration', '--json')).stdout)).toMatchObject({ bins: [] });
});

it.each([
  [['policy', 'show', 'nobody'], 'no version nobody'],
  [['policy', 'promote', 'nobody'], 'no version nobody'],
  [['policy', 'import', '/nowhere/weights.json'], 'FILE: "/nowhere/weights.json" is not usable'],
])('says what is wrong with %j', async (args, message) => {
  const { status, stdout, stderr } = await stint(...args);
  expect(status).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
});
