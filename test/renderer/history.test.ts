import { describe, expect, it } from 'vitest';
import { csvOf } from '../../src/renderer/history/exportJobs.ts';
import { formOfQuery, queryOfForm, readFilter } from '../../src/renderer/history/historyFilter.ts';
import { totalOf, totalsBy } from '../../src/renderer/history/historyTotals.ts';
import {
  distributionOf,
  gpusOverTime,
  hoursInUse,
  slowdownsOf,
  spanOf,
  waitsOf,
} from '../../src/renderer/history/jobPatterns.ts';
import { type PaletteItem, paletteItems } from '../../src/renderer/palette/paletteItems.ts';
import { job } from './build.ts';

const HOUR = 3_600_000;
const now = { nowMs: Date.UTC(2026, 10, 27, 12), offsetMinAt: () => 0 };

describe('a search in the history', () => {
  it('is read from its address and written back', () => {
    const query = 'text=res+net&status=failed%2Clost&user=ana&cause=gpu-memory&from=7d';
    const form = formOfQuery(query);
    expect(form).toEqual({
      text: 'res net',
      status: ['failed', 'lost'],
      user: 'ana',
      project: '',
      tag: '',
      by: '',
      cause: ['gpu-memory'],
      from: '7d',
      to: '',
    });
    expect(queryOfForm(form)).toBe(query);
    expect(formOfQuery('status=failed,burnt&cause=x&nonsense=1').status).toEqual(['failed']);
  });

  it('asks the engine for what it says, and for nothing else', () => {
    const read = (query: string) => readFilter(formOfQuery(query), now);
    expect(read('')).toEqual({ filter: {}, problems: {} });
    expect(
      read(
        'user=ana,mei&project=vision&tag=v2&by=ci,agent claude&text=x&status=lost&from=2026-11-20&to=2026-11-21',
      ),
    ).toEqual({
      filter: {
        users: ['ana', 'mei'],
        projects: ['vision'],
        tags: ['v2'],
        submitters: ['ci', 'agent claude'],
        text: 'x',
        statuses: ['lost'],
        fromMs: Date.UTC(2026, 10, 20),
        // A day is in it to its end.
        toMs: Date.UTC(2026, 10, 22),
      },
      problems: {},
    });
    expect(read('from=1700000000000').filter.fromMs).toBe(1_700_000_000_000);
    expect(read('from=soon').problems.from).toContain('give a moment');
    expect(read('from=1d&to=2d').problems.to).toBe('give a later moment');
  });

  it('adds up what its jobs took', () => {
    const jobs = [
      job(1, { project: 'a', gpus: 2, status: 'succeeded', startedAtMs: 2000, finishedAtMs: 2000 + HOUR }),
      job(2, { project: 'b', status: 'failed', startedAtMs: 12_000, finishedAtMs: 12_000 + HOUR / 2 }),
      job(3, { project: 'b', status: 'running', startedAtMs: HOUR, earlierGpuS: 1800, attempt: 2 }),
      job(4, { project: 'c', gpus: 0, status: 'succeeded', startedAtMs: 4000, finishedAtMs: 4000 + HOUR }),
    ];
    const energy = new Map(
      [
        { id: 2, joules: 600, measuredGpuS: 900 },
        { id: 3, joules: 400, measuredGpuS: 900 },
      ].map((one) => [one.id, one]),
    );
    const none = { joules: null, measuredGpuHours: 0 };
    const some = { joules: 1000, measuredGpuHours: 0.5 };
    expect(totalsBy(jobs, ({ project }) => project, 2 * HOUR, energy)).toEqual(
      [
        { name: 'a', jobs: 1, gpuHours: 2, ...none, failed: 0, over: 1, medianWaitS: 1 },
        { name: 'b', jobs: 2, gpuHours: 2, ...some, failed: 1, over: 1, medianWaitS: 10 },
        { name: 'c', jobs: 1, gpuHours: 0, ...none, failed: 0, over: 1, medianWaitS: 0 },
      ].sort((x, y) => y.gpuHours - x.gpuHours || y.jobs - x.jobs),
    );
    expect(totalOf('none', [], 0)).toEqual({
      name: 'none',
      jobs: 0,
      gpuHours: 0,
      ...none,
      failed: 0,
      over: 0,
      medianWaitS: null,
    });
  });

  it('is exported so that a spreadsheet reads it and computes nothing', () => {
    const csv = csvOf(
      [
        job(7, { name: '=HYPERLINK("x"), "quoted"', command: ['a', 'b c'], priority: -5, submittedAtMs: 0 }),
        job(8),
      ],
      new Map([[8, { id: 8, joules: 1_800_000, measuredGpuS: 60 }]]),
    );
    const [head, line, drew, end] = csv.split('\r\n');
    expect(head).toBe(
      'id,name,status,exitCode,cause,user,project,tags,gpus,vramMib,priority,attempt,submitted,started,finished,energyKwh,devices,command',
    );
    expect(line).toBe(
      '7,"\'=HYPERLINK(""x""), ""quoted""",queued,,,ana,default,,1,,-5,0,1970-01-01T00:00:00.000Z,,,,,a \'b c\'',
    );
    expect(drew).toContain(',0.5,');
    expect(end).toBe('');
  });
});

