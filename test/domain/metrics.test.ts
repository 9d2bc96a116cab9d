import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MetricPoint, MetricReader, type MetricReaderState } from '../../src/domain/metrics.ts';

/** What the lines tell, as `unit at: name value, …`. */
function told(...lines: string[]): string[] {
  const reader = new MetricReader();
  return lines
    .map((line) => reader.read(line))
    .filter((point) => point !== null)
    .map(shown);
}
const shown = ({ unit, at, values }: MetricPoint): string =>
  `${unit} ${at}: ${values.map(([name, value]) => `${name} ${value}`).join(', ')}`;

describe('metrics are read from', () => {
  it.each<[string, string[], string[]]>([
    [
      'STINT_PROGRESS',
      [
        'STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.5, "lr": 1e-4, "label": "x"}',
        'STINT_PROGRESS={"step": 31, "loss": NaN}',
      ],
      ['step 30: loss 0.5, lr 0.0001', 'step 31: loss null'],
    ],
    [
      'epoch lines',
      [
        'spirals on cpu, torch 2.1: 1,234 parameters',
        'epoch 1/40 loss 0.4120 accuracy 0.850',
        'epoch 2/40 loss nan accuracy 0.3',
      ],
      ['epoch 1: loss 0.412, accuracy 0.85', 'epoch 2: loss null, accuracy 0.3'],
    ],
    [
      'steps within epochs',
      ['Epoch [2/10], Step [50/100], Loss: 0.1234, time: 3.2', 'Epoch [2/10], val_loss=.25'],
      ['step 150: loss 0.1234', 'epoch 2: val_loss 0.25'],
    ],
    [
      'tqdm, a bar an epoch',
      [
        '  1%|  | 1/100 [00:00<00:04, 13.5it/s, loss=2.5]',
        '100%|██| 100/100 [00:03<00:00, 13.5it/s, loss=1.5]',
        '  1%|  | 1/100 [00:00<00:04, 13.5it/s, loss=1.4, acc=93.5%]',
        'Downloading:  42%|██ | 42/77 [00:00<00:04, 13.5it/s]',
      ],
      ['step 1: loss 2.5', 'step 100: loss 1.5', 'step 101: loss 1.4, acc 93.5'],
    ],
    [
      'Lightning',
      [
        'Epoch 0:  50%|██ | 50/100 [00:03<00:04, 13.5it/s, v_num=3, train_loss=0.5]',
        'Epoch 1:  50%|██ | 50/100 [00:03<00:04, 13.50it/s, v_num=3, train_loss=0.4]',
      ],
      ['step 50: train_loss 0.5', 'step 150: train_loss 0.4'],
    ],
    [
      'Keras 2',
      [
        'Epoch 2/5',
        ' 12/100 [==>.....] - ETA: 3s - loss: 0.5000 - accuracy: 0.8',
        '100/100 [====] - 3s 30ms/step - loss: 0.4 - accuracy: 0.9 - val_loss: 0.45',
      ],
      ['step 112: loss 0.5, accuracy 0.8', 'step 200: loss 0.4, accuracy 0.9, val_loss 0.45'],
    ],
    [
      'Keras 3',
      [
        'Epoch 1/5',
        '\u001b[1m 12/100\u001b[0m \u001b[32m━━\u001b[0m\u001b[37m━━━\u001b[0m \u001b[1m3s\u001b[0m 10ms/step - accuracy: 0.8 - loss: 0.5',
      ],
      ['step 12: accuracy 0.8, loss 0.5'],
    ],
    [
      "Hugging Face's Trainer",
      [
        "{'loss': 0.5, 'grad_norm': 1.25, 'learning_rate': 5e-05, 'epoch': 0.3}",
        "{'eval_loss': 0.4, 'eval_runtime': 1.2, 'eval_samples_per_second': 80.1, 'epoch': 1.0}",
        "{'loss': '0.3', 'learning_rate': '4e-05', 'epoch': '1.3'}",
        '{"step": 40, "train/loss": 0.25}',
      ],
      [
        'epoch 0.3: loss 0.5, grad_norm 1.25, learning_rate 0.00005',
        'epoch 1: eval_loss 0.4',
        'epoch 1.3: loss 0.3, learning_rate 0.00004',
        'step 40: train/loss 0.25',
      ],
    ],
    [
      'headings',
      ['Epoch 3/24', '----------', 'train Loss: 0.5 Acc: 0.7', 'val Loss: 0.4 Acc: 0.8'],
      ['epoch 3: loss 0.5, acc 0.7', 'epoch 3: val_loss 0.4, val_acc 0.8'],
    ],
    [
      "PyTorch's ImageNet example",
      [
        'Epoch: [1][ 10/500]  Time  0.5 (0.6)  Data  0.1 (0.2)  Loss 6.5e+00 (6.9e+00)  Acc@1   1.5 (  1.0)',
        'Test: [  0/196]  Time  2.1 ( 2.1)  Loss 9.5e-01 (9.5e-01)',
      ],
      ['step 10: loss 6.5, acc@1 1.5', 'epoch 1: test_loss 0.95'],
    ],
    [
      'lines without a place',
      ['loss: 0.5', 'train loss 0.4, val loss 0.45'],
      ['line 1: loss 0.5', 'line 2: loss 0.4, val_loss 0.45'],
    ],
    [
      'nothing else',
      [
        '',
        'listening on port: 8080',
        'time: 12:30:00',
        'Size: 6.00MiB',
        '    return 0',
        'x = 5',
        'accepted: 5',
        'torch 2.1.0',
        'elapsed 3s',
        '[1, 2, 3]',
        '3/4',
        'loss 3x',
      ],
      [],
    ],
  ])('%s', (_what, lines, points) => {
    expect(told(...lines)).toEqual(points);
  });
});

it('goes on in another reader where the first was', () => {
  const lines = [
    'Epoch 0/3',
    'Epoch 2/3',
    '10/20 [==>...] - loss: 0.5',
    ' 5%| | 1/30 [0<1, loss=2]',
    'loss: 1',
  ];
  let state: MetricReaderState | null = null;
  const points = lines.map((line) => {
    const reader = new MetricReader(
      state === null ? null : (JSON.parse(JSON.stringify(state)) as MetricReaderState),
    );
    const point = reader.read(line);
    state = reader.state;
    return point;
  });
  expect(points.filter((point) => point !== null).map(shown)).toEqual(told(...lines));
});

it('answers for whatever is written, in bounds', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'loss',
      'epoch',
      ' 3/4',
      '=',
      ': ',
      '{',
      "'",
      '1e999',
      '-.5',
      'nan',
      '[',
      '|',
      '%',
      'STINT_PROGRESS=',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 8 }), (lines) => {
      const reader = new MetricReader();
      for (const pieces of lines) {
        const point = reader.read(pieces.join(''));
        if (point === null) continue;
        expect(Number.isFinite(point.at)).toBe(true);
        expect(point.values.length).toBeGreaterThan(0);
        for (const [name, value] of point.values) {
          expect(name).toMatch(/^.{1,64}$/s);
          expect(value === null || Number.isFinite(value)).toBe(true);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
