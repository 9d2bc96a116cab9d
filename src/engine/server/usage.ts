import { setImmediate } from 'node:timers/promises';
import { servedGpuS } from '../../domain/job.ts';
import { JOULES_PER_KWH } from '../../domain/units.ts';
import type { USAGE_BY, Usage } from '../../domain/usage.ts';
import type { EngineParts } from '../parts.ts';
import type { HistoryCursor } from '../store/historyStore.ts';

/** The engine does nothing else while it reads so many: this is about 15 ms. */
const PAGE = 250;

/**
 * What jobs took that ended within some time, and those that run, by whom they belong to; who took most first.
 * @param toMs those that run are counted if it lies ahead.
 */
export async function usageBy(
  { stores, ledger, clock }: Pick<EngineParts, 'stores' | 'ledger' | 'clock'>,
  by: (typeof USAGE_BY)[number],
  fromMs: number,
  toMs: number,
): Promise<Usage[]> {
  const nowMs = clock.nowMs();
  const sums = new Map<string, { jobs: number; gpuS: number; joules: number; measuredGpuS: number }>();
  const count = (job: Parameters<typeof servedGpuS>[0]): void => {
    const sum = sums.get(job[by]) ?? { jobs: 0, gpuS: 0, joules: 0, measuredGpuS: 0 };
    sums.set(job[by], sum);
    const { joules, measuredGpuS } = stores.energy.ofJob(job.id);
    sum.jobs++;
    sum.gpuS += job.gpus === 0 ? 0 : servedGpuS(job, nowMs);
    sum.joules += joules;
    sum.measuredGpuS += measuredGpuS;
  };
  for (let after: HistoryCursor | null = null; ; ) {
    const page = stores.history.ended(fromMs, toMs, PAGE, after);
    for (const job of page.jobs) count(job);
    after = page.next;
    if (after === null) break;
    await setImmediate();
  }
  if (toMs > nowMs) for (const job of ledger.live()) if (job.startedAtMs !== null) count(job);
  return [...sums]
    .map(([name, { jobs, gpuS, joules, measuredGpuS }]) => ({
      name,
      jobs,
      gpuHours: gpuS / 3600,
      energyKwh: measuredGpuS > 0 ? joules / JOULES_PER_KWH : null,
      measuredGpuHours: measuredGpuS / 3600,
    }))
    .sort((a, b) => b.gpuHours - a.gpuHours || b.jobs - a.jobs || a.name.localeCompare(b.name));
}
