import { startHost } from './host.ts';
import { type Figure, quantile } from './measure.ts';

const spec = { command: ['true'], cwd: '/', user: 'bench' };

/** Submit to running on an idle device: from the call to the time of the `started` event, one job at a time. */
export async function submitToRunning(repetitions: number): Promise<Figure[]> {
  const host = await startHost(['--devices', 'virtual:2', '--policy', 'dqn']);
  try {
    const p50: number[] = [];
    const p99: number[] = [];
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      const latencies: number[] = [];
      for (let i = 0; i < 100; i++) latencies.push(await oneJob(host.client));
      // The first hundred warm up the compiler.
      if (repetition === 0) continue;
      p50.push(quantile(latencies, 0.5));
      p99.push(quantile(latencies, 0.99));
    }
    const how = '100 jobs, one after another, under dqn';
    return [
      {
        what: 'submit to running, p50',
        unit: 'ms',
        values: p50,
        target: { limit: 100, better: 'less' },
        how,
      },
      {
        what: 'submit to running, p99',
        unit: 'ms',
        values: p99,
        target: { limit: 300, better: 'less' },
        how,
      },
    ];
  } finally {
    await host.dispose();
  }
}

async function oneJob(client: Awaited<ReturnType<typeof startHost>>['client']): Promise<number> {
  const calledMs = performance.timeOrigin + performance.now();
  const { id } = await client.jobs.submit(spec);
  for (;;) {
    const job = await client.jobs.get({ id });
    if (job.finishedAtMs !== null) return Math.max(0, job.startedAtMs! - calledMs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A thousand submissions one after another over the socket, into a queue that only grows. */
export async function submissionRate(repetitions: number): Promise<Figure[]> {
  const rates: number[] = [];
  const slowdowns: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const host = await startHost(['--devices', 'virtual:1', '--policy', 'dqn']);
    try {
      await host.client.jobs.submit({ ...spec, command: ['sleep', '600'] });
      for (let i = 0; i < 50; i++) await host.client.jobs.submit(spec);
      const times: number[] = [];
      const startMs = performance.now();
      for (let i = 0; i < 1000; i++) {
        const atMs = performance.now();
        await host.client.jobs.submit(spec);
        times.push(performance.now() - atMs);
      }
      rates.push(1000 / ((performance.now() - startMs) / 1000));
      const mean = (some: number[]): number => some.reduce((a, b) => a + b, 0) / some.length;
      slowdowns.push(mean(times.slice(-100)) / mean(times.slice(0, 100)));
    } finally {
      await host.dispose();
    }
  }
  const how =
    '1,000 submissions one after another over the local socket, behind a job that blocks the only device';
  return [
    { what: 'submissions', unit: '/s', values: rates, target: { limit: 300, better: 'more' }, how },
    {
      what: 'last hundred against first',
      unit: '×',
      values: slowdowns,
      target: { limit: 1.2, better: 'less' },
      how,
    },
  ];
}
