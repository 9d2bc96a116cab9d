import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { change, factor } from '../../src/lab/report/figures.ts';
import {
  type Report,
  type ReportJob,
  type ReportRun,
  renderReport,
} from '../../src/lab/report/renderReport.ts';
import { changesOf, distributionOf, pairsOf } from '../../src/lab/report/slowdowns.ts';
import { stackTrack } from '../../src/lab/report/stacking.ts';
import { timelineData } from '../../src/lab/report/timelineData.ts';
import { NO_TONE, TONES, userTones } from '../../src/lab/report/userTones.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { srtf } from '../../src/scheduler/policies/remainingTime.ts';
import { type Metrics, metricsOf } from '../../src/simulator/metrics.ts';
import type { Span } from '../../src/simulator/world.ts';
import { simulatedReport } from './support/simulatedReport.ts';

const job = (
  id: number,
  times: readonly [number, number, number],
  more: Partial<ReportJob> = {},
): ReportJob => {
  const [submitS, startS, finishS] = times;
  return { id, name: `job ${id}`, user: 'ada', gpus: 1, submitS, startS, finishS, slowdown: 1, ...more };
};
const span = (
  jobId: number,
  devices: readonly number[],
  fromS: number,
  toS: number,
  computes = true,
): Span => ({
  jobId,
  devices,
  fromS,
  toS,
  computes,
});
const metricsFor = (jobs: readonly ReportJob[]): Metrics =>
  metricsOf(
    {
      submitS: jobs.map(({ submitS }) => submitS),
      durationS: jobs.map(({ submitS, finishS, slowdown }) => (finishS - submitS) / slowdown),
      gpus: jobs.map(({ gpus }) => gpus),
      finishS: jobs.map(({ finishS }) => finishS),
      user: jobs.map(() => -1),
      length: jobs.length,
    },
    2,
  );
const run = (policy: string, jobs: readonly ReportJob[], spans: readonly Span[]): ReportRun => ({
  policy,
  clairvoyant: false,
  metrics: metricsFor(jobs),
  preemptions: 0,
  spans,
  jobs,
});

/**
 * Two GPUs, from 1000 s on. `one` runs job 1 on both and lets the others wait; `two` lets job 2 share GPU 0 with job 1,
 * pauses it for a while, and lets job 3 lose.
 */
const one = run(
  'one',
  [
    job(1, [1000, 1000, 1100], { gpus: 2 }),
    job(2, [1010, 1100, 1200], { user: 'ben', slowdown: 1.9 }),
    job(3, [1020, 1100, 1150], { slowdown: 2.6 }),
  ],
  [span(1, [0, 1], 1000, 1100), span(2, [0], 1100, 1200), span(3, [1], 1100, 1150)],
);
const two = run(
  'two',
  [
    job(1, [1000, 1000, 1100], { gpus: 2 }),
    job(2, [1010, 1010, 1130], { user: 'ben', slowdown: 1.2 }),
    job(3, [1020, 1130, 1220], { slowdown: 4 }),
  ],
  [
    span(1, [0, 1], 1000, 1100),
    span(2, [0], 1010, 1050),
    span(2, [0], 1050, 1070, false),
    span(2, [0], 1070, 1130),
    span(3, [1], 1130, 1220),
  ],
);
const small: Report = { title: 'two against one', facts: [['trace', 'by hand']], gpus: 2, runs: [one, two] };
const nothing = (policy: string): ReportRun => ({ ...run(policy, [], []), metrics: metricsFor([]) });

/** What the page's script reads. */
const dataOf = (page: string): unknown =>
  JSON.parse(/<script type="application\/json" id="data">([^<]*)<\/script>/.exec(page)![1]!);
