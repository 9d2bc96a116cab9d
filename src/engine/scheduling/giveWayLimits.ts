import { type GiveWay, giveWaySchema } from '../../domain/giveWay.ts';
import { DEFAULT_LIMITS, type ShieldLimits } from '../../scheduler/snapshot.ts';
import { OwnersChoice } from '../store/ownersChoice.ts';
import type { SettingStore } from '../store/settingStore.ts';

/** Only what says that it can go on is ever stopped, so that this does no harm to anybody who knows nothing of it. */
const DEFAULT: GiveWay = {
  preempt: true,
  pause: DEFAULT_LIMITS.mayPause,
  maxPreemptions: DEFAULT_LIMITS.maxPreemptions,
  minSpellS: DEFAULT_LIMITS.minSpellS,
};

/** The owner's limits on what the scheduler may do to running jobs. Kept across restarts. */
export class GiveWayLimits extends OwnersChoice<GiveWay> {
  constructor(settings: SettingStore) {
    super(settings, 'give-way', giveWaySchema, DEFAULT);
  }

  get limits(): ShieldLimits {
    const { pause, maxPreemptions, minSpellS } = this.current;
    return { ...DEFAULT_LIMITS, mayPause: pause, maxPreemptions, minSpellS };
  }
}
