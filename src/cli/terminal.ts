import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal of a person, taken over by a command that draws on it. */
export interface Terminal {
  readonly width: number;
  readonly height: number;
  write(text: string): void;
  /** Gives it back as it was. */
  release(): void;
}

export interface TerminalOptions {
  /** Written when it is taken, and when it is given back, however the process ends. */
  readonly enter: string;
  readonly leave: () => string;
  /** A key, or a sequence of one. */
  onKey(key: string): void;
  onResize(): void;
}

/** True: a person sits at both ends. */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Takes the terminal of this process: keys come at once and are not echoed. Only where {@link isInteractive}. */
export function takeTerminal(options: TerminalOptions): Terminal {
  const input = process.stdin as ReadStream;
  const output = process.stdout as WriteStream;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    output.write(options.leave());
    input.off('data', key);
    output.off('resize', options.onResize);
    process.off('exit', release);
    for (const signal of SIGNALS) process.off(signal, die);
    input.setRawMode(false);
    input.pause();
  };
  const die = (signal: NodeJS.Signals): void => {
    release();
    process.kill(process.pid, signal);
  };
  const key = (bytes: Buffer): void => options.onKey(bytes.toString());
  process.on('exit', release);
  for (const signal of SIGNALS) process.on(signal, die);
  input.setRawMode(true);
  input.on('data', key);
  input.resume();
  output.on('resize', options.onResize);
  output.write(options.enter);
  return {
    get width() {
      return output.columns || 80;
    },
    get height() {
      return output.rows || 24;
    },
    write: (text) => void output.write(text),
    release,
  };
}

const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
