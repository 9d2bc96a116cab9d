import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identify, processTimes } from '../../src/engine/devices/procfs.ts';
import { openEngineLog } from '../../src/engine/engineLog.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

/** Each in a place of its own, so that what is found says where it came from. */
const SECRETS = {
  env: 'hunter-env-1f6a',
  owner: 'hunter-own-9c2e',
  flag: 'hunter-flag-77aa',
  url: 'hunter-url-03bd',
  sweep: 'hunter-swp-5e5e',
};

let home: string;
let stint: TestEngine;
const logged: string[] = [];

const start = async (): Promise<void> => {
  const log = openEngineLog(
    join(home, 'engine.log'),
    (line) => void logged.push(line),
    () => Date.now(),
  );
  stint = await startEngine({ home, log });
};
beforeAll(async () => {
  home = temporaryHome();
  await start();
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
});

/** Files of the data directory in which some secret lies, the vault and what jobs themselves wrote left out. */
function leaks(): string[] {
  const found: string[] = [];
  for (const path of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
    if (path.startsWith('secrets') || path.endsWith('output.log') || path.endsWith('.sock')) continue;
    if (!statSync(join(home, path)).isFile()) continue;
    const bytes = readFileSync(join(home, path));
    for (const [where, secret] of Object.entries(SECRETS))
      if (bytes.includes(secret)) found.push(`${path}: ${where}`);
  }
  return found;
}

/** Everything that is told of jobs to anybody. */
async function told(): Promise<string> {
  const { jobs } = await stint.client.jobs.list({});
  const events = await Promise.all(jobs.map(({ id }) => stint.client.jobs.events({ id })));
  const decisions = await stint.client.scheduler.decisions({ limit: 1000 });
  return JSON.stringify([
    jobs,
    events,
    decisions,
    await stint.client.system.overview(),
    await stint.engine.scrape(),
  ]);
}

const SCRIPT = 'echo "$HF_TOKEN|$MY_LICENCE|$2|$3|$STINT_PARAMS"; exit 7';
const spec = () => ({
  command: [
    'sh',
    '-c',
    `${SCRIPT} # ${SECRETS.env}`,
    'sh',
    '--api-key',
    SECRETS.flag,
    `https://u:${SECRETS.url}@h/`,
  ],
  cwd: tmpdir(),
  user: 'ada',
  name: `with ${SECRETS.env}`,
  env: { HF_TOKEN: SECRETS.env, MY_LICENCE: SECRETS.owner },
});
const wrote = async (id: number): Promise<string> => (await stint.client.logs.read({ id })).text;
const line = `${SECRETS.env}|${SECRETS.owner}|${SECRETS.flag}|https://u:${SECRETS.url}@h/|`;

it('secrets reach their job, at every attempt and after a restart, and lie in no record', async () => {
  await stint.client.settings.set({ rules: { secretNames: ['MY_LICENCE'] } });
  const { id } = await stint.client.jobs.submit({ ...spec(), retries: 1, retryDelayS: 0 });
  const job = await stint.untilOver(id);
  expect(job).toMatchObject({
    exitCode: 7,
    attempt: 2,
    env: { HF_TOKEN: '[secret:1]' },
    name: 'with [secret:1]',
  });
  expect(await wrote(id)).toContain(line);
  // What a job writes is its own; where the last line of it is quoted, it is not.
  expect(job.diagnosis?.line?.text).toContain('[secret]');

  const { id: array } = await stint.client.arrays.submit({
    spec: spec(),
    members: [{ index: 0, values: { token: SECRETS.sweep } }, { index: 1 }],
  });
  await stint.untilOver(array + 1);
  await stint.untilOver(array);
  expect(await wrote(array)).toContain(`${line}{"token":"${SECRETS.sweep}"}`);

  await stint.engine.stop();
  expect(leaks()).toEqual([]);
  await start();
  await stint.client.jobs.retry({ id });
  expect(await stint.untilOver(id)).toMatchObject({ attempt: 4 });
  expect(await wrote(id)).toContain(line);
  const text = await told();
  for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
  expect(leaks()).toEqual([]);
  const file = join(home, 'secrets', `${id}.json`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, 'secrets')).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, 'utf8')).toContain(SECRETS.env);
});

it('what is shown of a job runs only with the secrets of the job that is named', async () => {
  const shown = (await stint.client.jobs.list({ limit: 1000 })).jobs.find(
    ({ name }) => name === 'with [secret:1]',
  )!;
  const copy = { command: shown.command, env: shown.env, cwd: shown.cwd, user: 'ben', gpus: 0 };
  await expect(stint.client.jobs.submit(copy)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    data: {
      field: expect.stringMatching(/^command\.\d$/),
      remedy: expect.stringContaining('--secrets-from'),
    },
  });
  const { id } = await stint.client.jobs.submit({ ...copy, secretsFrom: shown.id });
  await stint.untilOver(id);
  expect(await wrote(id)).toContain(line);
  const { id: plain } = await stint.submit(['true'], { gpus: 0 });
  await expect(stint.client.jobs.submit({ ...copy, secretsFrom: plain })).rejects.toMatchObject({
    data: { field: 'secretsFrom' },
  });
});

