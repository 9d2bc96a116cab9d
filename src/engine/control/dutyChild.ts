/**
 * Entry of the process that throttles jobs by letting them run and stand still in turn. Reads orders from standard input,
 * a line of JSON each. A process of its own, so that slices are on time whatever the engine does; and when the engine
 * dies, its input closes, and it lets everything run before it ends.
 */
import { createInterface } from 'node:readline';
import { DutyCycle } from './dutyCycle.ts';
import type { DutyOrder, DutyReport } from './dutyLine.ts';
import { ProcessTree } from './processTree.ts';

const REPORT_INTERVAL_MS = 1000;

interface Throttled {
  readonly tree: ProcessTree;
  readonly cycle: DutyCycle;
  running: boolean;
  /** When the slice that is under way began, and how long the next of standing still is to be. */
  sinceMs: number;
  offMs: number;
  timer: NodeJS.Timeout | undefined;
}

const throttled = new Map<number, Throttled>();

/** Ends the slice that is under way and begins the other. */
function turn(one: Throttled): void {
  if (one.running) one.tree.signal('SIGSTOP');
  const nowMs = performance.now();
  const wallMs = nowMs - one.sinceMs;
  const cpuMs = one.tree.cpuMs();
  one.sinceMs = nowMs;
  if (one.running) {
    one.cycle.ran(wallMs, cpuMs);
    one.running = false;
    one.timer = setTimeout(turn, one.offMs, one);
    return;
  }
  one.cycle.stood(wallMs, cpuMs);
  const { onMs, offMs } = one.cycle.next();
  one.offMs = offMs;
  one.running = true;
  one.tree.signal('SIGCONT');
  one.timer = setTimeout(turn, onMs, one);
}

function obey(order: DutyOrder): void {
  const id = 'set' in order ? order.set : order.clear;
  const before = throttled.get(id);
  clearTimeout(before?.timer);
  throttled.delete(id);
  if ('clear' in order) {
    say({ cleared: id });
    return;
  }
  const tree = new ProcessTree(order.supervisor);
  const cycle = new DutyCycle(order.share);
  const { onMs, offMs } = cycle.next();
  tree.cpuMs();
  const one: Throttled = { tree, cycle, running: true, sinceMs: performance.now(), offMs, timer: undefined };
  tree.signal('SIGCONT');
  one.timer = setTimeout(turn, onMs, one);
  throttled.set(id, one);
}

function say(report: DutyReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function end(): never {
  for (const { tree } of throttled.values()) tree.signal('SIGCONT');
  process.exit(0);
}

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as DutyOrder))
  .on('close', end);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
process.stdout.on('error', end);
setInterval(() => {
  const achieved = Object.fromEntries([...throttled].map(([id, { cycle }]) => [id, cycle.achieved]));
  say({ achieved });
}, REPORT_INTERVAL_MS);