/** The words of the page, as they are read. */
const textOf = (page: string): string =>
  page
    .replace(/<(script|style)\b[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('what is drawn', () => {
  const data = timelineData(small);

  it('counts time from the first submission', () => {
    expect(data.endS).toBe(220);
    expect(data.jobs.submitS).toEqual([0, 10, 20]);
    expect(data.runs[0]!.outcomes).toEqual({
      startS: [0, 100, 100],
      finishS: [100, 200, 150],
      slowdown: [1, 1.9, 2.6],
      waitedS: [0, 90, 80],
    });
  });

  it('counts who waits and who runs, the paused among those who wait', () => {
    expect(data.runs[0]!.counts).toEqual({
      atS: [0, 10, 20, 100, 150, 200],
      waiting: [0, 1, 2, 0, 0, 0],
      running: [1, 1, 1, 2, 1, 0],
    });
    expect(data.runs[1]!.counts).toEqual({
      atS: [0, 10, 20, 50, 70, 100, 130, 220],
      waiting: [0, 0, 1, 2, 1, 1, 0, 0],
      running: [1, 2, 2, 1, 2, 1, 1, 0],
    });
    expect(data.mostAtOnce).toBe(2);
    // 10 to 50 and 70 to 130 of the time from 10 to 130.
    expect(data.runs[1]!.outcomes.waitedS[1]).toBe(20);
  });

  it('gives a GPU’s track to one job alone, and a lane each to those that share', () => {
    expect(data.runs[0]!.tracks).toEqual([
      { span: [0, 1], lane: [0, 0], lanes: [1, 1] },
      { span: [0, 2], lane: [0, 0], lanes: [1, 1] },
    ]);
    expect(data.runs[1]!.tracks[0]).toEqual({ span: [0, 1, 2, 3], lane: [0, 1, 1, 1], lanes: [2, 2, 2, 2] });
    expect(data.runs[1]!.tracks[1]).toEqual({ span: [0, 4], lane: [0, 0], lanes: [1, 1] });
  });

  it('keeps a job in its lane while others come and go', () => {
    const spans = [
      span(1, [0], 0, 4),
      span(2, [0], 0, 9),
      span(3, [0], 1, 6),
      span(4, [0], 4, 5),
      span(3, [0], 6, 9, false),
    ];
    const lanes = stackTrack(spans, [4, 3, 2, 1, 0]).map(({ span: index, lane }) => [
      spans[index]!.jobId,
      lane,
    ]);
    expect(lanes).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 0],
      [3, 2],
    ]);
  });

  it('gives each user a hue by name, whoever else is there, until none is left', () => {
    const names = Array.from({ length: TONES.length + 2 }, (_, i) => `user ${i}`);
    const tones = userTones(names);
    expect(userTones(['user 5']).get('user 5')).toBe(userTones(['user 5', 'user 0']).get('user 5'));
    expect(new Set(names.slice(0, TONES.length).map((name) => tones.get(name))).size).toBe(TONES.length);
    expect(names.slice(TONES.length).map((name) => tones.get(name))).toEqual([NO_TONE, NO_TONE]);
  });

  it('refuses a span of a job or on a GPU that the report does not have', () => {
    const withSpan = (extra: Span): Report => ({ ...small, runs: [one, { ...two, spans: [extra] }] });
    expect(() => renderReport(withSpan(span(9, [0], 0, 1)))).toThrow('spans: 9');
    expect(() => renderReport(withSpan(span(1, [2], 0, 1)))).toThrow('give only GPUs from 0 to 1');
  });
});

