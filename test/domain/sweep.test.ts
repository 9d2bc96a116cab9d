import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../../src/domain/errors.ts';
import { filled, filledJob, unusedParameters } from '../../src/domain/placeholders.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { checkAxes, grid, parseArray, parseAxis, parsePoints, randomPoints } from '../../src/domain/sweep.ts';

const indices = (text: string) => parseArray(text, '--array').points.map(({ index }) => index);
const axes = (...texts: string[]) => texts.map((text) => parseAxis(text, '--sweep'));
const values = (points: { values: Record<string, string> }[]) =>
  points.map((point) => Object.values(point.values).join(' '));

describe('an array', () => {
  it('is a list of indices, as Slurm writes it', () => {
    expect(indices('0-3')).toEqual([0, 1, 2, 3]);
    expect(indices('1,3,5-7')).toEqual([1, 3, 5, 6, 7]);
    expect(indices('0-10:5,5')).toEqual([0, 5, 10]);
    expect(parseArray('0-9%2', '--array')).toMatchObject({ atMost: 2, points: { length: 10 } });
  });

  it.each(['', '-1', '3-1', '0-9%0', '0-9%', '0-5:0', 'a', '1,,2', '0-99999', '4294967296', '1;2'])(
    'is not %j',
    (text) => expect(() => parseArray(text, '--array')).toThrow(/^--array: /),
  );
});

describe('a sweep', () => {
  it('is every combination, the last parameter changing fastest', () => {
    expect(values(grid(axes('lr=1e-3,3e-4', 'seed=0..2'), '--sweep'))).toEqual([
      '1e-3 0',
      '1e-3 1',
      '1e-3 2',
      '3e-4 0',
      '3e-4 1',
      '3e-4 2',
    ]);
    expect(values(grid(axes('n=0..100..50'), '--sweep'))).toEqual(['0', '50', '100']);
    expect(values(grid(axes(String.raw`x=a\,b,c`), '--sweep'))).toEqual(['a,b', 'c']);
  });

  it('drawn at random has no combination twice, and is the same for the same seed', () => {
    const given = axes('a=1,2,3', 'b=0..3');
    const draw = (seed: number) => values(randomPoints(given, 11, seededRng(seed), '--samples'));
    expect(new Set(draw(1)).size).toBe(11);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(() => randomPoints(given, 13, seededRng(1), '--samples')).toThrow(/only 12 combinations/);
  });

  it('draws from intervals, also on a logarithmic scale', () => {
    const points = randomPoints(
      axes('lr=log:1e-5..1e-1', 'p=uniform:0..0.5'),
      400,
      seededRng(7),
      '--samples',
    );
    const lr = points.map((point) => Number(point.values.lr));
    expect(lr.every((x) => x >= 1e-5 && x <= 1e-1)).toBe(true);
    expect(lr.filter((x) => x < 1e-3).length).toBeGreaterThan(150);
    expect(points.every(({ values: { p } }) => Number(p) >= 0 && Number(p) <= 0.5)).toBe(true);
  });

  it.each([
    'lr',
    '=1',
    '1x=2',
    'lr=',
    'n=4..0',
    'n=0..4..0',
    'n=0..99999',
    'index=1',
    '__proto__=1',
    'lr=log:0..1',
    'lr=log:x..1',
    'lr=uniform:2..1',
  ])('is not %j', (text) => expect(() => parseAxis(text, '--sweep')).toThrow(/^--sweep: /));

  it('is refused where it makes no sense as a whole', () => {
    expect(() => checkAxes(axes('a=1', 'a=2'), '--sweep')).toThrow(/each parameter once/);
    expect(() => grid(axes('lr=log:1e-5..1e-1'), '--sweep')).toThrow(/--samples/);
    expect(() => grid(axes('a=0..999', 'b=0..999'), '--sweep')).toThrow(/makes 1000000 jobs/);
  });

  it('may come from a file, CSV or JSON', () => {
    const csv = 'lr,note\r\n1e-3,"a, ""b"""\r\n\r\n3e-4,\n';
    expect(parsePoints(csv, '--sweep-file')).toEqual([
      { index: 0, values: { lr: '1e-3', note: 'a, "b"' } },
      { index: 1, values: { lr: '3e-4', note: '' } },
    ]);
    const json = '[{"lr": 0.001, "amp": true}, {"lr": 0.0003, "amp": false}]';
    expect(values(parsePoints(json, '--sweep-file'))).toEqual(['0.001 true', '0.0003 false']);
  });

  it.each([
    ['', 'at least one point'],
    ['lr', 'at least one point'],
    ['lr,lr\n1,2', 'line 1'],
    ['l r\n1', 'line 1'],
    ['lr,seed\n1', 'line 2'],
    ['lr\n"1', 'line 2'],
    ['[', 'give JSON'],
    ['[1]', 'point 1'],
    ['[{"lr": [1]}]', 'point 1'],
  ])('from a file is not %j', (text, says) => expect(() => parsePoints(text, '--sweep-file')).toThrow(says));

  it('whatever is given is read or refused by name, and never makes too many', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[\w=.,:%\-{}"[\]\n]{0,40}$/));
    fc.assert(
      fc.property(texts, (text) => {
        for (const read of [
          () => parseArray(text, 'flag').points,
          () => grid([parseAxis(text, 'flag')], 'flag'),
          () => parsePoints(text, 'flag'),
        ]) {
          try {
            expect(read().length).toBeLessThanOrEqual(10_000);
          } catch (error) {
            if (!(error instanceof FieldError)) throw error;
            expect(error.field).toMatch(/^flag/);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('placeholders', () => {
  it('stand for values where they are parameters, and for themselves elsewhere', () => {
    const known = { lr: '1e-3', index: '4' };
    // Not a template of ours: a shell's.
    const shell = ['$', '{lr}'].join('');
    expect(filled(`--lr={lr} run{index} {other} ${shell} {{lr}} {"lr": {lr}}`, known)).toBe(
      `--lr=1e-3 run4 {other} ${shell} {lr} {"lr": 1e-3}`,
    );
    expect(filled('{constructor} {toString}', known)).toBe('{constructor} {toString}');
    // A value is not looked at again.
    expect(filled('{a}', { a: '{b}', b: 'no' })).toBe('{b}');
  });

  it('are filled in command, name and variables; those that occur nowhere are told', () => {
    const spec = { command: ['train', '{lr}'], name: 'run {seed}', env: { TAG: 'x{index}' } };
    expect(filledJob(spec, { lr: '1', seed: '2', index: '3' })).toEqual({
      command: ['train', '1'],
      name: 'run 2',
      env: { TAG: 'x3' },
    });
    expect(unusedParameters(spec, ['lr', 'seed', 'batch'])).toEqual(['batch']);
  });
});
