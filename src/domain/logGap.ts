import { formatMib } from './units.ts';

/** A stretch of a log, in bytes from its start, that is not kept any more; offsets of what is kept stay what they were. */
export interface LogGap {
  readonly from: number;
  readonly to: number;
  /** cap: it was longer than a log may be. cleanup: it was removed whole. */
  readonly why: 'cap' | 'cleanup';
}

const BYTES_PER_MIB = 1024 * 1024;

/** An amount of bytes for people. */
export const bytesText = (bytes: number): string =>
  bytes < BYTES_PER_MIB ? `${Math.ceil(bytes / 1024)} KiB` : formatMib(bytes / BYTES_PER_MIB);

/** What stands in the place of what is gone, as a line of its own. */
export const gapText = ({ from, to, why }: LogGap): string =>
  why === 'cap'
    ? `\n… ${bytesText(to - from)} dropped: the log is capped (stint settings --log-cap) …\n`
    : `… ${bytesText(to - from)} removed by stint cleanup …\n`;
