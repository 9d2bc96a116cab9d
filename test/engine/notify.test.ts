import { createHmac } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NotifyItem } from '../../src/domain/notifyRule.ts';
import { messageOf } from '../../src/engine/notify/message.ts';
import { requestOf } from '../../src/engine/notify/webhook.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real server that keeps what it is told; how it answers is each test's to say. */
let server: Server;
let base: string;
const got: Got[] = [];
let answer: (response: ServerResponse, path: string) => void = (response) => response.end('ok');
let smtp: SMTPServer;
let mails: { from: string; to: string[]; text: string; user: string }[] = [];
let home: string;
let stint: TestEngine;
/** Tries again at once; waits for an answer as long as a busy machine may need. */
const KEEN = { firstRetryMs: 20, timeoutMs: 20_000 };

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      got.push({ path: request.url!, headers: request.headers, body });
      answer(response, request.url!);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  smtp = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData(stream, session, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        mails.push({
          from,
          to: rcptTo.map(({ address }) => address),
          text,
          user: String(session.user ?? ''),
        });
        done();
      });
    },
  });
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  home = temporaryHome();
  stint = await startEngine({ home, notify: KEEN });
});
afterAll(async () => {
  await stint.engine.stop();
  removeHome(home);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await new Promise<void>((done) => smtp.close(done));
});

const told = (path: string): Got[] => got.filter((one) => one.path === path);
const untilTold = (path: string, count = 1): Promise<Got[]> =>
  eventually(
    () => told(path),
    (all) => all.length >= count,
    `${count} messages at ${path}`,
  );
const hook = (name: string, on: NotifyItem['event'][], more: object = {}) =>
  stint.client.notify.add({
    name,
    on: on as never,
    ...more,
    target: { kind: 'webhook', url: `${base}/${name}`, secret: 'hush' },
  });

