/** Entry of the learner's process, forked by learner.ts. It ends with its parent. */
import { setPriority } from 'node:os';
import { messageOf } from '../domain/errors.ts';
import type { LearnerMessage, WorkerMessage } from './learnerMessages.ts';
import { Trainer } from './trainer.ts';

if (process.send === undefined)
  throw new TypeError('src/learning/worker.ts runs as a child of learner.ts only');
const send = process.send.bind(process);
// Nobody is left to tell when this fails; `disconnect` follows.
const post = (message: WorkerMessage, sent: (error: Error | null) => void = () => undefined): void =>
  void send(message, sent);

// Training never delays a decision.
setPriority(10);
process.on('disconnect', () => process.exit());
// Not by an event: TensorFlow.js listens to it too, and throws again.
process.setUncaughtExceptionCaptureCallback((error) => {
  post({ kind: 'failed', reason: messageOf(error) }, () => process.exit(1));
});

let trainer: Trainer | null = null;
let inOrder: Promise<void> = Promise.resolve();
process.on('message', (message: LearnerMessage) => {
  inOrder = inOrder.then(async () => {
    if (message.kind === 'start') trainer = await Trainer.create(message.start, post);
    else trainer?.hear(message);
  });
});
