import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FieldError } from '../../src/domain/errors.ts';
import { isAppUrl } from '../../src/main/appOrigin.ts';
import { parseDesktopFlags } from '../../src/main/commandLine.ts';
import { countJobs } from '../../src/main/jobCounts.ts';
import { isReachable, loadWindowState, saveWindowState } from '../../src/main/windowState.ts';

describe('parseDesktopFlags', () => {
  it("takes its own flags and passes over Chromium's", () => {
    const argv = [
      '.',
      '--inspect=0',
      '--data',
      '/srv/stint',
      '--no-sandbox',
      '--devices=virtual:2',
      '--policy',
      'dqn',
    ];
    expect(parseDesktopFlags(argv)).toEqual({ data: '/srv/stint', devices: 'virtual:2', policy: 'dqn' });
    expect(parseDesktopFlags(['.', '--type=gpu-process'])).toEqual({});
  });

  it.each([
    [['--policy', 'best'], '--policy', 'best'],
    [['--policy'], '--policy', undefined],
    [['--data', ''], '--data', ''],
    [['--data', '--devices', 'virtual:1'], '--data', '--devices'],
    [['--devices'], '--devices', undefined],
  ])('refuses %j', (argv, field, value) => {
    expect(() => parseDesktopFlags(argv)).toThrow(FieldError);
    expect(() => parseDesktopFlags(argv)).toThrow(expect.objectContaining({ field, value }));
  });
});

describe('isAppUrl', () => {
  it.each(['app://stint/', 'app://stint/index.html#/queue', 'APP://stint/x'])('owns %s', (url) => {
    expect(isAppUrl(url)).toBe(true);
  });
  it.each([
    '',
    undefined,
    'about:blank',
    'app://stint.example/',
    'app://elsewhere/',
    'app://stint:8080/',
    'app://somebody@stint/',
    'https://stint/',
    'file:///index.html',
    'not a url',
  ])('does not own %s', (url) => {
    expect(isAppUrl(url)).toBe(false);
  });
});

describe('countJobs', () => {
  it('puts every status into one of three, or none', () => {
    expect(
      countJobs([
        'queued',
        'held',
        'starting',
        'running',
        'stopping',
        'paused',
        'succeeded',
        'failed',
        'lost',
      ]),
    ).toEqual({ running: 3, paused: 1, waiting: 2 });
  });
});

describe('the place of the window', () => {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const state = { bounds: { x: 10, y: 20, width: 900, height: 600 }, maximized: true };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stint-window-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is kept, and nothing is left beside it', () => {
    const path = join(folder, 'window.json');
    saveWindowState(path, state, silent);
    expect(loadWindowState(path, silent)).toEqual(state);
    expect(readdirSync(folder)).toEqual(['window.json']);
  });

  it.each(['', '{"bounds":', '[]', '{"bounds":{"x":0,"y":0,"width":1,"height":1},"maximized":false}'])(
    'is forgotten when the file says %j',
    (text) => {
      const path = join(folder, 'window.json');
      writeFileSync(path, text);
      expect(loadWindowState(path, silent)).toBeNull();
      // Replaced when the window closes, not before.
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  it('may be unknown, and may be impossible to keep', () => {
    expect(loadWindowState(join(folder, 'none.json'), silent)).toBeNull();
    const warnings: string[] = [];
    saveWindowState(join(folder, 'no', 'such', 'folder.json'), state, {
      ...silent,
      warn: (message) => warnings.push(message),
    });
    expect(warnings).toEqual(['the place of the window could not be kept']);
  });

  it('counts only where the window can be taken hold of', () => {
    const screens = [
      { x: 0, y: 0, width: 1920, height: 1040 },
      { x: 1920, y: -200, width: 1280, height: 1024 },
    ];
    expect(isReachable({ x: 100, y: 100, width: 900, height: 600 }, screens)).toBe(true);
    expect(isReachable({ x: 2000, y: -150, width: 900, height: 600 }, screens)).toBe(true);
    expect(isReachable({ x: -850, y: 100, width: 900, height: 600 }, screens)).toBe(false);
    expect(isReachable({ x: 100, y: -30, width: 900, height: 600 }, screens)).toBe(false);
    expect(isReachable({ x: 100, y: 1030, width: 900, height: 600 }, screens)).toBe(false);
    expect(isReachable({ x: 5000, y: 100, width: 900, height: 600 }, screens)).toBe(false);
  });
});
