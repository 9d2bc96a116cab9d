import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract } from '../../src/contract/contract.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { hostileText, hostileValue } from '../domain/hostile.ts';
import { commandLineOf } from '../headless/commandHarness.ts';
import { recordingLog } from '../headless/fakeRouter.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

/** Of each procedure so many malformed requests are made. */
const REFUSED_EACH = 200;
const SEED = 20261124;

let home: string;
let stint: TestEngine;
let socket: LocalSocket;
let db: SqliteDatabase.Database;

beforeAll(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log: recordingLog(), env: {} });
  db = new SqliteDatabase(join(home, 'stint.db'), { readonly: true });
});
afterAll(async () => {
  const live = await stint.client.jobs.list({ statuses: ['queued', 'held', 'starting', 'running'] });
  for (const { id } of live.jobs) await stint.client.jobs.cancel({ id });
  for (const { id } of live.jobs) await stint.untilOver(id);
  await socket.close();
  await stint.engine.stop();
  db.close();
  removeHome(home);
});

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
}

/** Values that are what a schema asks for, but for some parts of them. */
function near(schema: JsonSchema): fc.Arbitrary<unknown> {
  const right = (): fc.Arbitrary<unknown> => {
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.anyOf) return fc.oneof(...schema.anyOf.map(near));
    if (schema.properties) {
      const fields = Object.entries(schema.properties).map(([name, field]) => [name, near(field)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
    }
    if (schema.type === 'object') {
      const { additionalProperties: values } = schema;
      return fc.dictionary(hostileText, typeof values === 'object' ? near(values) : hostileText, {
        maxKeys: 3,
      });
    }
    if (schema.type === 'array') return fc.array(near(schema.items ?? {}), { maxLength: 3 });
    if (schema.type === 'boolean') return fc.boolean();
    if (schema.type === 'integer') return fc.integer({ min: -3, max: 20 });
    if (schema.type === 'number') return fc.double({ min: -2, max: 1e6, noNaN: true });
    if (schema.type === 'string') return fc.oneof(hostileText, fc.constant('/'), fc.constant('a'));
    return hostileValue;
  };
  return fc.oneof({ weight: 9, arbitrary: right() }, { weight: 1, arbitrary: hostileValue });
}

interface Called {
  readonly name: string;
  readonly input: z.ZodType;
  readonly call: (input: unknown) => Promise<unknown>;
}

/** Procedures that take something. */
function procedures(node: object, client: object, path: readonly string[] = []): Called[] {
  const definition = (node as { '~orpc'?: { inputSchema?: z.ZodType } })['~orpc'];
  if (definition !== undefined) {
    if (definition.inputSchema === undefined) return [];
    return [{ name: path.join('.'), input: definition.inputSchema, call: client as Called['call'] }];
  }
  return Object.entries(node).flatMap(([name, child]) =>
    procedures(child as object, (client as Record<string, object>)[name]!, [...path, name]),
  );
}

/** Rows of everything that a request may write, and the rows themselves of what it may change. */
function written(): string {
  const tables = ['jobs', 'job_events', 'api_tokens', 'device_reservations', 'ignored_processes', 'models'];
  const counts = tables.map((table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get());
  const changed = ['settings', 'device_rules'].map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  return JSON.stringify([counts, changed]);
}

let refused = 0;

it('every procedure refuses what is malformed, names a field, and writes nothing', async () => {
  for (const { name, input, call } of procedures(contract, stint.client)) {
    const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    const before = written();
    // What would be accepted is not asked for: this is about what is not.
    const malformed = near(schema).filter((value) => !input.safeParse(value).success);
    await fc.assert(
      fc.asyncProperty(malformed, async (value) => {
        refused++;
        const error: unknown = await call(value).then(
          () => 'it was accepted',
          (thrown: unknown) => thrown,
        );
        expect(error, name).toMatchObject({
          code: 'BAD_REQUEST',
          data: {
            field: expect.stringMatching(/^[^\p{Cc}\u202e]{1,200}$/u),
            value: expect.stringMatching(/^[^\p{Cc}\u202e]{1,100}$/u),
            remedy: expect.stringMatching(/\S/),
          },
        });
        expect(written(), name).toBe(before);
      }),
      { numRuns: REFUSED_EACH, seed: SEED },
    );
  }
  expect(refused).toBeGreaterThan(8000);
  expect(stint.complaints).toEqual([]);
});

it('every submission that is accepted is kept as it was given, whatever is in it', async () => {
  const text = hostileText.filter(
    (value) => !/\0|\[secret/.test(value) && value !== '' && value.isWellFormed(),
  );
  const short = text.map((value) => value.slice(0, 90)).filter((value) => value.isWellFormed());
  const spec = fc.record({
    command: fc.array(text, { minLength: 1, maxLength: 4 }),
    cwd: short.map((value) => `/${value}`),
    user: short,
    project: short,
    name: short,
    env: fc.dictionary(fc.constantFrom('A', 'LANG', 'PATH', 'IFS', 'LD_PRELOAD'), text, {
      maxKeys: 4,
    }),
  });
  await fc.assert(
    fc.asyncProperty(spec, async (given) => {
      const job = await stint.client.jobs.submit({ ...given, hold: true });
      expect(job).toMatchObject(given);
      expect(await stint.client.jobs.get({ id: job.id })).toEqual(job);
      expect(await stint.client.jobs.events({ id: job.id })).toHaveLength(1);
      await stint.client.jobs.cancel({ id: job.id });
    }),
    { numRuns: 300, seed: SEED },
  );
  await stint.client.jobs.search({ text: "'; DROP TABLE jobs; --" });
  expect((await stint.client.system.overview()).jobs.length).toBeGreaterThan(0);
  expect(stint.complaints).toEqual([]);
});

describe('a job that is hostile in every respect', () => {
  const evil = '\x1b[2J\x1b]0;owned\x07\u202egnp.exe \x9b31m$(touch /tmp/owned) `x` ; x && "\' ../../etc \\';

  it('runs, gets its texts as they are, and moves no cursor of a terminal', async () => {
    const script =
      'printf "%s" "$EVIL" | cksum; printf "%s" "$1" | cksum; printf "\\377\\376 invalid \\033[2J\\n"; exit 3';
    const job = await stint.submit(['sh', '-c', script, 'sh', evil], {
      ...{ gpus: 0, cwd: tmpdir(), name: evil, project: evil, user: evil.slice(0, 99) },
      env: { EVIL: evil },
    });
    expect(await stint.untilOver(job.id)).toMatchObject({ exitCode: 3, name: evil });
    const [one, two] = (await stint.client.logs.read({ id: job.id })).text.split('\n');
    expect(two).toBe(one);
    expect(one).toMatch(/^\d+ \d+$/);
    const line = commandLineOf(() => home);
    const shown = [
      await line('ls'),
      await line('show', String(job.id)),
      await line('submit', '--cwd', `/${evil}`, 'x'),
    ];
    const text = shown.map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(text).toContain('gnp.exe');
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(shown[2]).toMatchObject({ status: 2, stderr: expect.stringContaining('--cwd') });
  });

  it('may write lines of ten megabytes', async () => {
    const script =
      'head -c 10485760 /dev/zero | tr "\\0" "x"; printf "\\033[31m\\nloss: 0.5\\nepoch 1/2\\n"; exit 4';
    const { id } = await stint.submit(['sh', '-c', script], { gpus: 0 });
    const job = await stint.untilOver(id);
    expect(job).toMatchObject({ exitCode: 4, progress: { label: 'epoch 1/2' } });
    expect(job.diagnosis!.line!.text.length).toBeLessThanOrEqual(301);
    const { matches } = await stint.client.logs.search({ id, pattern: 'x{100}' });
    expect(matches.map(({ text }) => text.length)).toEqual([4096]);
    await eventually(
      () => stint.client.jobs.metrics({ id }),
      ({ complete, series }) => complete && series.length === 1,
      'its metrics to be read',
    );
    const { text, size } = await stint.client.logs.read({ id, offset: -30 });
    expect(text.endsWith('epoch 1/2\n')).toBe(true);
    expect(size).toBeGreaterThan(10 * 1024 * 1024);
  });
});
