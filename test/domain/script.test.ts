import { expect, it } from 'vitest';
import { scriptOf } from '../../src/domain/script.ts';

it.each([
  [['/usr/bin/python3', '-u', 'exp/train.py', '--lr', '0.1'], 'python3 train.py'],
  [['python', '-m', 'pkg.train', '--lr', '1'], 'python -m pkg.train'],
  [['torchrun', '--nproc-per-node=2', 'train.py'], 'torchrun train.py'],
  [['accelerate', 'launch', 'train.py', '--x'], 'accelerate train.py'],
  [['bash'], 'bash'],
  [['./train.sh', '3'], 'train.sh'],
  [[], ''],
])('%j runs %s', (command, script) => {
  expect(scriptOf(command)).toBe(script);
});