describe('a webhook', () => {
  it('is told what it asked for, signed, and of nothing else', async () => {
    await hook('failures', ['failed']);
    await hook('vision', ['finished'], { project: 'vision' });
    await hook('long', ['finished'], { overS: 3600 });
    const bad = await stint.submit(['sh', '-c', 'exit 3'], { gpus: 0, name: 'breaks' });
    const good = await stint.submit(['true'], { gpus: 0, project: 'vision' });
    const [first] = await untilTold('/failures');
    await untilTold('/vision');
    const { body, headers } = first!;
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['stint-signature']))!;
    expect(v1).toBe(createHmac('sha256', 'hush').update(`${t}.${body}`).digest('hex'));
    expect(JSON.parse(body)).toMatchObject({
      rule: 'failures',
      delivery: headers['stint-delivery'],
      title: expect.stringMatching(new RegExp(`: job ${bad.id} failed$`)),
      items: [
        {
          event: 'failed',
          text: expect.stringMatching(
            new RegExp(`^Job ${bad.id} \\(breaks\\) of tester failed after .*exit`),
          ),
          job: { id: bad.id, status: 'failed', exitCode: 3, user: 'tester' },
        },
      ],
    });
    expect(JSON.parse(told('/vision')[0]!.body)).toMatchObject({ items: [{ job: { id: good.id } }] });
    expect(told('/long')).toEqual([]);
    expect(told('/failures')).toHaveLength(1);
  });

  it('keeps address and secret out of the database and out of sight', async () => {
    const made = await stint.client.notify.add({
      name: 'unsigned',
      on: ['failed'],
      target: { kind: 'webhook', url: `${base}/very-secret-path` },
    });
    expect(made.secret).toMatch(/^[\w-]{43}$/);
    expect(made.rule).toMatchObject({ to: new URL(base).host, kind: 'webhook', waiting: 0 });
    expect(JSON.stringify(await stint.client.notify.list())).not.toMatch(/hush|very-secret-path/);
    const file = join(home, 'notify', 'unsigned.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain('very-secret-path');
    for (const name of ['stint.db', 'stint.db-wal']) {
      expect(readFileSync(join(home, name), 'latin1')).not.toMatch(/hush|very-secret-path/);
    }
    await stint.client.notify.remove({ name: 'unsigned' });
    expect(readdirSync(join(home, 'notify'))).not.toContain('unsigned.json');
  });

  it('that fails is tried again, and hears of everything in one piece', async () => {
    let failures = 0;
    answer = (response, path) => {
      if (path !== '/shaky' || failures >= 2) {
        response.end('ok');
        return;
      }
      failures++;
      response.writeHead(failures === 1 ? 500 : 302, { Location: `${base}/elsewhere` }).end('no');
    };
    await hook('shaky', ['failed']);
    const jobs = await Promise.all([1, 2, 3].map(() => stint.submit(['false'], { gpus: 0 })));
    for (const { id } of jobs) await stint.untilOver(id);
    const heard = (): number[] =>
      told('/shaky')
        .slice(2)
        .flatMap(({ body }) => (JSON.parse(body) as { items: NotifyItem[] }).items.map(({ job }) => job!.id));
    await eventually(heard, (ids) => ids.length >= 3, 'all three to be told');
    expect(heard().sort()).toEqual(jobs.map(({ id }) => id).sort());
    // A redirection leads somewhere that nobody named.
    expect(told('/elsewhere')).toEqual([]);
    answer = (response) => response.end('ok');
  });

  it('that hangs is given up, hinders no other, and what it missed survives a restart', async () => {
    const hanging: ServerResponse[] = [];
    answer = (response, path) => {
      if (path === '/hangs') hanging.push(response);
      else response.end('ok');
    };
    await stint.engine.stop();
    stint = await startEngine({ home, notify: { ...KEEN, timeoutMs: 500 } });
    await hook('hangs', ['failed']);
    const { id } = await stint.submit(['false'], { gpus: 0 });
    await eventually(
      () => stint.client.notify.list(),
      (rules) => rules.find(({ name }) => name === 'hangs')?.lastError === 'no answer within 0.5 s',
      'the hanging service to be given up',
    );
    await eventually(
      () => told('/failures').map(({ body }) => body),
      (all) => all.some((body) => body.includes(`"id":${id},`)),
      'the other rule to be heard',
    );
    await stint.engine.stop();
    for (const response of hanging) response.destroy();
    // What an engine leaves that dies between the file and the row.
    mkdirSync(join(home, 'notify'), { recursive: true });
    writeFileSync(join(home, 'notify', 'orphan.json'), '{}');
    answer = (response) => response.end('ok');
    const before = told('/hangs').length;
    stint = await startEngine({ home, notify: KEEN });
    const all = await untilTold('/hangs', before + 1);
    expect(JSON.parse(all.at(-1)!.body)).toMatchObject({ items: [{ event: 'failed', job: { id } }] });
    await eventually(
      () => stint.client.notify.list(),
      (rules) => rules.every(({ waiting, lastError }) => waiting === 0 && lastError === null),
      'the outbox to be empty',
    );
    expect(readdirSync(join(home, 'notify'))).not.toContain('orphan.json');
  });

  it('is tested on demand, and says what is wrong', async () => {
    expect(await stint.client.notify.test({ name: 'failures' })).toEqual({
      ok: true,
      detail: 'it was taken',
    });
    answer = (response) => response.writeHead(404).end('no such hook');
    expect(await stint.client.notify.test({ name: 'failures' })).toEqual({
      ok: false,
      detail: 'answered 404: no such hook',
    });
    answer = (response) => response.end('{"errcode":310000,"errmsg":"sign not match"}');
    expect(await stint.client.notify.test({ name: 'failures' })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('sign not match'),
    });
    answer = (response) => response.end('ok');
  });
});

