import type { z } from 'zod';
import type { SettingStore } from './settingStore.ts';

/** Wishes of the owner that belong together, under one key. Kept across restarts. */
export class OwnersChoice<T extends object> {
  private readonly settings: SettingStore;
  private readonly key: string;
  private readonly schema: z.ZodType<T>;
  private now: T;

  /** @param fallback what holds before anybody said anything, and for what an older Stint did not know. */
  constructor(settings: SettingStore, key: string, schema: z.ZodType<T>, fallback: T) {
    this.settings = settings;
    this.key = key;
    this.schema = schema;
    this.now = schema.parse({ ...fallback, ...JSON.parse(settings.get(key) ?? '{}') });
  }

  get current(): T {
    return this.now;
  }

  /** Written before it holds; what is left out stays. */
  set(change: Partial<T>): void {
    const next = this.schema.parse({ ...this.now, ...change });
    this.settings.set(this.key, JSON.stringify(next));
    this.now = next;
  }
}
