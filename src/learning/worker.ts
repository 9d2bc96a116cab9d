/** Entry of the learner's thread: trains while it is owed steps, sleeps otherwise. Started by learner.ts. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { FEATURE_NAMES } from '../scheduler/features.ts';
import { decodeWeights, encodeWeights } from '../scheduler/network.ts';
import { Agent } from './agent.ts';
import { startBackend } from './backend.ts';
import type { TransitionMessage, WorkerMessage, WorkerStart } from './learnerMessages.ts';
import { sanityCheck } from './policyCheck.ts';
import { decodeTransition, TransitionError } from './transition.ts';

/** Weight of the latest loss in the running mean. */
const LOSS_SMOOTHING = 0.05;
/** Milliseconds between two reports when no step was taken, such as while the memory fills. */
const REPORT_EVERY_MS = 1000;

const port = parentPort;
if (port === null) throw new TypeError('src/learning/worker.ts runs as a worker of learner.ts only');
const post = (message: WorkerMessage): void => port.postMessage(message);

// On Linux this is the priority of this thread alone: training never delays a decision.
if (process.platform === 'linux') setPriority(10);

const start = workerData as WorkerStart;
const { name, notes } = await startBackend(start.backend);
const agent = new Agent(decodeWeights(start.weights, FEATURE_NAMES), start.config);
agent.countFrom(start.trainSteps);
post({ kind: 'ready', backend: name, notes });

let owed = 0;
let training = false;
let loss: number | null = null;
let trouble: string | null = null;
let reportDue = false;

port.on('message', ({ kind, blob }: TransitionMessage) => {
  try {
    agent.remember(decodeTransition(blob, FEATURE_NAMES));
  } catch (error) {
    if (!(error instanceof TransitionError)) throw error;
    trouble = error.message;
  }
  if (kind === 'new') {
    owed = Math.min(owed + start.config.stepsPerTransition, start.config.maxOwedSteps);
  }
  if (agent.ready && owed >= 1 && !training) {
    training = true;
    setImmediate(step);
  }
  if (reportDue) return;
  reportDue = true;
  setTimeout(() => {
    reportDue = false;
    report(null);
  }, REPORT_EVERY_MS);
});

/** One gradient step, then back to the event loop, so that messages are heard between steps. */
function step(): void {
  owed--;
  const latest = agent.train();
  loss = loss === null ? latest : loss + LOSS_SMOOTHING * (latest - loss);
  if (agent.trainSteps % start.config.publishEverySteps === 0) publish();
  training = owed >= 1;
  if (training) setImmediate(step);
}

function publish(): void {
  const problem = agent.check(sanityCheck);
  if (problem === null) {
    trouble = null;
    report(encodeWeights(agent.weights(), FEATURE_NAMES));
  } else {
    loss = null;
    trouble = `the network was set back to its last good weights: ${problem}`;
    report(null);
  }
}

function report(weights: Uint8Array | null): void {
  const finiteLoss = loss !== null && Number.isFinite(loss) ? loss : null;
  post({
    kind: 'progress',
    trainSteps: agent.trainSteps,
    replaySize: agent.replaySize,
    loss: finiteLoss,
    trouble,
    weights,
  });
}
