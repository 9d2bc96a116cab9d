import { describe, expect, it } from 'vitest';
import { gpuNeedSentence, gpuNeedText, parseGpuNeed, shareMib } from '../../src/domain/gpuNeed.ts';

describe('how many GPUs', () => {
  it.each([
    ['2', { gpus: 2, minGpus: null, gpuShare: null }],
    ['0', { gpus: 0, minGpus: null, gpuShare: null }],
    ['1-4', { gpus: 4, minGpus: 1, gpuShare: null }],
    [' 2 - 3 ', { gpus: 3, minGpus: 2, gpuShare: null }],
    ['4-4', { gpus: 4, minGpus: null, gpuShare: null }],
    ['0.5', { gpus: 1, minGpus: null, gpuShare: 0.5 }],
    ['.25', { gpus: 1, minGpus: null, gpuShare: 0.25 }],
  ])('%j is read', (text, need) => expect(parseGpuNeed(text, '--gpus')).toEqual(need));

  it.each(['', '-1', '65', '0-2', '1-65', '1.5', '0.0', 'two', '1-', '1-2-3', '1e0', 'NaN'])(
    '%j is refused by its flag',
    (text) => expect(() => parseGpuNeed(text, '--gpus')).toThrow(/^--gpus: .* a range such as 1-4/),
  );

  it('a range that runs backwards is turned round in the remedy', () => {
    expect(() => parseGpuNeed('4-1', '--gpus')).toThrow(/put the smaller number first: 1-4/);
  });

  it('is said as it is read, and in a sentence', () => {
    for (const text of ['2', '0', '1-4', '0.5']) {
      expect(gpuNeedText(parseGpuNeed(text, ''))).toBe(text);
    }
    const sentence = (text: string, vramMib: number | null, exclusive = false) =>
      gpuNeedSentence({ ...parseGpuNeed(text, ''), vramMib, exclusive });
    expect(sentence('0', null)).toBe('CPU only');
    expect(sentence('1', null)).toBe('1 GPU, unshared');
    expect(sentence('2', 4096, true)).toBe('2 GPUs, 4 GiB on each, never shared');
    expect(sentence('1-4', 4096)).toBe('1 to 4 GPUs, 4 GiB on each');
    expect(sentence('0.5', 4096)).toBe('0.5 of a GPU, 4 GiB');
  });

  it('a part of a GPU is that part of nine tenths of its memory: two halves fit beside a margin', () => {
    expect(shareMib(0.5, 24_576)).toBe(11_059);
    expect(2 * shareMib(0.5, 24_576) + 256).toBeLessThan(24_576);
    expect(shareMib(0.001, 100)).toBe(1);
  });
});
