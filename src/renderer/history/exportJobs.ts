import type { JobView } from '../../contract/messages.ts';
import { quoted } from '../../domain/quoted.ts';
import { JOULES_PER_KWH } from '../../domain/units.ts';
import type { Energy } from '../../domain/usage.ts';

/** Columns of the table, as `stint ls --json` names them where it has them. */
const COLUMNS: readonly (readonly [
  name: string,
  of: (job: JobView, joules: number | undefined) => string | number | null,
])[] = [
  ['id', (job) => job.id],
  ['name', (job) => job.name],
  ['status', (job) => job.status],
  ['exitCode', (job) => job.exitCode],
  ['cause', (job) => job.diagnosis?.code ?? null],
  ['user', (job) => job.user],
  ['project', (job) => job.project],
  ['tags', (job) => job.tags.join(' ')],
  ['gpus', (job) => job.gpus],
  ['vramMib', (job) => job.vramMib],
  ['priority', (job) => job.priority],
  ['attempt', (job) => job.attempt],
  ['submitted', (job) => moment(job.submittedAtMs)],
  ['started', (job) => moment(job.startedAtMs)],
  ['finished', (job) => moment(job.finishedAtMs)],
  ['energyKwh', (_, joules) => (joules === undefined ? null : joules / JOULES_PER_KWH)],
  ['devices', (job) => job.devices.join(' ')],
  ['command', (job) => job.command.map(quoted).join(' ')],
];

const moment = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());

/** RFC 4180, with a head. A cell that a spreadsheet would compute is made a text. */
export function csvOf(jobs: readonly JobView[], energy: ReadonlyMap<number, Energy>): string {
  const cell = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = [
    COLUMNS.map(([name]) => name),
    ...jobs.map((job) => COLUMNS.map(([, of]) => of(job, energy.get(job.id)?.joules))),
  ];
  return `${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Gives the browser a file to keep. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by the next turn at the latest.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
