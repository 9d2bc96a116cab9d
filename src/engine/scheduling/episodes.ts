import type { Episode } from '../../domain/episode.ts';
import type { Job } from '../../domain/job.ts';
import {
  addParts,
  costRates,
  type GoalWeights,
  type Load,
  scalarise,
  ZERO_PARTS,
} from '../../domain/reward.ts';
import type { EpisodeStore } from '../store/episodeStore.ts';

/**
 * Keeps the account of the machine's busy periods: from the first arrival at an idle machine until it is idle
 * again. Written at its start and end, and by whoever calls `save`, so that a killed engine goes on with it.
 */
export class Episodes {
  private readonly store: EpisodeStore;
  private readonly goals: () => GoalWeights;
  private open: Episode | null;
  private service: Record<string, number> = {};
  private load: Load | null = null;
  private gpusByUser: ReadonlyMap<string, number> = new Map();
  private advancedAtMs: number | null = null;
  private jctSumS = 0;

  constructor(store: EpisodeStore, goals: () => GoalWeights) {
    this.store = store;
    this.goals = goals;
    this.open = store.open();
    if (this.open) this.jctSumS = (this.open.meanJctS ?? 0) * this.open.jobsFinished;
  }

  get current(): Episode | null {
    return this.open;
  }

  /** GPU-seconds by user in this episode. */
  get serviceByUser(): Readonly<Record<string, number>> {
    return this.service;
  }

  /**
   * Brings the account up to `nowMs` at the load that held until now, and takes the new one from then on.
   * @param gpusByUser GPUs in use by user.
   */
  advance(nowMs: number, load: Load, gpusByUser: ReadonlyMap<string, number>): void {
    // A clock that was set back costs nothing rather than giving reward.
    const dtS = this.advancedAtMs === null ? 0 : Math.max(0, (nowMs - this.advancedAtMs) / 1000);
    for (const [user, gpus] of this.gpusByUser) this.service[user] = (this.service[user] ?? 0) + gpus * dtS;
    if (this.open && this.load) {
      const rewardParts = addParts(this.open.rewardParts, costRates(this.load), -dtS);
      this.open = { ...this.open, rewardParts, reward: this.rate({ ...this.open, rewardParts }, nowMs) };
    }
    this.advancedAtMs = nowMs;
    this.load = load;
    this.gpusByUser = gpusByUser;
  }

  /** A job arrived; the first one at an idle machine begins an episode. @returns the episode if it did. */
  arrived(policy: string, nowMs: number): Episode | null {
    if (this.open) {
      this.open = { ...this.open, jobsArrived: this.open.jobsArrived + 1 };
      return null;
    }
    this.service = {};
    this.jctSumS = 0;
    this.open = this.store.insert({
      startedAtMs: nowMs,
      endedAtMs: null,
      policy,
      jobsArrived: 1,
      jobsFinished: 0,
      decisions: 0,
      transitions: 0,
      fallbacks: 0,
      rewardParts: ZERO_PARTS,
      reward: 0,
      meanJctS: null,
    });
    return this.open;
  }

  finished(job: Job): void {
    if (!this.open || job.finishedAtMs === null) return;
    this.jctSumS += Math.max(0, job.finishedAtMs - job.submittedAtMs) / 1000;
    const jobsFinished = this.open.jobsFinished + 1;
    this.open = { ...this.open, jobsFinished, meanJctS: this.jctSumS / jobsFinished };
  }

  count(what: 'decisions' | 'transitions' | 'fallbacks'): void {
    if (this.open) this.open = { ...this.open, [what]: this.open[what] + 1 };
  }

  /** The machine is idle. @returns the episode that this ends, if one was under way. */
  close(nowMs: number): Episode | null {
    if (!this.open) return null;
    const ended: Episode = { ...this.open, endedAtMs: Math.max(nowMs, this.open.startedAtMs) };
    this.store.update(ended);
    this.open = null;
    return ended;
  }

  /** Writes the account as it stands. */
  save(): void {
    if (this.open) this.store.update(this.open);
  }

  private rate(episode: Episode, nowMs: number): number {
    const lengthS = (nowMs - episode.startedAtMs) / 1000;
    return lengthS > 0 ? scalarise(episode.rewardParts, this.goals()) / lengthS : 0;
  }
}
