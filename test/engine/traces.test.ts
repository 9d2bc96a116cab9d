import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** A real server in a collector's place, that keeps what it takes; how it answers is the test's to say. */
let collector: Server;
let tracesUrl: string;
let asked = 0;
const spans: OtlpSpan[] = [];
let answer: (response: ServerResponse) => boolean;
let home: string;
let stint: TestEngine;
const KEEN = { firstRetryMs: 20, timeoutMs: 20_000 };

const takes = (response: ServerResponse): boolean => {
  response.setHeader('Content-Type', 'application/json').end('{"partialSuccess":{}}');
  return true;
};
const refuses = (status: number) => (response: ServerResponse) => {
  response.writeHead(status).end('not now');
  return false;
};

beforeAll(async () => {
  answer = takes;
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      asked++;
      expect(request.url).toBe('/v1/traces');
      const { resourceSpans } = JSON.parse(body);
      if (answer(response)) spans.push(...resourceSpans[0].scopeSpans[0].spans);
    });
  });
  await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done));
  tracesUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  home = temporaryHome();
  stint = await startEngine({ home, notify: KEEN });
});
afterAll(async () => {
  await stint.engine.stop();
  collector.closeAllConnections();
  collector.close();
  removeHome(home);
});

const attributeOf = (span: OtlpSpan, key: string): unknown =>
  Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0];
/** The traces of a job, in the order of their beginning, each with its root first. */
const tracesOf = (jobId: number): OtlpSpan[][] =>
  spans
    .filter((span) => span.name === 'job' && attributeOf(span, 'stint.job.id') === String(jobId))
    .map((root) => spans.filter(({ traceId }) => traceId === root.traceId));
const told = (jobId: number, many = 1) =>
  eventually(
    () => Promise.resolve(tracesOf(jobId)),
    (traces) => traces.length >= many,
    `job ${jobId} to be told`,
  );
/** `queue attempt(start run(pause))`, whatever the times. */
function shape(trace: readonly OtlpSpan[], parent = trace[0]!): string {
  const below = trace.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of below) {
    expect(BigInt(from)).toBeGreaterThanOrEqual(BigInt(parent.startTimeUnixNano));
    expect(BigInt(to)).toBeLessThanOrEqual(BigInt(parent.endTimeUnixNano));
    expect(BigInt(from)).toBeLessThanOrEqual(BigInt(to));
  }
  return below
    .map((span) => {
      const inside = shape(trace, span);
      return inside === '' ? span.name : `${span.name}(${inside})`;
    })
    .join(' ');
}

it('sends the life of each job that is over to a collector, and nothing before somebody wants it', async () => {
  await stint.untilOver((await stint.submit(['true'])).id);
  await expect(stint.client.settings.set({ rules: { tracesUrl: 'collector:4318' } })).rejects.toThrow(
    /tracesUrl.*give an address, such as http/,
  );
  await stint.client.settings.set({ rules: { tracesUrl } });

  const paused = await stint.submit(['sh', '-c', 'while :; do sleep 0.1; done'], {
    name: 'paused',
    env: { API_TOKEN: 'hidden' },
  });
  await stint.until(paused.id, 'running');
  await stint.client.jobs.pause({ id: paused.id });
  await stint.client.jobs.resume({ id: paused.id });
  await stint.client.jobs.cancel({ id: paused.id });
  const tried = await stint.submit(['sh', '-c', 'exit 3'], { retries: 1, retryDelayS: 0 });
  const held = await stint.submit(['true'], { hold: true });
  await stint.client.jobs.cancel({ id: held.id });

  const [trace] = await told(paused.id);
  expect(shape(trace!)).toBe('queue attempt(start run(pause))');
  expect(attributeOf(trace![0]!, 'stint.job.status')).toBe('cancelled');
  expect(trace![0]!.status).toEqual({});
  expect(JSON.stringify(trace)).not.toContain('hidden');

  const [first] = await told(tried.id);
  expect(shape(first!)).toBe('queue attempt(start run) queue attempt(start run)');
  expect(first![0]!.status).toEqual({ code: 2, message: 'exited with code 3' });
  const attempts = first!.filter(({ name }) => name === 'attempt');
  expect(attempts.map((span) => [attributeOf(span, 'stint.exit_code'), span.status.code])).toEqual([
    ['3', 2],
    ['3', 2],
  ]);
  expect(shape((await told(held.id))[0]!)).toBe('held');

  await stint.client.jobs.retry({ id: tried.id });
  const second = (await told(tried.id, 2)).at(-1)!;
  expect(second[0]!.links).toEqual([{ traceId: first![0]!.traceId, spanId: first![0]!.spanId }]);
  expect(tracesOf(1)).toEqual([]);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
});

it('tells it later where the collector is away, hangs, or the engine ends meanwhile', async () => {
  const trouble = async () => (await stint.client.system.doctor()).find(({ about }) => about === 'traces');
  answer = refuses(503);
  const late = await stint.submit(['true']);
  const before = asked;
  await eventually(
    () => Promise.resolve(asked),
    (now) => now >= before + 3,
    'it to be tried again',
  );
  expect(await trouble()).toMatchObject({ severity: 'warning', found: expect.stringContaining('503') });
  expect(stint.complaints.filter((line) => line.startsWith('traces were not taken'))).toHaveLength(1);
  // It answers no more: jobs go on, and the engine ends all the same.
  answer = () => false;
  const hung = asked;
  await eventually(
    () => Promise.resolve(asked),
    (now) => now > hung,
    'it to be asked',
  );
  await stint.untilOver((await stint.submit(['true'])).id);
  await stint.engine.stop();
  answer = takes;
  stint = await startEngine({ home, notify: KEEN });
  expect(shape((await told(late.id))[0]!)).toBe('queue attempt(start run)');
  await eventually(trouble, (finding) => finding?.severity === 'ok', 'nothing to be wrong', 60_000);

  // What would be refused again is not sent again.
  answer = refuses(400);
  const refused = await stint.submit(['true']);
  await eventually(
    () => stint.complaints,
    (lines) => lines.some((line) => /traces were refused.*400/.test(line)),
    'it to be refused',
  );
  answer = takes;
  await told((await stint.submit(['true'])).id);
  expect(tracesOf(refused.id)).toEqual([]);
});
