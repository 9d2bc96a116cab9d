import { type GiveWay, giveWaySchema } from '../../domain/giveWay.ts';
import { DEFAULT_LIMITS, type ShieldLimits } from '../../scheduler/snapshot.ts';
import type { SettingStore } from '../store/settingStore.ts';

const KEY = 'give-way';

/** Only what says that it can go on is ever stopped, so that this does no harm to anybody who knows nothing of it. */
const DEFAULT: GiveWay = {
  preempt: true,
  pause: DEFAULT_LIMITS.mayPause,
  maxPreemptions: DEFAULT_LIMITS.maxPreemptions,
  minSpellS: DEFAULT_LIMITS.minSpellS,
};

/** The owner's limits on what the scheduler may do to running jobs. Kept across restarts. */
export class GiveWayLimits {
  private readonly settings: SettingStore;
  private now: GiveWay;

  constructor(settings: SettingStore) {
    this.settings = settings;
    this.now = giveWaySchema.parse({ ...DEFAULT, ...JSON.parse(settings.get(KEY) ?? '{}') });
  }

  get current(): GiveWay {
    return this.now;
  }

  /** Written before it holds. */
  set(change: Partial<GiveWay>): void {
    const next = giveWaySchema.parse({ ...this.now, ...change });
    this.settings.set(KEY, JSON.stringify(next));
    this.now = next;
  }

  get limits(): ShieldLimits {
    const { pause, maxPreemptions, minSpellS } = this.now;
    return { ...DEFAULT_LIMITS, mayPause: pause, maxPreemptions, minSpellS };
  }
}
