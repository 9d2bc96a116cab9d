import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose, type EndFacts, type LogLine } from '../../src/domain/diagnosis.ts';
import { FAILURES } from '../../src/domain/failures.ts';
import { featureWords } from '../../src/domain/featureWords.ts';
import { GOAL_MEANINGS } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { xidText } from '../../src/domain/xid.ts';
import { inChinese } from '../../src/renderer/i18n/engineText.ts';
import { candidatesOf } from '../../src/scheduler/candidates.ts';
import { decide } from '../../src/scheduler/decide.ts';
import { waitingReasons } from '../../src/scheduler/explain.ts';
import { FEATURE_NAMES } from '../../src/scheduler/features.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import { limitsArbitrary, snapshotArbitrary } from '../scheduler/arbitraries.ts';

/** Two English words in a row that are no command and no name: something was left untranslated. */
const english = (text: string): boolean =>
  /[a-z]{2,} [a-z]{2,}/.test(
    inChinese(text).replace(
      /`[^`]*`|stint [a-z]+ \w+( --?\w+( \w+)?)*|torchrun \S+|OOM killer|nvidia-smi \S+|first-fit/g,
      '',
    ),
  );

describe('what the engine says, in Chinese', () => {
  it('is translated whole: why jobs wait, what was decided, and why not something else', () => {
    const left = new Set<string>();
    fc.assert(
      fc.property(snapshotArbitrary, limitsArbitrary, fc.integer(), (snapshot, limits, seed) => {
        const said = [
          ...waitingReasons(snapshot, limits).values(),
          ...candidatesOf(snapshot, limits).flatMap(({ vetoes }) => vetoes.map(({ reason }) => reason)),
        ];
        for (const name of ['fifo', 'aged'] as const) {
          const [policy, heuristic] = [heuristicByName(name), heuristicByName('aged')];
          said.push(decide({ snapshot, policy, heuristic, rng: seededRng(seed), limits }).sentence);
        }
        for (const text of said) if (english(text)) left.add(text);
      }),
      { numRuns: 100 },
    );
    expect([...left]).toEqual([]);
  });

  it('is translated whole: why jobs died, and what to do', () => {
    const facts: EndFacts = {
      status: 'failed',
      exitCode: 1,
      signal: null,
      stoppedBy: null,
      trouble: null,
      oomKilled: false,
      neighbours: [],
    };
    const said: string[] = [];
    const ended = (some: Partial<EndFacts>, lines: LogLine[] = []): void => {
      const { summary, remedy } = diagnose({ ...facts, ...some }, lines);
      said.push(summary, remedy);
    };
    for (const signal of [
      'SIGKILL',
      'SIGTERM',
      'SIGSEGV',
      'SIGABRT',
      'SIGBUS',
      'SIGFPE',
      'SIGILL',
      'SIGSYS',
      'SIGTRAP',
    ])
      for (const oomKilled of [true, false, null]) ended({ signal, oomKilled });
    for (const actor of ['person', 'scheduler', 'engine'])
      ended({ status: 'cancelled', stoppedBy: { actor, reason: '' } });
    ended({ status: 'timed-out' });
    ended({ status: 'lost', trouble: 'X', oomKilled: true });
    for (const exitCode of [1, 126, 127]) ended({ exitCode, trouble: 'X' });
    ended({ trouble: 'its pre hook failed with code 3' });
    ended({});
    for (const code of [31, 79]) ended({ fault: { gpu: 0, code } });
    // Every failure that is known by its words, with whatever it may find.
    for (const { summary, remedy } of FAILURES) {
      for (const found of ['X', 'Torch', 'Disk', 'NO_BINARY', 'ECC', 'timeout']) {
        const match = Object.assign([found, '4294967296'], {
          index: 0,
          input: `${found} Tried to allocate 2 GiB`,
        });
        said.push(summary(match as never), remedy(match as never, []), remedy(match as never, [3, 4]));
      }
    }
    for (let code = 0; code < 200; code++) said.push(xidText(code));
    said.push(...Object.values(GOAL_MEANINGS), ...FEATURE_NAMES.map(featureWords));
    expect([...new Set(said)].filter(english)).toEqual([]);
  });

  it('keeps names and numbers, whatever they look like, and what it does not know', () => {
    expect(
      inChinese('started #3 on GPU 0 beside #1, #2: 3 GiB left; #5 waits longer: needs a GPU, none is free'),
    ).toBe('在 GPU 0 上启动了 #3，与 #1, #2 共用：余 3 GiB；#5 等得更久：需要一块 GPU，没有空闲的');
    expect(inChinese('file not found: {path} $& <b>')).toBe('找不到文件：{path} $& <b>');
    expect(inChinese('RuntimeError: something of its own')).toBe('RuntimeError: something of its own');
  });
});
