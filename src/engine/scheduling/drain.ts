import type { Clock } from '../ports.ts';
import type { SettingStore } from '../store/settingStore.ts';

const KEY = 'drain-since-ms';

/** While the machine is drained, what runs goes on and nothing is started. Kept across restarts. */
export class Drain {
  private readonly settings: SettingStore;
  private readonly clock: Clock;
  private since: number | null;

  constructor(settings: SettingStore, clock: Clock) {
    this.settings = settings;
    this.clock = clock;
    this.since = Number(settings.get(KEY) ?? '') || null;
  }

  /** Since when, Unix milliseconds; null: jobs are started as usual. */
  get sinceMs(): number | null {
    return this.since;
  }

  /** Written before it holds. Draining a drained machine leaves it as it is. */
  set(on: boolean): void {
    if (on === (this.since !== null)) return;
    const since = on ? this.clock.nowMs() : null;
    this.settings.set(KEY, since === null ? '' : String(since));
    this.since = since;
  }
}
