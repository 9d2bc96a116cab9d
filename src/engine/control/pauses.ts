import type { Device } from '../../domain/device.ts';
import { ConflictError, messageOf, UnavailableError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { PauseBy } from '../../domain/rungSchemas.ts';
import { FREES_VRAM, PAUSE_RUNGS, type PauseRung } from '../../domain/rungs.ts';
import { formatMib } from '../../domain/units.ts';
import type { Ledger } from '../jobs/ledger.ts';
import { jobProcesses, signalJob } from '../jobs/processes.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Log } from '../ports.ts';
import type { Cgroups } from './cgroups.ts';
import { availableHostMib, type CudaCheckpoint } from './cudaCheckpoint.ts';

/** Left to the host beside what comes from a GPU, and to a GPU beside what goes back. MiB. */
const HOST_MARGIN_MIB = 1024;
const GPU_MARGIN_MIB = 256;

export interface PausesOptions {
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly cgroups: Cgroups;
  readonly cuda: CudaCheckpoint;
  readonly devices: () => readonly Device[];
  /** How the owner wants jobs to be paused where nobody says. */
  readonly chosen: () => PauseBy;
  readonly availableHostMib?: () => number | null;
  readonly log: Log;
}

/**
 * Pauses of persons, by whichever rung of the ladder they choose. What takes its time (a checkpoint of CUDA) is recorded
 * before and after: in between the job is paused and holds its memory, and the next engine finishes what this one began.
 */
export class Pauses {
  readonly #options: PausesOptions;
  /** Jobs whose memory is under way. */
  readonly #busy = new Set<number>();
  #stopped = false;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  /**
   * @param freeVram only by a rung that gives its GPU memory back.
   * @throws {ConflictError} saying why that cannot be done to this job; it is left as it was.
   */
  async pause(jobId: number, wanted: { by?: PauseBy | undefined; freeVram?: boolean } = {}): Promise<Job> {
    const { ledger, runner, chosen } = this.#options;
    const by = wanted.by ?? (wanted.freeVram ? 'auto' : chosen());
    const { status } = ledger.get(jobId);
    if (!mayHappen(status, 'paused')) return wanted.freeVram ? runner.park(jobId) : runner.pause(jobId);
    const allowed = PAUSE_RUNGS.filter((rung) => !wanted.freeVram || FREES_VRAM.has(rung));
    if (by !== 'auto') {
      if (allowed.includes(by)) return this.#by(by, jobId);
      throw new ConflictError(`${by} does not free GPU memory`, 'leave out one of the two');
    }
    const refusals: string[] = [];
    for (const rung of allowed) {
      try {
        return await this.#by(rung, jobId);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        refusals.push(error.message.slice(0, -`; ${error.remedy}`.length));
      }
    }
    throw new ConflictError(
      refusals.join('; '),
      'pause it with its memory held, or submit such jobs with --restartable',
    );
  }

  /** @throws {ConflictError} also where what it had on its GPUs would not fit there now; it stays paused. */
  async resume(jobId: number): Promise<Job> {
    const { ledger, runner } = this.#options;
    const job = ledger.get(jobId);
    if (job.status !== 'paused' || job.pauseMethod !== 'cuda-checkpoint') return runner.resume(jobId);
    return this.#alone(jobId, () => this.#restore(job));
  }

  /** What is under way is left as it is: the next engine finishes it. */
  stop(): void {
    this.#stopped = true;
  }

  /** Finishes what an engine began that was killed. */
  async recover(): Promise<void> {
    const { ledger, log } = this.#options;
    for (const { id, status, pauseMethod, holdsVram } of ledger.live()) {
      if (status !== 'paused' || pauseMethod !== 'cuda-checkpoint' || !holdsVram) continue;
      await this.#alone(id, () => this.#settle(id)).catch((error: unknown) => {
        log.warn(`the GPU memory of job ${id} is between GPU and host`, { error: messageOf(error) });
      });
    }
  }

  async #by(rung: PauseRung, jobId: number): Promise<Job> {
    const { ledger, runner, cgroups } = this.#options;
    switch (rung) {
      case 'checkpoint':
        return runner.park(jobId);
      case 'cuda-checkpoint':
        return this.#alone(jobId, () => this.#suspend(ledger.get(jobId)));
      case 'freezer':
        await cgroups.gather(ledger.get(jobId));
        return runner.pause(jobId, 'person', 'freezer');
      case 'signals':
        return runner.pause(jobId);
    }
  }

  async #suspend(job: Job): Promise<Job> {
    const { runner, cuda, availableHostMib: available = availableHostMib } = this.#options;
    const refused = (why: string): ConflictError =>
      new ConflictError(`job ${job.id} cannot be checkpointed by CUDA: ${why}`, 'pause it by another rung');
    if (job.devices.length === 0 || job.process === null) throw refused('it has no GPU');
    const trouble = await cuda.trouble();
    if (trouble !== null) throw refused(trouble);
    const states = await cuda.statesOf(jobProcesses(job.process));
    if (states.size === 0)
      throw refused('none of its processes uses CUDA, as far as cuda-checkpoint can tell');
    const odd = [...states].find(([, state]) => state !== 'running');
    if (odd !== undefined) throw refused(`its process ${odd[0]} is ${odd[1]}`);
    const used = this.#usedMib(job);
    const needMib = Object.values(used).reduce((sum, mib) => sum + mib, HOST_MARGIN_MIB);
    const hostMib = available();
    if (hostMib === null || hostMib < needMib) {
      const has = hostMib === null ? 'nobody knows how much is there' : `${formatMib(hostMib)} is available`;
      throw refused(`that needs ${formatMib(needMib)} of the host's memory, and ${has}`);
    }
    const run = runner.runOf(job);
    run.noteSuspended(used);
    runner.pause(job.id, 'person', 'cuda-checkpoint');
    try {
      for (const pid of states.keys()) await cuda.toggle(pid);
    } catch (error) {
      await this.#undo(job);
      throw refused(`${messageOf(error)}; it goes on`);
    }
    return this.#freed(job.id);
  }

  /** What was checkpointed of a job goes back: nobody was given its room yet. */
  async #undo(job: Job): Promise<void> {
    const { ledger, runner, cuda } = this.#options;
    this.#checkGoing();
    for (const [pid, state] of await cuda.statesOf(jobProcesses(job.process!))) {
      if (state !== 'running') await cuda.toBeRunning(pid, state);
    }
    this.#checkGoing();
    if (ledger.get(job.id).status === 'paused') runner.resume(job.id);
  }

  #checkGoing(): void {
    if (this.#stopped)
      throw new UnavailableError('Stint is stopping', 'its next start finishes what was begun');
  }

  async #restore(job: Job): Promise<Job> {
    const { ledger, runner, cuda } = this.#options;
    const process = job.process!;
    const trouble = await cuda.trouble();
    if (trouble !== null) {
      throw new ConflictError(`job ${job.id} cannot be put back on its GPU: ${trouble}`, 'it stays paused');
    }
    if (!job.holdsVram) {
      this.#checkRoom(job);
      // So that nobody is given the room meanwhile.
      ledger.append(job.id, { kind: 'vram', held: true }, 'engine');
    }
    // It takes a thread of its own to restore a process.
    signalJob(process, 'SIGCONT');
    try {
      for (const [pid, state] of await cuda.statesOf(jobProcesses(process))) {
        if (state !== 'running') await cuda.toBeRunning(pid, state);
      }
    } catch (error) {
      this.#checkGoing();
      await this.#settle(job.id);
      throw new ConflictError(
        `job ${job.id} could not be put back on its GPU (${messageOf(error)})`,
        'it stays paused; try again once more of the GPU is free',
      );
    }
    this.#checkGoing();
    return runner.resume(job.id);
  }

  /** Where any of its processes is off the GPU all of them are to be: that needs no room. */
  async #settle(jobId: number): Promise<void> {
    const { ledger, runner, cuda } = this.#options;
    const job = ledger.get(jobId);
    if (job.status !== 'paused' || job.process === null) return;
    const states = await cuda.statesOf(jobProcesses(job.process));
    this.#checkGoing();
    const away = [...states.values()].includes('checkpointed');
    if (!away) return void runner.standStill(jobId);
    for (const [pid, state] of states) if (state === 'running') await cuda.toggle(pid);
    this.#freed(jobId);
  }

  #freed(jobId: number): Job {
    const { ledger, runner } = this.#options;
    this.#checkGoing();
    if (ledger.get(jobId).status !== 'paused') return ledger.get(jobId);
    const job = ledger.append(jobId, { kind: 'vram', held: false }, 'engine');
    runner.standStill(jobId);
    return job;
  }

  /** What a job uses of each of its GPUs now, MiB; where that is not known, what is set aside for it. */
  #usedMib(job: Job): Record<string, number> {
    const used: Record<string, number> = {};
    for (const { id, holders } of this.#options.devices()) {
      const held = holders.find(({ jobId }) => jobId === job.id);
      if (held !== undefined) used[id] = held.usedMib || held.reservedMib;
    }
    return used;
  }

  /** @throws {ConflictError} where a restore would not find its memory: that leaves a process stuck for good. */
  #checkRoom(job: Job): void {
    const { devices, runner } = this.#options;
    const noted = runner.runOf(job).suspendedMib();
    for (const device of devices()) {
      if (!job.devices.includes(device.id)) continue;
      const { index, memoryTotalMib, reading, holders, health, trouble } = device;
      const used = reading?.memoryUsedMib ?? null;
      const refused = (why: string): ConflictError =>
        new ConflictError(
          `job ${job.id} cannot be put back on GPU ${index}: ${why}`,
          `wait until more of it is free, or make others on it give way; see stint device ${index}`,
        );
      if (health !== 'ok' || used === null) throw refused(trouble ?? 'it cannot be read');
      const needMib = (noted?.[device.id] ?? memoryTotalMib - GPU_MARGIN_MIB) + GPU_MARGIN_MIB;
      const promised = holders
        .filter(({ jobId }) => jobId !== job.id)
        .reduce((sum, { reservedMib, usedMib }) => sum + Math.max(0, reservedMib - (usedMib ?? 0)), 0);
      const freeMib = Math.max(0, memoryTotalMib - used - promised);
      if (freeMib < needMib) {
        throw refused(`it needs ${formatMib(needMib)} there, and ${formatMib(freeMib)} is free`);
      }
    }
  }

  async #alone<T>(jobId: number, act: () => Promise<T>): Promise<T> {
    if (this.#busy.has(jobId))
      throw new ConflictError(`the GPU memory of job ${jobId} is being moved`, 'wait until that is done');
    this.#busy.add(jobId);
    try {
      return await act();
    } finally {
      this.#busy.delete(jobId);
    }
  }
}