describe('patterns in the history', () => {
  const jobs = [
    job(1, {
      devices: ['a'],
      submittedAtMs: 0,
      startedAtMs: HOUR,
      finishedAtMs: 2 * HOUR,
      status: 'succeeded',
    }),
    // At the same time on the same GPU: it was held once.
    job(2, {
      devices: ['a', 'b'],
      gpus: 2,
      submittedAtMs: HOUR,
      startedAtMs: 1.5 * HOUR,
      finishedAtMs: 2.5 * HOUR,
      status: 'succeeded',
    }),
    job(3, { devices: ['b'], submittedAtMs: 0, startedAtMs: 24 * HOUR, status: 'running' }),
    job(4, {}),
  ];
  const now = 25 * HOUR;
  const hourOf = (ms: number) => Math.floor(ms / HOUR) % 24;

  it('tells how much of each hour of the day a GPU was held', () => {
    const [a, b] = hoursInUse(jobs, now, hourOf);
    expect(a!.deviceId).toBe('a');
    expect(a!.shares.slice(0, 4)).toEqual([0, 1, 0.5, 0]);
    // Hour 0 was there once in the span, hour 1 as well: it begins at 1.
    expect(b!.shares.slice(0, 4)).toEqual([1, 0.5, 0.5, 0]);
    expect(hoursInUse([job(4, {})], now, hourOf)).toEqual([]);
  });

  it('tells how many were in use over time, and how long jobs waited', () => {
    const span = spanOf(jobs, now)!;
    expect(span).toEqual({ fromMs: HOUR, toMs: 25 * HOUR });
    const parts = gpusOverTime(jobs, span, now, 24);
    expect(parts.slice(0, 3)).toEqual([2, 1, 0]);
    expect(parts.at(-1)).toBe(1);
    expect(parts.reduce((sum, gpus) => sum + gpus, 0)).toBe(4);
    expect(slowdownsOf(jobs)).toEqual([2, 1.5]);
    expect(distributionOf(waitsOf(jobs), [1800, 3600])).toEqual({
      edges: [1800, 3600],
      counts: [1, 1, 1],
      p50: 3600,
      p90: 24 * 3600,
    });
    expect(distributionOf([], [1])).toBeNull();
  });
});

describe('the palette', () => {
  const done: string[] = [];
  const command = (label: string, words = ''): PaletteItem => ({
    key: label,
    label,
    words,
    run: () => done.push(label),
  });
  const labels = (query: string) =>
    paletteItems(query, {
      jobs: [
        job(12, { name: 'resnet', status: 'running' }),
        job(13, { name: 'bert' }),
        job(120, { name: 'old', status: 'failed' }),
      ],
      commands: [command('Go to history'), command('Policy: pack', 'scheduler')],
      act: (action, { id }) => done.push(`${action} ${id}`),
      open: (id) => done.push(`open ${id}`),
    });

  it('offers commands by how their words begin, and jobs by what is known of them', () => {
    expect(labels('').map(({ label }) => label)).toEqual(['Go to history', 'Policy: pack']);
    expect(labels('pol pa').map(({ label }) => label)).toEqual(['Policy: pack']);
    expect(labels('sched').map(({ label }) => label)).toEqual(['Policy: pack']);
    expect(labels('bert').map(({ label }) => label)).toEqual(['#13 bert']);
  });

  it('does to jobs what is possible, named by a verb and a number or a name', () => {
    expect(labels('pause').map(({ label }) => label)).toEqual([
      'Pause #12 resnet',
      'Pause and free the memory of #12 resnet',
    ]);
    const [first] = labels('hold bert');
    first!.run();
    labels('cancel 13')
      .find(({ key }) => key === 'cancel 13')!
      .run();
    labels('12')
      .find(({ key }) => key === 'open 12')!
      .run();
    expect(done).toEqual(['hold 13', 'cancel 13', 'open 12']);
    expect(labels('999').map(({ label }) => label)).toEqual(['Job #999']);
    expect(labels('xyz')).toEqual([]);
    labels('go')[0]!.run();
    expect(done.at(-1)).toBe('Go to history');
  });
});
