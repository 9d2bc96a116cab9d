import type { ChildProcess } from 'node:child_process';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { ConflictError, FieldError, messageOf, NotFoundError } from '../../domain/errors.ts';
import type { GateMessage, GateShare, GateTask } from '../../domain/gateMessage.ts';
import type { PastJob } from '../../domain/pastJob.ts';
import type { GateReport, PolicyVersion } from '../../domain/policyVersion.ts';
import { sanityCheck } from '../../learning/policyCheck.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights, type Weights } from '../../scheduler/network.ts';
import { forkProgram, killProgram } from '../forkProgram.ts';
import type { Clock, Log } from '../ports.ts';
import type { ModelStore, StoredModel } from '../store/modelStore.ts';
import type { SettingStore } from '../store/settingStore.ts';

export interface PromotionOptions {
  readonly models: ModelStore;
  readonly settings: SettingStore;
  /** Puts weights to use. */
  readonly use: (weights: Weights, version: string) => void;
  /** A candidate that was learned here was judged. */
  readonly onVerdict: (passed: boolean) => void;
  /** The owner's jobs of the last days that are over. */
  readonly recentJobs: (sinceMs: number) => readonly PastJob[];
  readonly devicesMib: () => readonly number[];
  readonly clock: Clock;
  readonly log: Log;
  /** Gradient steps between two candidates that are judged by themselves; 64 when left out. */
  readonly everySteps?: number;
  /** The least time between two of them. Milliseconds; an hour when left out. */
  readonly everyMs?: number;
  /** See {@link GateTask}. */
  readonly jobsPerWorld?: number;
}

const FROZEN = 'policy-frozen';
const EVERY_STEPS = 64;
const EVERY_MS = 3_600_000;
/** The owner's days that a candidate is tried on. */
const RECENT_MS = 7 * 86_400_000;
const GATE_HEAP_MIB = 512;
/** The engine does not know the lab: it starts a program that lies there, in the form that this file has. */
const GATE = '../../lab/gate/gateProcess';

/**
 * Decides which weights are in charge. What was learned on this machine is a candidate: it is stored, judged in a process of
 * the lowest priority against the weights in charge, and takes charge only if it passes. A candidate that was not judged
 * when the engine ended is judged later. People may put any version in charge that works, or the one before back.
 */
export class Promotion {
  private readonly options: PromotionOptions;
  private worker: ChildProcess | null = null;
  private judging: string | null = null;
  private last: SchedulerStatus['promotion']['last'] = null;
  private judgedSteps: number;
  private judgedAtMs = Number.NEGATIVE_INFINITY;
  private stopped = false;
  private share = 1;
  /** True: nobody asked for what is judged now, so that it keeps to the share. */
  private restrained = false;

  constructor(options: PromotionOptions) {
    this.options = options;
    const judged = options.models.list().filter(({ gate }) => gate !== null);
    this.judgedSteps = Math.max(0, ...judged.map(({ trainSteps }) => trainSteps));
  }

  get status(): SchedulerStatus['promotion'] {
    return { frozen: this.frozen, judging: this.judging, last: this.last };
  }

  /** Takes newly learned weights, which are sane. They are judged if enough was learned since the last. */
  offer(version: string, trainSteps: number, weights: Uint8Array): void {
    const { models, clock, everySteps = EVERY_STEPS, everyMs = EVERY_MS } = this.options;
    models.register({ version, createdAtMs: clock.nowMs(), source: 'online', trainSteps, weights });
    const due =
      trainSteps - this.judgedSteps >= everySteps && clock.monotonicMs() - this.judgedAtMs >= everyMs;
    if (due && this.judging === null) this.begin(models.get(version)!, true);
  }

  /** @param share part of one core, 0 to 1, that judging takes by itself; what a person asked for takes what it gets. */
  setShare(share: number): void {
    this.share = share;
    if (this.restrained) this.worker?.send({ share } satisfies GateShare, () => undefined);
  }

  versions(): PolicyVersion[] {
    return this.options.models.list();
  }

  /** @throws {NotFoundError} @throws {ConflictError} if these weights do not work with this version of Stint. */
  promote(version: string): void {
    this.takeCharge(this.find(version));
  }

  /** @throws {ConflictError} if no other version was ever in charge. */
  rollBack(): void {
    const before = this.options.models.previous();
    if (before === null) {
      throw new ConflictError('no other version was in charge before', 'nothing needs to be done');
    }
    this.takeCharge(before);
  }

  freeze(on: boolean): void {
    this.options.settings.set(FROZEN, on ? '1' : '');
  }

