import { FEATURE_NAMES } from '../scheduler/features.ts';
import { decodeWeights, encodeWeights, type Weights } from '../scheduler/network.ts';
import { Agent, type AgentConfig } from './agent.ts';
import { type BackendName, startBackend } from './backend.ts';
import type { LearnerMessage, WorkerMessage, WorkerStart } from './learnerMessages.ts';
import { sanityCheck } from './policyCheck.ts';
import { kernelBackend, type TrainableNetwork } from './trainableNetwork.ts';
import { decodeTransition, TransitionError } from './transition.ts';

/** Weight of the latest loss in the running mean. */
const LOSS_SMOOTHING = 0.05;
/** Milliseconds between two reports when no step was taken, such as while the memory fills. */
const REPORT_EVERY_MS = 1000;

/** TensorFlow.js is loaded only where it is asked for: it takes 60 MiB. */
async function networkOn(
  name: BackendName,
  weights: Weights,
  config: AgentConfig,
): Promise<TrainableNetwork> {
  if (name === 'kernels') return kernelBackend(weights, config);
  const { QNetwork } = await import('./qNetwork.ts');
  return new QNetwork(weights, config);
}

/** Trains while it is owed steps, and waits otherwise. */
export class Trainer {
  private readonly start: WorkerStart;
  private readonly agent: Agent;
  private readonly post: (message: WorkerMessage) => void;
  private owed: number;
  /** Transitions that paid. */
  private heard = 0;
  private publishedSteps: number;
  private training = false;
  /** The step that is taken after a rest. */
  private resting: NodeJS.Timeout | null = null;
  private cpuShare: number;
  private maySleep = false;
  private loss: number | null = null;
  private trouble: string | null = null;
  private reportDue = false;

  private constructor(start: WorkerStart, agent: Agent, post: (message: WorkerMessage) => void) {
    this.start = start;
    this.agent = agent;
    this.post = post;
    this.owed = start.asleep?.owedSteps ?? 0;
    this.cpuShare = start.cpuShare;
    this.publishedSteps = agent.trainSteps;
  }

  /** @throws {UnavailableError} without any backend. @throws {WeightsError} for weights that do not fit. */
  static async create(start: WorkerStart, post: (message: WorkerMessage) => void): Promise<Trainer> {
    const { name, notes } = await startBackend(start.backend);
    const weights = decodeWeights(start.weights, FEATURE_NAMES);
    const agent = new Agent(weights, start.config, await networkOn(name, weights, start.config));
    if (start.asleep === null) agent.countFrom(start.trainSteps);
    else await agent.restore({ ...start.asleep.agent, replay: [] });
    post({ kind: 'ready', backend: name, notes });
    return new Trainer(start, agent, post);
  }

  hear(message: Exclude<LearnerMessage, { kind: 'start' }>): void {
    if (message.kind === 'share') {
      this.cpuShare = message.cpuShare;
      // Begins anew with what it may take now.
      if (this.resting !== null) clearTimeout(this.resting);
      this.resting = null;
      this.training = false;
      this.train();
      return;
    }
    if (message.kind === 'sleep') {
      this.maySleep = true;
      if (!this.training) void this.offerSleep();
      return;
    }
    try {
      this.agent.remember(decodeTransition(message.blob, FEATURE_NAMES));
    } catch (error) {
      if (!(error instanceof TransitionError)) throw error;
      this.trouble = error.message;
    }
    if (message.kind === 'new') this.pay();
    if (this.reportDue) return;
    this.reportDue = true;
    setTimeout(() => {
      this.reportDue = false;
      this.report(null);
    }, REPORT_EVERY_MS);
  }

  private pay(): void {
    const { stepsPerTransition, maxOwedSteps } = this.start.config;
    this.heard++;
    this.maySleep = false;
    this.owed = Math.min(this.owed + stepsPerTransition, maxOwedSteps);
    this.train();
  }

  private train(): void {
    if (this.training || this.cpuShare <= 0 || !this.agent.ready || this.owed < 1) return;
    this.training = true;
    this.stepAfter(0);
  }

  private stepAfter(restMs: number): void {
    this.resting = setTimeout(() => this.step(), restMs);
  }

  /** One gradient step, then a rest in which its share of a core is kept and messages are heard. */
  private step(): void {
    this.resting = null;
    const [startMs, cpu] = [performance.now(), process.cpuUsage()];
    this.owed--;
    const latest = this.agent.train(this.start.config.imitation);
    this.loss = this.loss === null ? latest : this.loss + LOSS_SMOOTHING * (latest - this.loss);
    if (this.agent.trainSteps % this.start.config.publishEverySteps === 0) this.publish();
    this.training = this.owed >= 1;
    const { user, system } = process.cpuUsage(cpu);
    const restMs = (user + system) / 1000 / this.cpuShare - (performance.now() - startMs);
    if (this.training) this.stepAfter(Math.max(0, restMs));
    else if (this.maySleep) void this.offerSleep();
  }

  /** Publishes what is not published yet, and says that this worker may be ended. */
  private async offerSleep(): Promise<void> {
    this.maySleep = false;
    // Counted before the wait: what comes during it makes the offer void.
    const { heard } = this;
    if (this.agent.trainSteps === this.publishedSteps) this.report(null);
    else this.publish();
    const { replay: _, ...agent } = await this.agent.save();
    this.post({ kind: 'sleepy', heard, state: { agent, owedSteps: this.owed } });
  }

  private publish(): void {
    this.publishedSteps = this.agent.trainSteps;
    const problem = this.agent.check(sanityCheck);
    if (problem === null) {
      this.trouble = null;
      this.report(encodeWeights(this.agent.weights(), FEATURE_NAMES));
    } else {
      this.loss = null;
      this.trouble = `the network was set back to its last good weights: ${problem}`;
      this.report(null);
    }
  }

  private report(weights: Uint8Array | null): void {
    this.post({
      kind: 'progress',
      trainSteps: this.agent.trainSteps,
      replaySize: this.agent.replaySize,
      loss: this.loss !== null && Number.isFinite(this.loss) ? this.loss : null,
      trouble: this.trouble,
      weights,
    });
  }
}
