import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MOST_RECORD_CHARS,
  TRACE_HEADER,
  TraceError,
  type TraceJob,
  TraceReader,
  traceRow,
} from '../../src/domain/trace.ts';

function read(text: string): TraceJob[] {
  const reader = new TraceReader('week.csv');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const jobs = lines.map((line) => reader.read(line)).filter((job) => job !== null);
  reader.end();
  return jobs;
}

const HEADER = 'job_id,submit_s,duration_s,gpus';
const NOTHING = { vramMib: null, gpuUtil: null, priority: null, user: null, name: null, estimateS: null };

describe('a trace', () => {
  it('needs only the required columns, in any order', () => {
    expect(read('gpus,job_id,duration_s,submit_s\n2,a,10.5,0\n1,b,0,1e2\n')).toEqual([
      { jobId: 'a', submitS: 0, durationS: 10.5, gpus: 2, ...NOTHING },
      { jobId: 'b', submitS: 100, durationS: 0, gpus: 1, ...NOTHING },
    ]);
  });

  it('knows every column; an empty cell is not known', () => {
    const [known, unknown] = read(`${TRACE_HEADER}\n7,1,2,3,4096,0.5,-1,ada,train,60\n8,1,2,3,,,,,,\n`);
    expect(known).toEqual({
      jobId: '7',
      submitS: 1,
      durationS: 2,
      gpus: 3,
      vramMib: 4096,
      gpuUtil: 0.5,
      priority: -1,
      user: 'ada',
      name: 'train',
      estimateS: 60,
    });
    expect(unknown).toEqual({ jobId: '8', submitS: 1, durationS: 2, gpus: 3, ...NOTHING });
  });

  it('may have quotes, carriage returns, a byte order mark and no last line feed', () => {
    const text = `\ufeff${HEADER},name\r\n"a,1",0,1,1,"says ""hi"""\r\n"two\r\nlines",0,"2",1,x`;
    expect(read(text).map(({ jobId, durationS, name }) => [jobId, durationS, name])).toEqual([
      ['a,1', 1, 'says "hi"'],
      ['two\r\nlines', 2, 'x'],
    ]);
  });

  it('counts lines as an editor does, also behind a cell of several lines', () => {
    expect(() => read(`${HEADER}\n"a\nb\nc",0,1,1\nd,0,1,0`)).toThrow(/line 5, column gpus/);
  });

  it('is read back as it was written', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
    const number = (max: number) => fc.double({ min: 0, max, noNaN: true }).map((value) => value + 0);
    const jobs = fc
      .array(
        fc.record({
          jobId: text,
          submitS: number(1e9),
          durationS: number(1e9),
          gpus: fc.integer({ min: 1, max: 1000 }),
          vramMib: orNull(number(1e6)),
          gpuUtil: orNull(number(1)),
          priority: orNull(fc.integer({ min: -1e6, max: 1e6 })),
          user: orNull(text),
          name: orNull(text),
          estimateS: orNull(number(1e9)),
        }),
        { minLength: 1, maxLength: 5 },
      )
      .map((list) => list.toSorted((a, b) => a.submitS - b.submitS));
    fc.assert(
      fc.property(jobs, (list) => {
        expect(read([TRACE_HEADER, ...list.map(traceRow), ''].join('\n'))).toEqual(list);
      }),
    );
  });
});

