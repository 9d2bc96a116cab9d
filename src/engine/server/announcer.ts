import type { HostReading, SchedulerStatus } from '../../contract/messages.ts';
import { hostMeter } from '../devices/hostInfo.ts';
import type { Clock } from '../ports.ts';
import type { WatchHub } from './watchHub.ts';

const HOST_INTERVAL_MS = 1000;
const STATUS_INTERVAL_MS = 1000;

export interface AnnouncerOptions {
  readonly hub: () => WatchHub;
  readonly status: () => SchedulerStatus;
  readonly clock: Clock;
}

/** Measures the machine as a whole, and tells readers of the scheduler's status when it has changed. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #timers: readonly NodeJS.Timeout[] = [];
  #host: HostReading | null = null;
  #told = '';

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  get host(): HostReading | null {
    return this.#host;
  }

  start(): void {
    const meter = hostMeter(this.#options.clock);
    const measure = (): void => {
      this.#host = meter();
    };
    this.#timers = [
      setInterval(measure, HOST_INTERVAL_MS),
      setInterval(() => this.#tell(), STATUS_INTERVAL_MS),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #tell(): void {
    const hub = this.#options.hub();
    if (!hub.watched) return;
    const scheduler = this.#options.status();
    const text = JSON.stringify(scheduler);
    if (text !== this.#told) hub.publish({ type: 'scheduler', scheduler });
    this.#told = text;
  }
}