it('errors and the log name the field and not the secret', async () => {
  const wrong = [
    { ...spec(), cwd: 'here', env: { HF_TOKEN: `${SECRETS.env}\0` } },
    { ...spec(), cwd: `/tmp/${SECRETS.env}` },
    { ...spec(), command: ['x', '--token', `${SECRETS.flag}\0`] },
    { ...spec(), api_key: SECRETS.flag },
    { ...spec(), gpus: `--password=${SECRETS.flag}` },
    { ...spec(), name: `${'x'.repeat(300)} TOKEN=${SECRETS.env}` },
  ];
  for (const input of wrong) {
    const error = await stint.client.jobs.submit(input as never).then(
      () => null,
      (thrown: Error & { data: unknown }) => thrown,
    );
    const text = `${error?.message} ${JSON.stringify(error?.data)}`;
    expect(text).toMatch(/"field":"[a-z_]+[.\w]*"/);
    expect(text).not.toMatch(/hunter/);
  }
  const log = openEngineLog(
    join(home, 'other.log'),
    (one) => void logged.push(one),
    () => 0,
  );
  log.warn(`it ran --token ${SECRETS.flag}`, { HF_TOKEN: SECRETS.env });
  log.close();
  expect(readFileSync(join(home, 'other.log'), 'utf8')).toContain('[secret]');
  expect(logged.join('\n')).not.toMatch(/hunter/);
});

it('neither has the command line of somebody else’s process', async () => {
  const { id } = await stint.submit(['sh', '-c', 'sleep 60 & wait', '--token', SECRETS.flag], { gpus: 0 });
  const { process: supervisor } = await stint.until(id, 'running');
  const times = await processTimes(supervisor!.pid);
  const { command } = await identify(supervisor!.pid, times!.startTicks);
  expect(command).toContain('--token [secret]');
  await stint.client.jobs.cancel({ id });
  await stint.untilOver(id);
});

it('secrets are forgotten when their time is over, and the job is not run without', async () => {
  const { id } = await stint.client.jobs.submit(spec());
  await stint.untilOver(id);
  await stint.client.settings.set({ rules: { secretDays: 0 } });
  await stint.engine.stop();
  await start();
  expect(readdirSync(join(home, 'secrets'))).toEqual([]);
  await expect(stint.client.jobs.retry({ id })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/not kept any more; submit it again/),
  });
  expect((await stint.client.jobs.get({ id })).status).toBe('failed');
});

it('records of an older Stint are cleaned, and their jobs keep their secrets', async () => {
  const { id } = await stint.client.jobs.submit({ ...spec(), hold: true, name: null });
  await stint.engine.stop();
  const { vault } = {
    vault: JSON.parse(readFileSync(join(home, 'secrets', `${id}.json`), 'utf8')) as { values: string[] },
  };
  const db = new SqliteDatabase(join(home, 'stint.db'));
  db.exec('DROP TRIGGER job_events_are_facts');
  const raw = (body: string): string =>
    body.replace(/\[secret:(\d+)\]/g, (_, n) => JSON.stringify(vault.values[Number(n) - 1]).slice(1, -1));
  db.function('raw', (body: unknown) => raw(String(body)));
  db.prepare('UPDATE job_events SET body = raw(body) WHERE job_id = ?').run(id);
  db.prepare('UPDATE jobs SET body = raw(body) WHERE id = ?').run(id);
  db.prepare('UPDATE job_text SET text = raw(text) WHERE rowid = ?').run(id);
  db.exec(
    "CREATE TRIGGER job_events_are_facts BEFORE UPDATE ON job_events BEGIN SELECT RAISE(ABORT, 'job events are appended, never changed'); END",
  );
  db.prepare("UPDATE settings SET value = 'due' WHERE key = 'secret-sweep'").run();
  db.close();
  expect(leaks().length).toBeGreaterThan(0);
  await start();
  expect(leaks()).toEqual([]);
  const search = await stint.client.jobs.search({ text: SECRETS.flag });
  expect(search.jobs).toEqual([]);
  await stint.client.jobs.release({ id });
  await stint.untilOver(id);
  expect(await wrote(id)).toContain(line);
  const after = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
  const triggers = after.prepare("SELECT name FROM sqlite_schema WHERE name = 'job_events_are_facts'").all();
  after.close();
  expect(triggers).toHaveLength(1);
});
