import { expect, it } from 'vitest';
import { commandKey } from '../../src/domain/commandKey.ts';

const key = (line: string, gpus = 1): string => commandKey(line.split(' '), gpus);

it('is the same for runs that differ in seed, learning rate and name alone', () => {
  const base = key('python train.py --batch 64 --lr 3e-4 --seed 1 --run-name a');
  expect(key('python train.py --batch 64 --lr 1e-3 --seed 2 --run-name b')).toBe(base);
  expect(key('python train.py --lr=3e-4 model=big')).toBe(key('python train.py --lr=1e-5 model=big'));
  expect(key('python train.py lr=3e-4 +seed=7')).toBe(key('python train.py lr=1 +seed=8'));
  expect(key('python train.py --lr -1 x')).toBe(key('python train.py --lr -2 x'));
});

it('differs with whatever may change memory or speed', () => {
  const base = key('python train.py --batch 64 --lr 3e-4');
  expect(key('python train.py --batch 128 --lr 3e-4')).not.toBe(base);
  expect(key('python other.py --batch 64 --lr 3e-4')).not.toBe(base);
  expect(key('python train.py --batch 64 --lr 3e-4', 2)).not.toBe(base);
  expect(key('python train.py --seed --amp')).not.toBe(key('python train.py --seed'));
  expect(key('python seed')).not.toBe(key('python lr'));
});
