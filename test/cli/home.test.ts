import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { dataHome } from '../../src/contract/dataHome.ts';
import { resolveHome } from '../../src/engine/home.ts';

const surroundings: readonly [string, NodeJS.Platform, Record<string, string>, string][] = [
  ['nothing set', 'linux', {}, `${homedir()}/.local/share/stint`],
  ['STINT_HOME', 'linux', { STINT_HOME: '/data/stint', XDG_DATA_HOME: '/x' }, '/data/stint'],
  ['an empty STINT_HOME', 'linux', { STINT_HOME: '' }, `${homedir()}/.local/share/stint`],
  ['XDG_DATA_HOME', 'linux', { XDG_DATA_HOME: '/x/data/' }, '/x/data/stint'],
  ['a relative XDG_DATA_HOME', 'linux', { XDG_DATA_HOME: 'data' }, `${homedir()}/.local/share/stint`],
  ['macOS', 'darwin', {}, `${homedir()}/Library/Application Support/Stint`],
];

it.each(surroundings)('engine and clients look in one place: %s', (_name, platform, env, expected) => {
  expect(dataHome({ env, platform, userHome: homedir() })).toBe(expected);
  expect(resolveHome(undefined, env, platform)).toBe(expected);
});

it('has a place on Windows', () => {
  const at = (env: Record<string, string>) =>
    dataHome({ env, platform: 'win32', userHome: 'C:\\Users\\ada' });
  expect(at({})).toBe('C:\\Users\\ada\\AppData\\Local\\Stint');
  expect(at({ LOCALAPPDATA: 'D:\\local' })).toBe('D:\\local\\Stint');
  expect(at({ STINT_HOME: 'E:\\stint' })).toBe('E:\\stint');
});

it('refuses a relative STINT_HOME, which would be another place for every caller', () => {
  const relative = { env: { STINT_HOME: 'here' }, platform: 'linux', userHome: '/home/ada' };
  expect(() => dataHome(relative)).toThrow(/STINT_HOME.*absolute/);
});
