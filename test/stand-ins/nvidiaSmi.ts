/**
 * A stand-in for the `nvidia-smi` program, for what Stint asks of it:
 *   --query-gpu=FIELDS --format=csv,noheader,nounits --loop-ms=N, and the same with --query-compute-apps;
 *   --query-gpu=FIELDS --format=csv,noheader,nounits [-i UUID], once;
 *   -i UUID -pl WATTS, which changes `power.limit` in the file below.
 * What it answers is in the JSON file that its first argument names, read again for every look (see
 * nvidiaSmiStandIn.ts, which makes the program, for what may stand there).
 *
 * What it does not imitate: other queries and formats, units and headers, the time that a look takes, the order
 * of output when the two queries share a terminal, a process that hangs in the kernel (here SIGKILL ends it).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { SmiControl } from './nvidiaSmiStandIn.ts';

const GPU_FIELDS: ReadonlySet<string> = new Set(
  (
    'count index uuid name pci.bus_id memory.total memory.free memory.used utilization.gpu temperature.gpu ' +
    'power.draw enforced.power.limit clocks.sm power.limit power.default_limit power.min_limit'
  ).split(' '),
);
const APP_FIELDS: ReadonlySet<string> = new Set(['gpu_uuid', 'pid', 'used_memory']);

function fail(status: number, text: string): never {
  process.stdout.write(`${text}\n`);
  process.exit(status);
}

const [, , controlPath = '', ...args] = process.argv;
const idAt = args.indexOf('-i');
const [, only] = idAt < 0 ? [] : args.splice(idAt, 2);
if (args[0] === '-pl') {
  const control = JSON.parse(readFileSync(controlPath, 'utf8')) as SmiControl;
  if (control.exit) fail(control.exit.status, control.exit.text);
  const gpus = control.gpus.map((gpu) =>
    gpu.uuid === only ? { ...gpu, 'power.limit': Number(args[1]).toFixed(2) } : gpu,
  );
  writeFileSync(controlPath, JSON.stringify({ ...control, gpus }));
  process.exit(0);
}
const options = new Map(args.map((arg) => arg.split(/=(.*)/s) as [string, string | undefined]));
const loopMs = Number(options.get('--loop-ms'));
const gpuFields = options.get('--query-gpu')?.split(',');
const appFields = options.get('--query-compute-apps')?.split(',');
const once = !options.has('--loop-ms');
if (
  options.size !== (once ? 2 : 3) ||
  options.get('--format') !== 'csv,noheader,nounits' ||
  !(once || loopMs > 0)
) {
  fail(2, 'ERROR: the stand-in for nvidia-smi does not know these options.');
}
for (const [fields, known] of [
  [gpuFields, GPU_FIELDS],
  [appFields, APP_FIELDS],
] as const) {
  const stranger = fields?.find((field) => !known.has(field));
  if (stranger !== undefined) fail(2, `Field "${stranger}" is not a valid field to query.`);
}

function look(): void {
  const control = JSON.parse(readFileSync(controlPath, 'utf8')) as SmiControl;
  if (control.hang) return;
  if (control.exit) fail(control.exit.status, control.exit.text);
  for (const line of (gpuFields ? control.gpuNoise : control.appNoise) ?? [])
    process.stdout.write(`${line}\n`);
  if (gpuFields) {
    for (const [i, gpu] of control.gpus.entries()) {
      if (only !== undefined && gpu.uuid !== only) continue;
      const row: Record<string, string> = { count: String(control.gpus.length), index: String(i), ...gpu };
      process.stdout.write(`${gpuFields.map((field) => row[field] ?? '[N/A]').join(', ')}\n`);
    }
  }
  for (const app of appFields ? (control.apps ?? []) : []) {
    const row: Record<string, string> = { ...app };
    process.stdout.write(`${appFields!.map((field) => row[field] ?? '[N/A]').join(', ')}\n`);
  }
}

look();
if (!once) setInterval(look, loopMs);