describe('what is said', () => {
  const page = renderReport(small);
  const text = textOf(page);

  it('says first what the second policy does to the first', () => {
    // (100 + 190 + 130) / 3 s and (100 + 120 + 200) / 3 s.
    expect(text).toContain(
      'Under two the mean completion time is 2 min 20 s , under one 2 min 20 s : ±0 % .',
    );
    expect(text).toContain('1 job gains, 1 job loses.');
  });

  it('names who gained and who lost most', () => {
    expect(text).toContain('1 job gains, most of all #2 job 2 : 1.90× → 1.20×');
    expect(text).toContain('1 job loses, most of all #3 job 3 : 2.60× → 4.00×');
    expect(text).toContain('1 job within 1 % of the same slowdown');
    const classes = changesOf(pairsOf(small.runs)).map(({ jobs }) => jobs);
    expect(classes).toEqual([0, 0, 1, 1, 1, 0, 0]);
  });

  it('gives quantiles by nearest rank', () => {
    expect(distributionOf(one.jobs)).toMatchObject({ median: 1.9, p95: 2.6, p99: 2.6, largest: 2.6 });
    expect(text).toContain('median 1.90× 1.20× −37 %');
  });

  it('judges each figure by which way is better, and preemptions not at all', () => {
    const report: Report = {
      ...small,
      runs: [
        {
          ...one,
          preemptions: 4,
          metrics: { ...one.metrics, mean_jct_s: 7200, utilisation: 0.5, jain: 0.9 },
        },
        {
          ...two,
          preemptions: 5,
          metrics: { ...one.metrics, mean_jct_s: 5400, utilisation: 0.4, jain: 0.9 },
        },
      ],
    };
    const said = textOf(renderReport(report));
    expect(said).toContain(
      'Completion time, mean from submission to finish 2 h 1 h 30 min × 0.75 −25 % better',
    );
    expect(said).toContain('Utilisation work done / work possible 50.0 % 40.0 % × 0.80 −20 % worse');
    expect(said).toMatch(/Fairness .* 0\.900 0\.900 × 1\.00 ±0 % same/);
    expect(said).toMatch(/Preemptions stops of running jobs 4 5 × 1\.25 \+25 % Users/);
  });

  it('does not round a rest away', () => {
    expect([change(0.0004), change(0.25), change(1.034), change(1), change(0)]).toEqual([
      '−99.9 %',
      '−75 %',
      '+3.4 %',
      '±0 %',
      '−100 %',
    ]);
    expect([factor(0.00091), factor(0.5), factor(12.345), factor(12345)]).toEqual([
      '0.00091',
      '0.50',
      '12.3',
      '12,345',
    ]);
  });

  it('marks who knows true durations wherever the policy’s figures stand', () => {
    expect(text).not.toContain('knows true durations');
    const marked = textOf(renderReport({ ...small, runs: [one, { ...two, clairvoyant: true }] }));
    // In the first sentence, above its tracks, its curve, its figures, and its columns among the jobs.
    expect(marked.match(/two knows true durations/g)).toHaveLength(5);
    expect(marked).toContain('two knows true durations, which nobody does');
  });

  it('shows the facts, and the table with its notes', () => {
    const table = { columns: ['policy', 'loss'], rows: [['las', '3 %'], ['sjf']], notes: ['of 20 windows'] };
    const said = textOf(renderReport({ ...small, table }));
    expect(said).toContain('trace by hand');
    expect(said).toMatch(/policy loss las 3 % sjf of 20 windows/);
  });

  it('has something to say where nothing ran', () => {
    const empty = textOf(renderReport({ ...small, runs: [nothing('one'), nothing('two')] }));
    expect(empty).toContain('No job finished, so there is nothing to compare.');
    expect(empty.match(/Nothing ran under this policy\./g)).toHaveLength(2);
    expect(empty).toContain('Makespan first submission to last finish unknown unknown – –');
    expect(empty).toContain('Longest wait completion time − duration unknown unknown – –');
    expect(empty).not.toMatch(/NaN|Infinity|undefined|unknown×/);
    const half = textOf(renderReport({ ...small, runs: [one, nothing('two')] }));
    expect(half.match(/Nothing ran under this policy\./g)).toHaveLength(1);
    expect(half).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('the file', () => {
  it('escapes whatever the caller gives', () => {
    const hostile = `</script><script>alert(1)</script><!--<img src=x onerror="alert('2')">&amp;\u2028`;
    const evil = (from: ReportRun): ReportRun => ({
      ...from,
      policy: hostile,
      clairvoyant: true,
      jobs: from.jobs.map((each) => ({ ...each, name: hostile, user: `${each.user} ${hostile}` })),
    });
    const table = { columns: [hostile], rows: [[hostile]], notes: [hostile] };
    const runs = [evil(one), evil(two)] as const;
    const page = renderReport({ title: hostile, facts: [[hostile, hostile]], gpus: 2, runs, table });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<!--');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(dataOf(page)).toMatchObject({ jobs: { name: [hostile, hostile, hostile] } });
    expect(page).toContain(`<title>&lt;/script&gt;&lt;script&gt;alert(1)`);
  });

  it('needs nothing else, and allows nothing but its own script and style', () => {
    const page = renderReport(small);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/
      .exec(page)![1]!
      .replaceAll('&#39;', "'");
    const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const script = /<script>(.*?)<\/script>/s.exec(page)![1]!;
    const style = /<style>(.*?)<\/style>/s.exec(page)![1]!;
    expect(policy).toBe(
      `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`,
    );
    expect(page).not.toMatch(/\shref=|\ssrc=|url\(|@import|https?:|\sstyle=|\son[a-z]+=/);
    expect(script).not.toMatch(/^\s*(import|export)\b/m);
  });

  it('is the same for the same report, to the byte', () => {
    const options = { preset: 'workstation', regime: 'workstation', jobs: 40, gpus: 2, load: 0.9 } as const;
    const pages = [1, 2].map(() => renderReport(simulatedReport({ ...options, policies: [fifo, srtf] })));
    expect(pages[0]).toBe(pages[1]);
    expect(dataOf(pages[0]!)).toMatchObject({ gpus: 2, runs: [{ policy: 'fifo' }, { policy: 'srtf' }] });
  });
});
