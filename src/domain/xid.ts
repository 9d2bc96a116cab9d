/**
 * What the driver's Xid messages mean (docs.nvidia.com/deploy/xid-errors). Of most that are not listed here nobody but the
 * driver's makers can say much.
 */
interface Meaning {
  readonly text: string;
  /** program: what ran there most likely did it. device: the GPU, its memory or its link. */
  readonly blame: 'program' | 'device';
}

const XIDS: Readonly<Record<number, Meaning>> = {
  8: { text: 'the GPU stopped processing', blame: 'program' },
  13: { text: 'graphics engine exception, such as an access out of bounds', blame: 'program' },
  31: { text: 'memory page fault: an illegal address', blame: 'program' },
  43: { text: 'a program had an error and was stopped', blame: 'program' },
  45: { text: 'what a program had begun was removed after it ended', blame: 'program' },
  48: { text: 'double-bit error of its memory', blame: 'device' },
  61: { text: 'its microcontroller stopped at a breakpoint', blame: 'device' },
  62: { text: 'its microcontroller halted', blame: 'device' },
  63: { text: 'a row of its memory was replaced, or is to be', blame: 'device' },
  64: { text: 'a row of its memory could not be replaced', blame: 'device' },
  74: { text: 'error of its NVLink', blame: 'device' },
  79: { text: 'it has fallen off the bus', blame: 'device' },
  92: { text: 'many single-bit errors of its memory', blame: 'device' },
  94: { text: 'error of its memory that hit one program alone', blame: 'device' },
  95: { text: 'error of its memory that may have hit every program', blame: 'device' },
  119: { text: 'its system processor did not answer in time', blame: 'device' },
  120: { text: 'error of its system processor', blame: 'device' },
};

/** `Xid 79: it has fallen off the bus`. */
export const xidText = (code: number): string =>
  XIDS[code] === undefined ? `Xid ${code}` : `Xid ${code}: ${XIDS[code].text}`;

/** True where the program that ran there can hardly have done it. */
export const isDeviceFault = (code: number): boolean => XIDS[code]?.blame === 'device';

/** After these nothing that runs on the GPU can be relied on until it was reset. */
const FATAL: ReadonlySet<number> = new Set([48, 62, 64, 74, 79, 95, 119, 120]);

/** True where nothing more should be started on it. */
export const isFatal = (code: number): boolean => FATAL.has(code);