  /** @throws {NotFoundError} @throws {ConflictError} while another is judged, or when it is in charge. */
  judge(version: string): void {
    const model = this.find(version);
    if (model.inCharge) {
      throw new ConflictError(`${version} is in charge`, 'judge another version, which is held against it');
    }
    if (this.judging !== null) {
      throw new ConflictError(`${this.judging} is being judged`, 'wait until that is done');
    }
    this.begin(model, false);
  }

  exportVersion(version: string): { name: string; weights: string } {
    const model = this.find(version);
    return { name: model.version, weights: Buffer.from(model.weights).toString('base64') };
  }

  /**
   * @throws {FieldError} for weights that are damaged, of another version of Stint, or not sane; for a name that is taken
   * by other weights. Nothing was changed then.
   */
  importVersion(file: { readonly name: string; readonly weights: string }): PolicyVersion {
    const { models, clock } = this.options;
    const weights = new Uint8Array(Buffer.from(file.weights, 'base64'));
    try {
      sanityCheck(decodeWeights(weights, FEATURE_NAMES));
    } catch (error) {
      throw new FieldError('weights', file.name, messageOf(error));
    }
    const there = models.get(file.name);
    if (there !== null && Buffer.compare(there.weights, weights) !== 0) {
      throw new FieldError('name', file.name, 'other weights have that name: rename the file’s `name`');
    }
    if (there === null) {
      models.register({
        version: file.name,
        createdAtMs: clock.nowMs(),
        source: 'imported',
        trainSteps: 0,
        weights,
      });
    }
    return models.list().find(({ version }) => version === file.name)!;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.worker !== null) await killProgram(this.worker);
  }

  private get frozen(): boolean {
    return this.options.settings.get(FROZEN) === '1';
  }

  private find(version: string): StoredModel {
    const model = this.options.models.get(version);
    if (model === null)
      throw new NotFoundError('version', version, '`stint policy ls` lists those that there are');
    return model;
  }

  private takeCharge({ version, weights }: StoredModel): void {
    const { models, clock, use } = this.options;
    let decoded: Weights;
    try {
      decoded = decodeWeights(weights, FEATURE_NAMES);
      sanityCheck(decoded);
    } catch (error) {
      throw new ConflictError(`${version} cannot take charge: ${messageOf(error)}`, 'choose another version');
    }
    models.promote(version, clock.nowMs());
    use(decoded, version);
  }

  /** @param restrained it keeps to the share. */
  private begin({ version, weights, trainSteps }: StoredModel, restrained: boolean): void {
    const { models, clock, recentJobs, devicesMib, jobsPerWorld, log } = this.options;
    const inCharge = models.inCharge();
    if (inCharge === null || this.stopped) return;
    this.judging = version;
    this.judgedSteps = Math.max(this.judgedSteps, trainSteps);
    this.judgedAtMs = clock.monotonicMs();
    const task: GateTask = {
      candidate: weights,
      inCharge: { version: inCharge.version, weights: inCharge.weights },
      history: recentJobs(clock.nowMs() - RECENT_MS),
      devicesMib: devicesMib(),
      seed: trainSteps,
      ...(jobsPerWorld === undefined ? {} : { jobsPerWorld }),
      ...(restrained ? { share: this.share } : {}),
    };
    this.restrained = restrained;
    const worker = forkProgram(import.meta.url, GATE, GATE_HEAP_MIB);
    this.worker = worker;
    let answer: GateMessage | null = null;
    let ended = false;
    const end = (why: string): void => {
      if (ended || this.stopped) return;
      ended = true;
      this.worker = null;
      this.judging = null;
      if (answer !== null && 'report' in answer) this.judged(version, answer.report);
      else log.warn('a candidate could not be judged', { version, error: answer?.trouble ?? why });
    };
    worker.on('message', (message: GateMessage) => {
      answer = message;
    });
    worker.on('error', (error) => end(messageOf(error)));
    worker.on('exit', (code, signal) => {
      // What it said before is read first.
      const tell = (): void => end(signal === null ? `it ended with status ${code}` : `it got ${signal}`);
      if (worker.connected) worker.once('disconnect', tell);
      else tell();
    });
    worker.send(task, () => undefined);
  }

  private judged(version: string, report: GateReport): void {
    const { models, log } = this.options;
    try {
      models.judged(version, report);
      const { passed, reason, atMs } = report;
      this.last = { version, passed, reason, atMs };
      const model = models.get(version);
      // It was held against weights that may no longer be in charge, if a person chose meanwhile.
      const current = models.inCharge()?.version === report.against;
      if (model?.source !== 'online') return;
      if (passed && current && !this.frozen) this.takeCharge(model);
      this.options.onVerdict(passed);
    } catch (error) {
      log.warn('a verdict on newly learned weights came to nothing', { version, error: messageOf(error) });
    }
  }
}
