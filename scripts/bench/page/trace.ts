import type { CDPSession, Page } from 'playwright-core';

/** What one movement cost: the frames that were drawn meanwhile, and on what the page's main thread spent its time. */
export interface Moved {
  /** Between one frame and the next, ms. */
  readonly gapsMs: readonly number[];
  readonly framesPerS: number;
  /** Of the page's main thread, ms a frame. */
  readonly scriptMs: number;
  readonly layoutMs: number;
  readonly paintMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
}

type Part = 'script' | 'layout' | 'paint';
const PARTS: Readonly<Record<string, Part>> = {
  EvaluateScript: 'script',
  EventDispatch: 'script',
  FireAnimationFrame: 'script',
  FireIdleCallback: 'script',
  FunctionCall: 'script',
  MajorGC: 'script',
  MinorGC: 'script',
  RunMicrotasks: 'script',
  TimerFire: 'script',
  'v8.callFunction': 'script',
  HitTest: 'layout',
  Layout: 'layout',
  UpdateLayoutTree: 'layout',
  IntersectionObserverController: 'layout',
  Commit: 'paint',
  Layerize: 'paint',
  Paint: 'paint',
  PrePaint: 'paint',
  UpdateLayer: 'paint',
};
/** What the page says of itself whenever it was moved. */
const MARK = 'stint-moved';
const FEWEST_FRAMES = 5;

/** Has the page mark each scroll and each movement of the pointer, so that a trace knows when it moved. */
export async function markMovements(page: Page): Promise<void> {
  await page.evaluate((mark) => {
    const say = (): void => void performance.mark(mark);
    for (const kind of ['scroll', 'pointermove'])
      addEventListener(kind, say, { capture: true, passive: true });
  }, MARK);
}

/** Traces the page while `act` moves something in it. @throws when next to nothing moved. */
export async function traced(cdp: CDPSession, act: () => Promise<void>): Promise<Moved> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }): void => void events.push(...(value as TraceEvent[]));
  cdp.on('Tracing.dataCollected', collect as never);
  const complete = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
  await cdp.send('Tracing.start', {
    traceConfig: {
      includedCategories: [
        'devtools.timeline',
        'disabled-by-default-devtools.timeline.frame',
        'devtools.timeline.frame',
        'blink.user_timing',
      ],
    },
  });
  await act();
  await cdp.send('Tracing.end');
  await complete;
  cdp.off('Tracing.dataCollected', collect as never);

  const marks = events.filter(({ name }) => name === MARK).map(({ ts }) => ts);
  const [from, to] = [Math.min(...marks), Math.max(...marks)];
  const within = ({ ts }: TraceEvent): boolean => ts >= from && ts <= to;
  const drawn = events
    .filter((event) => event.name === 'DrawFrame' && within(event))
    .map(({ ts }) => ts / 1000)
    .sort((a, b) => a - b);
  if (drawn.length < FEWEST_FRAMES)
    throw new Error(`only ${drawn.length} frames were drawn at ${marks.length} movements: it hardly moved`);
  const main = events.find(({ name }) => name === MARK)!;
  const spent = selfTimes(
    events.filter(
      (event) => event.ph === 'X' && event.pid === main.pid && event.tid === main.tid && within(event),
    ),
  );
  const aFrame = (part: Part): number => spent[part] / drawn.length;
  return {
    gapsMs: drawn.slice(1).map((at, i) => at - drawn[i]!),
    framesPerS: (1000 * (drawn.length - 1)) / (drawn.at(-1)! - drawn[0]!),
    scriptMs: aFrame('script'),
    layoutMs: aFrame('layout'),
    paintMs: aFrame('paint'),
  };
}

/** What each part took without what it called of the others, ms. @param events of one thread, nested in each other. */
function selfTimes(events: TraceEvent[]): Record<Part, number> {
  const spent = { script: 0, layout: 0, paint: 0 };
  const open: { part: Part | undefined; endTs: number }[] = [];
  for (const { name, ts, dur = 0 } of events.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))) {
    while (open.length > 0 && open.at(-1)!.endTs <= ts) open.pop();
    const outer = open.at(-1)?.part;
    // What has no name of its own belongs to what it stands in.
    const part = PARTS[name] ?? outer;
    if (part !== outer) {
      if (outer !== undefined) spent[outer] -= dur / 1000;
      if (part !== undefined) spent[part] += dur / 1000;
    }
    open.push({ part, endTs: ts + dur });
  }
  return spent;
}
