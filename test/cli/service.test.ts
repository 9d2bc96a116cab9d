import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { createProgram } from '../../src/cli/program.ts';
import { unitText } from '../../src/cli/unitText.ts';

let dir: string;
let unit: string;
let out: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'stint-service-'));
  unit = join(dir, 'config/systemd/user/stint.service');
  mkdirSync(join(dir, 'bin'));
  copyFileSync(join(import.meta.dirname, '../stand-ins/systemctl.sh'), join(dir, 'bin/systemctl'));
  out = '';
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function service(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const line = (text: string): void => {
    out += `${text}\n`;
  };
  const context: Context = {
    env: {
      PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
      XDG_CONFIG_HOME: join(dir, 'config'),
      SYSTEMCTL_LOG: join(dir, 'log'),
      SYSTEMCTL_FAILS: '',
      ...env,
    },
    callerDir: dir,
    width: 200,
    nowMs: () => 0,
    out: line,
    write: line,
    err: () => undefined,
    exitWith: () => undefined,
  };
  const program = await createProgram(context, 'service');
  await program.parseAsync(['service', ...args], { from: 'user' });
}
const asked = (): string[] => readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');

describe('the unit', () => {
  it('is installed and started, shown, and removed', async () => {
    await service(['install', '--data', 'my data', '--port', '7717']);
    const text = readFileSync(unit, 'utf8');
    expect(text).toMatch(
      /^ExecStart="\/.*node" .*main\.js" "serve" "--data" "\/.*\/my data" "--port" "7717"$/m,
    );
    expect(text).toMatch(/^KillMode=process$/m);
    expect(text).toMatch(/^OOMPolicy=continue$/m);
    expect(asked()).toEqual([
      '--user daemon-reload',
      '--user enable stint.service',
      '--user restart stint.service',
    ]);
    out = '';
    await service(['status', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      installed: true,
      path: unit,
      active: 'active',
      enabled: 'enabled',
    });
    await service(['remove']);
    expect(existsSync(unit)).toBe(false);
    expect(asked().slice(-2)).toEqual(['--user disable --now stint.service', '--user daemon-reload']);
    await expect(service(['remove'])).rejects.toThrow(/not installed/);
  });

  it('leaves nothing behind where systemd does not work, and what was there as it was', async () => {
    await expect(service(['install'], { SYSTEMCTL_FAILS: 'daemon-reload' })).rejects.toThrow(
      /Failed to connect to bus/,
    );
    expect(existsSync(unit)).toBe(false);
    await service(['install']);
    const before = readFileSync(unit, 'utf8');
    await expect(service(['install', '--port', '1234'], { SYSTEMCTL_FAILS: 'restart' })).rejects.toThrow(
      /restart/,
    );
    expect(readFileSync(unit, 'utf8')).toBe(before);
  });

  it("is never written over somebody else's", async () => {
    mkdirSync(join(dir, 'config/systemd/user'), { recursive: true });
    writeFileSync(unit, '[Unit]\n');
    for (const verb of ['install', 'remove']) {
      await expect(service([verb])).rejects.toThrow(/not written by stint/);
    }
    expect(readFileSync(unit, 'utf8')).toBe('[Unit]\n');
  });

  it('has words that systemd takes as they are', () => {
    const text = unitText({ command: ['/a b/n', '50%', '$HOME', 'say "x"', 'back\\slash'], path: '/bin' });
    expect(text).toContain('ExecStart="/a b/n" "50%%" "$$HOME" "say \\"x\\"" "back\\\\slash"\n');
  });
});
