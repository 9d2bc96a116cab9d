import { DEFAULT_LEARNING_LIMITS, type LearningLimits, learningLimitsSchema } from '../../domain/learning.ts';
import { OwnersChoice } from '../store/ownersChoice.ts';
import type { SettingStore } from '../store/settingStore.ts';

/** What the learner may take of the processor, now: the owner's limits, and whether the owner is there. */
export class LearningBudget extends OwnersChoice<LearningLimits> {
  private readonly onShare: (share: number) => void;
  private present = false;

  /** @param onShare told the part of one core, 0 to 1, at once and whenever it changes. */
  constructor(settings: SettingStore, onShare: (share: number) => void) {
    super(settings, 'learning', learningLimitsSchema, DEFAULT_LEARNING_LIMITS);
    this.onShare = onShare;
    this.tell();
  }

  /** Whether it matters if the owner is there. */
  get mindsOwner(): boolean {
    return !this.current.whilePresent && this.current.cpuPercent > 0;
  }

  /** True: nothing may be taken now because the owner is there. */
  get yields(): boolean {
    return this.present && this.mindsOwner;
  }

  override set(change: Partial<LearningLimits>): void {
    super.set(change);
    this.tell();
  }

  setPresent(present: boolean): void {
    this.present = present;
    this.tell();
  }

  private tell(): void {
    this.onShare(this.yields ? 0 : this.current.cpuPercent / 100);
  }
}
