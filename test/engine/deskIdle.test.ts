import { expect, it } from 'vitest';
import { idleOfSessions } from '../../src/engine/guards/deskIdle.ts';

const NOW_MS = 1_700_000_000_000;
const session = (change: Record<string, string>): string =>
  Object.entries({
    Class: 'user',
    Remote: 'no',
    State: 'active',
    Type: 'x11',
    IdleHint: 'no',
    IdleSinceHint: '0',
    ...change,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
const idleFor = (s: number) => ({ IdleHint: 'yes', IdleSinceHint: String((NOW_MS - 1000 * s) * 1000) });

it('the desk is as idle as its least idle session', () => {
  expect(idleOfSessions(session({}), NOW_MS)).toBe(0);
  expect(idleOfSessions(`${session(idleFor(90))}\n\n${session(idleFor(30))}\n`, NOW_MS)).toBe(30_000);
});

it('nobody sits there from afar, at a login screen, or in the background', () => {
  const others = [{ Remote: 'yes' }, { Class: 'greeter' }, { State: 'closing' }, { Type: 'unspecified' }];
  for (const other of others) expect(idleOfSessions(session(other), NOW_MS)).toBeNull();
  expect(idleOfSessions('', NOW_MS)).toBeNull();
});