describe('a malformed trace names the line, the column, the value and what was expected', () => {
  const rows: readonly [
    what: string,
    text: string,
    line: number,
    column: string | null,
    value: unknown,
    expected: RegExp,
  ][] = [
    ['nothing at all', '', 1, null, undefined, /header with the columns job_id/],
    ['an empty first line', '\nx', 1, null, '', /header/],
    ['no jobs', `${HEADER}\n`, 2, null, undefined, /at least one job/],
    ['a missing column', 'job_id,submit_s,gpus\n', 1, 'duration_s', undefined, /this column/],
    ['an unknown column', `${HEADER},Priority\n`, 1, '5', 'Priority', /one of job_id/],
    ['a column twice', `${HEADER},gpus\n`, 1, '5', 'gpus', /once/],
    ['the header again', `${HEADER}\n${HEADER}\n`, 2, 'submit_s', 'submit_s', /seconds/],
    ['a cell too few', `${HEADER}\na,0,1\n`, 2, 'gpus', 'a,0,1', /4 cells .*not 3/],
    ['a cell too many', `${HEADER}\na,0,1,1,1\n`, 2, '5', 'a,0,1,1,1', /4 cells .*not 5/],
    ['an empty line', `${HEADER}\na,0,1,1\n\nb,0,1,1\n`, 3, 'submit_s', '', /4 cells/],
    ['no id', `${HEADER}\n,0,1,1\n`, 2, 'job_id', '', /called/],
    ['an empty number', `${HEADER}\na,0,,1\n`, 2, 'duration_s', '', /seconds from 0/],
    ['a negative duration', `${HEADER}\na,0,-1,1\n`, 2, 'duration_s', '-1', /seconds from 0/],
    ['not a number', `${HEADER}\na,0,NaN,1\n`, 2, 'duration_s', 'NaN', /seconds from 0/],
    ['infinity', `${HEADER}\na,Infinity,1,1\n`, 2, 'submit_s', 'Infinity', /seconds from 0/],
    ['beyond all numbers', `${HEADER}\na,1e999,1,1\n`, 2, 'submit_s', '1e999', /seconds from 0/],
    ['hexadecimal', `${HEADER}\na,0x10,1,1\n`, 2, 'submit_s', '0x10', /seconds from 0/],
    ['a space', `${HEADER}\na, 0,1,1\n`, 2, 'submit_s', ' 0', /seconds from 0/],
    ['no GPU', `${HEADER}\na,0,1,0\n`, 2, 'gpus', '0', /whole number from 1/],
    ['half a GPU', `${HEADER}\na,0,1,0.5\n`, 2, 'gpus', '0.5', /whole number from 1/],
    ['too many GPUs', `${HEADER}\na,0,1,1e9\n`, 2, 'gpus', '1e9', /whole number from 1/],
    ['unsorted arrivals', `${HEADER}\na,5,1,1\nb,4,1,1\n`, 3, 'submit_s', 4, /at least 5.*sort/],
    ['a share above 1', `${HEADER},gpu_util\na,0,1,1,50\n`, 2, 'gpu_util', '50', /0 to 1/],
    ['half a priority', `${HEADER},priority\na,0,1,1,0.5\n`, 2, 'priority', '0.5', /whole number/],
    ['negative memory', `${HEADER},vram_mib\na,0,1,1,-1\n`, 2, 'vram_mib', '-1', /MiB from 0/],
    ['an open quote', `${HEADER}\n"a,0,1,1\n`, 2, null, '"a,0,1,1', /closing quote/],
    ['a quote amid a cell', `${HEADER}\na"b",0,1,1\n`, 2, 'job_id', 'a"b"', /quotes around/],
    ['text behind a quote', `${HEADER}\n"a"b,0,1,1\n`, 2, 'job_id', '"a"b,0,1,1', /comma/],
  ];
  it.each(rows)('%s', (_what, text, line, column, value, expected) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TraceError);
    expect(thrown).toMatchObject({
      file: 'week.csv',
      line,
      column,
      value,
      expected: expect.stringMatching(expected),
      message: expect.stringContaining(`week.csv, line ${line}`),
    });
  });

  it('an open quote does not swallow a whole file', () => {
    const reader = new TraceReader('week.csv');
    reader.read(HEADER);
    const half = 'x'.repeat(MOST_RECORD_CHARS / 2);
    reader.read(`"${half}`);
    expect(() => reader.read(half)).toThrow(/line 2: .*at most 1000000 characters/);
  });
});
