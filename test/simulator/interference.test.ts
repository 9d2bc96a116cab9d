import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interferenceTable } from '../../scripts/lib/interferenceTable.ts';
import {
  GPU_TYPES,
  type GpuType,
  JOB_KINDS,
  ruleOfThumbSpeed,
  soloOf,
  speedBeside,
} from '../../src/simulator/interference.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
const SOURCE = resolve(PACKAGE, '../shared/colocation/gavel-simulation-throughputs.json');

/** What two do together, in units of one alone. */
const together = (gpuType: GpuType, a: string, b: string): number =>
  speedBeside(gpuType, a, [b]) + speedBeside(gpuType, b, [a]);
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
/** Sums over all ordered pairs of these kinds, each with itself included, that fit. */
const sums = (gpuType: GpuType, kinds: readonly string[]): number[] =>
  kinds.flatMap((a) => kinds.map((b) => together(gpuType, a, b))).filter((sum) => sum > 0);

describe('the table', () => {
  const needs = existsSync(SOURCE) ? '' : ' (needs ../shared/colocation beside the project)';
  it.skipIf(needs !== '')(`is what the script derives from the measurements${needs}`, () => {
    const shipped = readFileSync(resolve(PACKAGE, 'src/simulator/interferenceTable.ts'), 'utf8');
    expect(shipped).toBe(interferenceTable(JSON.parse(readFileSync(SOURCE, 'utf8'))));
  });

  it('is not derived from a file that lacks a pair', () => {
    const type = (name: string) => `('${name}', 1)`;
    const gpu = {
      [type('A')]: { null: 2, [type('A')]: [1, 1] },
      [type('B')]: { null: 2, [type('A')]: [1, 1] },
    };
    expect(() => interferenceTable({ v100: gpu, p100: gpu, k80: gpu } as never)).toThrow(
      /v100 \('A', 1\) \('B', 1\): nothing is not usable/,
    );
  });

  it('holds 26 kinds on three GPU types, speeds from 0 to 1', () => {
    expect([JOB_KINDS.length, new Set(JOB_KINDS).size]).toEqual([26, 26]);
    for (const gpuType of GPU_TYPES) {
      const speeds = JOB_KINDS.flatMap((a) => JOB_KINDS.map((b) => speedBeside(gpuType, a, [b])));
      expect(speeds.every((speed) => speed >= 0 && speed <= 1)).toBe(true);
    }
  });

  it('has the published distribution on the V100: ordered pairs that fit, nearest rank', () => {
    const all = sums('v100', JOB_KINDS).sort((a, b) => a - b);
    const at = (share: number) => all[Math.ceil(share * all.length) - 1]!;
    for (const [share, published] of [
      [0.05, 0.54],
      [0.25, 1.14],
      [0.5, 1.37],
      [0.75, 1.58],
      [0.95, 1.95],
    ] as const) {
      // Half of the last digit that is published, and what rounding to thousandths may add.
      expect(Math.abs(at(share) - published), `p${100 * share}`).toBeLessThan(0.0065);
    }
    // 5.9 % of the ordered pairs do not fit.
    expect(all.length).toBe(636);
    expect(
      mean(
        sums(
          'v100',
          JOB_KINDS.filter((k) => k.startsWith('ResNet-50')),
        ),
      ),
    ).toBeCloseTo(0.77, 2);
    expect(
      mean(
        sums(
          'v100',
          JOB_KINDS.filter((k) => k.startsWith('Recommendation')),
        ),
      ),
    ).toBeCloseTo(0.65, 2);
  });

  it.each(GPU_TYPES)('on a %s a pair does not fit from either side, or fits from both', (gpuType) => {
    for (const a of JOB_KINDS) {
      for (const b of JOB_KINDS) {
        expect(speedBeside(gpuType, a, [b]) === 0, `${a} | ${b}`).toBe(speedBeside(gpuType, b, [a]) === 0);
      }
    }
  });
});

describe('speedBeside', () => {
  it('looks up this job beside the other, which is not the other beside this', () => {
    expect(speedBeside('v100', 'ResNet-18 (batch size 256)', ['ResNet-18 (batch size 16)'])).toBe(1);
    expect(speedBeside('v100', 'ResNet-18 (batch size 16)', ['ResNet-18 (batch size 256)'])).toBe(0.756);
    expect(speedBeside('v100', 'ResNet-50 (batch size 128)', ['A3C'])).toBe(0);
  });

  it('is 1 alone, the product of the pairs beside several, and 0 where a pair does not fit', () => {
    const lm = 'LM (batch size 80)';
    expect(speedBeside('p100', lm, [])).toBe(1);
    const [one, other] = ['A3C', 'CycleGAN'].map((kind) => speedBeside('p100', lm, [kind])) as [
      number,
      number,
    ];
    expect(speedBeside('p100', lm, ['A3C', 'CycleGAN'])).toBe(one * other);
    expect(speedBeside('v100', lm, ['A3C', 'ResNet-50 (batch size 128)'])).toBe(0);
  });

  it('refuses what was not measured', () => {
    expect(() => speedBeside('v100', 'GPT-7', [])).toThrow(
      /kind: "GPT-7" is not usable; choose from ResNet-18/,
    );
    expect(() => speedBeside('v100', 'A3C', ['GPT-7'])).toThrow(/GPT-7/);
    expect(() => soloOf('GPT-7')).toThrow(/GPT-7/);
  });
});

describe('kinds that were not measured', () => {
  it('lose 0.37 of their speed for each unit beyond 1, down to 0.1', () => {
    const speeds = [0, 1, 1.5, 2, 3, 9].map(ruleOfThumbSpeed);
    for (const [i, expected] of [1, 1, 0.815, 0.63, 0.26, 0.1].entries()) {
      expect(speeds[i]).toBeCloseTo(expected, 12);
    }
  });
});

describe('soloOf', () => {
  it('gives memory that agrees with most of what did and did not fit', () => {
    const sizes = { v100: 16_160, p100: 16_280, k80: 11_441 };
    const found = GPU_TYPES.map((gpuType) => {
      const counts = { failed: 0, foreseen: 0, falseAlarms: 0 };
      for (const [i, a] of JOB_KINDS.entries()) {
        for (const b of JOB_KINDS.slice(i)) {
          const tooMuch = soloOf(a).vramMib + soloOf(b).vramMib > sizes[gpuType];
          const failed = speedBeside(gpuType, a, [b]) === 0;
          if (failed) counts.failed++;
          if (failed && tooMuch) counts.foreseen++;
          if (!failed && tooMuch) counts.falseAlarms++;
        }
      }
      return counts;
    });
    expect(found).toEqual([
      { failed: 21, foreseen: 15, falseAlarms: 0 },
      { failed: 11, foreseen: 9, falseAlarms: 3 },
      { failed: 45, foreseen: 42, falseAlarms: 4 },
    ]);
    for (const kind of JOB_KINDS) expect(soloOf(kind).vramMib).toBeLessThan(sizes.k80);
  });

  it('tells use of the GPU from two copies of a job on one', () => {
    expect(soloOf('ResNet-18 (batch size 16)').gpuUtil).toBe(0.5);
    expect(soloOf('Transformer (batch size 128)').gpuUtil).toBeCloseTo(1 / (2 * 0.672), 3);
    expect(soloOf('ResNet-50 (batch size 64)').gpuUtil).toBe(1);
    // Two of them do not fit: as the next smaller batch.
    expect(soloOf('Transformer (batch size 256)')).toEqual({
      vramMib: 8300,
      gpuUtil: soloOf('Transformer (batch size 128)').gpuUtil,
    });
  });
});