describe('mail', () => {
  it('goes through a mail server, with the password from its file', async () => {
    const { port } = smtp.server.address() as AddressInfo;
    const add = (name: string, password: string) =>
      stint.client.notify.add({
        name,
        on: ['failed'],
        target: {
          kind: 'mail',
          to: ['ada@example.org'],
          from: 'box@example.org',
          server: `smtp://ada@127.0.0.1:${port}`,
          password,
        },
      });
    await add('wrong', 'no');
    expect(await stint.client.notify.test({ name: 'wrong' })).toMatchObject({ ok: false });
    await stint.client.notify.remove({ name: 'wrong' });
    expect((await add('ada', 'right')).rule).toMatchObject({ to: 'ada@example.org', kind: 'mail' });
    const job = await stint.submit(['false'], { gpus: 0, name: 'breaks\r\nBcc: eve@example.org' });
    const [mail] = await eventually(
      () => mails,
      (all) => all.length > 0,
      'a mail',
    );
    expect(mail).toMatchObject({ from: 'box@example.org', to: ['ada@example.org'], user: 'ada' });
    expect(mail!.text).toMatch(new RegExp(`^Subject: .*job ${job.id} failed`, 'm'));
    expect(mail!.text).toContain('Auto-Submitted: auto-generated');
    // The name of a job makes no headers.
    expect(mail!.text.split('\r\n\r\n')[0]).not.toMatch(/eve@|^bcc/im);
    mails = [];
  });

  it('that no server takes is an error with its reason', async () => {
    const target = { kind: 'mail' as const, to: ['a@b'], server: 'smtp://127.0.0.1:1' };
    await stint.client.notify.add({ name: 'nobody', on: ['failed'], target });
    expect(await stint.client.notify.test({ name: 'nobody' })).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/ECONNREFUSED/),
    });
    await stint.client.notify.remove({ name: 'nobody' });
  });
});

const DINGTALK = 'Kn/07JNkRJWeBkWPp37iIQk31ip1HtBC0lIhCO79dHM=';
const FEISHU = 'HQV03+so/amIWQSXS50Llvl9vzTATYaRg+mJZ+EZzjY=';

describe('services', () => {
  const item: NotifyItem = {
    event: 'failed',
    atMs: 0,
    text: 'Job <1> & co',
    job: null,
    device: { id: 'g', index: 0, name: 'A100' },
  };
  const message = messageOf('rule', 'box', [item], 7);
  const at = 1_600_000_000_000;
  const body = (kind: Parameters<typeof requestOf>[0], secret: string | null = null) => {
    const told = requestOf(kind, { url: 'https://s.example/hooks/x?access_token=y', secret }, message, at);
    return { ...told, body: JSON.parse(told.body) as Record<string, unknown> };
  };

  it('are each spoken to in their own words', () => {
    expect(body('slack').body).toEqual({ text: 'box: GPU 0 lost\nJob &lt;1&gt; &amp; co' });
    expect(body('discord').body).toEqual({
      content: 'box: GPU 0 lost\nJob <1> & co',
      allowed_mentions: { parse: [] },
    });
    expect(requestOf('ntfy', { url: 'https://ntfy.sh/mine', secret: 'tk' }, message, at)).toMatchObject({
      url: 'https://ntfy.sh',
      headers: { Authorization: 'Bearer tk' },
      body: expect.stringContaining('"topic":"mine","title":"box: GPU 0 lost"'),
    });
  });

  it('that want a signature get the one that they document', () => {
    // Both as openssl computes them: printf '…' | openssl dgst -sha256 -hmac … -binary | base64
    expect(body('dingtalk', 'SECx').url).toBe(
      `https://s.example/hooks/x?access_token=y&timestamp=${at}&sign=${encodeURIComponent(DINGTALK)}`,
    );
    expect(body('feishu', 'demo').body).toMatchObject({
      timestamp: '1600000000',
      sign: FEISHU,
      msg_type: 'text',
    });
  });
});

it.each([
  [{ name: 'a b' }, 'name'],
  [{ name: '../x' }, 'name'],
  [{ on: [] }, 'on'],
  [{ overS: -1 }, 'overS'],
  [{ target: { kind: 'slack', url: 'file:///etc/passwd' } }, 'target.url'],
  [{ target: { kind: 'mail', to: ['not an address'] } }, 'target.to.0'],
  [{ target: { kind: 'mail', to: ['a@b'], server: 'http://x' } }, 'target.server'],
])('refuses %j', async (part, field) => {
  const rule = { name: 'x', on: ['failed'], target: { kind: 'slack', url: 'https://x.example' }, ...part };
  await expect(stint.client.notify.add(rule as never)).rejects.toMatchObject({ data: { field } });
});
