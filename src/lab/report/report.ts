import type { Metrics } from '../../simulator/metrics.ts';
import type { Span } from '../../simulator/world.ts';

/** How one job fared. Seconds from the start of the simulation. */
export interface ReportJob {
  readonly id: number;
  readonly name: string | null;
  readonly user: string;
  readonly gpus: number;
  readonly submitS: number;
  /** Its first start. */
  readonly startS: number;
  readonly finishS: number;
  /** At least 1. */
  readonly slowdown: number;
}

/** The same jobs under one policy. */
export interface ReportRun {
  readonly policy: string;
  readonly clairvoyant: boolean;
  readonly metrics: Metrics;
  readonly preemptions: number;
  readonly spans: readonly Span[];
  readonly jobs: readonly ReportJob[];
}

export interface Report {
  readonly title: string;
  /** What was simulated: trace, machine, regime, seed. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly gpus: number;
  /** The second is compared with the first. */
  readonly runs: readonly [ReportRun, ReportRun];
  readonly table?: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
    readonly notes: readonly string[];
  };
}
