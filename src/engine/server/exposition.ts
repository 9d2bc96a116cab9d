import { Counter, Gauge, Registry } from 'prom-client';
import type { Device } from '../../domain/device.ts';
import { JOB_STATUSES, type Job } from '../../domain/job.ts';
import type { EngineParts } from '../parts.ts';

const MIB = 1024 * 1024;
type Labels = Readonly<Record<string, string>>;
interface Value {
  readonly labels?: Labels;
  /** null: unknown, and left out; never 0. */
  readonly value: number | null;
}

/**
 * How devices, queue, jobs, scheduler and learner stand, in Prometheus' text format (version 0.0.4): base units, no
 * names of jobs and no commands. Counted anew at each scrape; nothing is kept between them.
 */
export function exposition(parts: EngineParts): () => Promise<string> {
  const registry = new Registry();
  const { ledger } = parts;
  const define = (
    kind: 'gauge' | 'counter',
    name: string,
    help: string,
    labelNames: readonly string[],
    values: () => readonly Value[],
  ): void => {
    const Metric: typeof Gauge | typeof Counter = kind === 'gauge' ? Gauge : Counter;
    const metric: Gauge | Counter = new Metric({
      name: `stint_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        metric.reset();
        // `reset` leaves a metric without labels at 0, and unknown is not 0.
        metric.remove({});
        for (const { labels = {}, value } of values()) if (value !== null) metric.inc(labels, value);
      },
    });
  };
  const perDevice = (value: (device: Device) => number | null) => () =>
    parts.devices().map((d) => ({
      labels: { device: d.id, index: String(d.index), name: d.name },
      value: value(d),
    }));
  const deviceGauge = (name: string, help: string, value: (device: Device) => number | null): void =>
    define('gauge', `device_${name}`, help, ['device', 'index', 'name'], perDevice(value));
  const mib = (value: number | null | undefined): number | null =>
    value === null || value === undefined ? null : value * MIB;

  define('gauge', 'build_info', 'The running version; always 1.', ['version'], () => [
    { labels: { version: parts.system().version }, value: 1 },
  ]);
  define('gauge', 'start_time_seconds', 'When the engine started, Unix time.', [], () => [
    { value: parts.system().startedAtMs / 1000 },
  ]);

  deviceGauge('up', '1 if the device answers, else 0.', (d) => (d.health === 'ok' ? 1 : 0));
  deviceGauge('memory_total_bytes', 'Memory of the device.', (d) => mib(d.memoryTotalMib));
  deviceGauge('memory_used_bytes', 'Memory in use, by whomever.', (d) => mib(d.reading?.memoryUsedMib));
  deviceGauge('memory_reserved_bytes', 'Memory set aside for jobs.', (d) =>
    mib(d.holders.reduce((sum, { reservedMib }) => sum + reservedMib, 0)),
  );
  deviceGauge('memory_foreign_bytes', "Memory held by processes that are no job's.", (d) =>
    mib(d.foreign.reduce((sum, { memoryMib }) => sum + (memoryMib ?? 0), 0)),
  );
  deviceGauge('utilization_ratio', 'Share of time in use, 0 to 1.', (d) => d.reading?.utilisation ?? null);
  deviceGauge('temperature_celsius', 'Temperature.', (d) => d.reading?.temperatureC ?? null);
  deviceGauge('power_watts', 'Power drawn.', (d) => d.reading?.powerW ?? null);
  deviceGauge('power_limit_watts', 'Power limit.', (d) => d.reading?.powerLimitW ?? null);
  deviceGauge('jobs', 'Jobs that hold the device.', (d) => d.holders.length);

  const host = (value: (reading: NonNullable<ReturnType<EngineParts['host']>>) => number | null) => () => {
    const reading = parts.host();
    return [{ value: reading === null ? null : value(reading) }];
  };
  define(
    'gauge',
    'host_cpu_ratio',
    'CPU in use, 0 to 1 over all cores.',
    [],
    host(({ cpu }) => cpu),
  );
  define(
    'gauge',
    'host_memory_used_bytes',
    'Memory of the host in use.',
    [],
    host(({ memoryUsedMib }) => mib(memoryUsedMib)),
  );

  define('gauge', 'jobs', 'Jobs by status, all that are kept.', ['status'], () => {
    const counts = ledger.read.countByStatus();
    return JOB_STATUSES.map((status) => ({ labels: { status }, value: counts.get(status) ?? 0 }));
  });
  const waiting = (): Job[] => ledger.current().filter(({ status }) => status === 'queued');
  define('gauge', 'queue_oldest_wait_seconds', 'How long the job that waits longest has waited.', [], () => {
    const nowMs = parts.clock.nowMs();
    return [
      {
        value: waiting().reduce((most, { submittedAtMs }) => Math.max(most, nowMs - submittedAtMs), 0) / 1000,
      },
    ];
  });
  define('gauge', 'queue_gpus', 'GPUs that waiting jobs ask for, at least.', [], () => [
    { value: waiting().reduce((sum, { gpus, minGpus }) => sum + (minGpus ?? gpus), 0) },
  ]);
  define('counter', 'job_events_total', 'Events of all jobs so far.', [], () => [{ value: ledger.seq }]);

  const scheduler =
    <T>(values: (status: ReturnType<EngineParts['scheduler']>) => T) =>
    () =>
      values(parts.scheduler());
  define(
    'gauge',
    'scheduler_policy_info',
    'Who decides; always 1.',
    ['policy', 'policy_version'],
    scheduler(({ policy, policyVersion }) => [
      { labels: { policy, policy_version: policyVersion }, value: 1 },
    ]),
  );
  define(
    'counter',
    'scheduler_decisions_total',
    'Decisions since the engine started.',
    [],
    scheduler(({ decisions }) => [{ value: decisions }]),
  );
  define(
    'counter',
    'scheduler_fallbacks_total',
    'Decisions that the heuristic made because the policy failed, since the engine started.',
    [],
    scheduler(({ fallbacks }) => [{ value: fallbacks }]),
  );
  define(
    'gauge',
    'scheduler_agreement_ratio',
    'Share of the last decisions that the heuristic would have made as well.',
    [],
    scheduler(({ agreement }) => [{ value: agreement }]),
  );
  define(
    'gauge',
    'scheduler_drained',
    '1 while the machine is drained, else 0.',
    [],
    scheduler(({ drainedSinceMs }) => [{ value: drainedSinceMs === null ? 0 : 1 }]),
  );
  define(
    'gauge',
    'learner_state',
    '1 for the state that the learner is in.',
    ['state'],
    scheduler(({ learner }) => [{ labels: { state: learner.state }, value: 1 }]),
  );
  define(
    'counter',
    'learner_train_steps_total',
    'Gradient steps of the weights that are being learned.',
    [],
    scheduler(({ learner }) => [{ value: learner.trainSteps }]),
  );
  define(
    'gauge',
    'learner_replay_transitions',
    'Transitions in the replay memory.',
    [],
    scheduler(({ learner }) => [{ value: learner.replaySize }]),
  );
  define(
    'gauge',
    'learner_loss',
    'Loss of the last gradient step.',
    [],
    scheduler(({ learner }) => [{ value: learner.loss }]),
  );
  return () => registry.metrics();
}
