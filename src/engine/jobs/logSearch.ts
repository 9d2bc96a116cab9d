import { spawn } from 'node:child_process';
import { FieldError, UnavailableError } from '../../domain/errors.ts';
import type { LogGap } from '../../domain/logGap.ts';

interface LogMatch {
  /** Bytes from the start of the log to the start of the line. */
  readonly offset: number;
  /** The line, cut to {@link LINE_BYTES}. */
  readonly text: string;
}

const LINE_BYTES = 4096;
const TIMEOUT_MS = 60_000;
/**
 * Carriage returns end lines here, as those of a progress bar do; replaced byte for byte, so that offsets stay true.
 * grep is several times as fast as anything in this process, and needs none of its time; being killed is all that an
 * expression can do to it that takes for ever.
 */
const SCRIPT = `tail -c "+$2" -- "$1" | head -c "$6" | tr '\\r\\0' '\\n\\n' | grep -a -b -m "$3" $5 -e "$4" | cut -b 1-${LINE_BYTES + 24}
[ "\${PIPESTATUS[3]}" -lt 2 ]`;

/** The same of a log of which a part is not kept: that part is passed over. */
export async function searchAround(
  path: string,
  gap: LogGap | null,
  options: Parameters<typeof searchLog>[1],
  signal: AbortSignal | undefined,
): ReturnType<typeof searchLog> {
  const { from, limit } = options;
  if (gap === null || from >= gap.to) return searchLog(path, options, signal);
  const before =
    from < gap.from
      ? await searchLog(path, { ...options, to: gap.from }, signal)
      : { matches: [], next: null };
  if (before.next !== null) return before;
  if (before.matches.length === limit) return { matches: before.matches, next: gap.to };
  const rest = { ...options, from: gap.to, limit: limit - before.matches.length };
  const { matches, next } = await searchLog(path, rest, signal);
  return { matches: [...before.matches, ...matches], next };
}

/**
 * Lines of a log in which something occurs, in order.
 * @param pattern an extended regular expression (POSIX), or plain text if `fixed`.
 * @param from bytes from the start of the log; the line must begin there or later.
 * @param to where to end, bytes from the start; left out: where the log ends.
 * @returns at most `limit`, and where the next one begins; null: there is none.
 * @throws {FieldError} for an expression that grep cannot read. @throws {UnavailableError} when it takes too long.
 */
export async function searchLog(
  path: string,
  options: {
    readonly pattern: string;
    readonly fixed: boolean;
    readonly ignoreCase: boolean;
    readonly from: number;
    readonly to?: number;
    readonly limit: number;
  },
  signal: AbortSignal | undefined,
): Promise<{ matches: LogMatch[]; next: number | null }> {
  const { pattern, fixed, ignoreCase, from, to = Number.MAX_SAFE_INTEGER, limit } = options;
  const flags = `${fixed ? '-F' : '-E'}${ignoreCase ? ' -i' : ''}`;
  const child = spawn(
    '/bin/bash',
    ['-c', SCRIPT, 'search', path, String(from + 1), String(limit + 1), pattern, flags, String(to - from)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that all of the pipe ends with it.
      detached: true,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    },
  );
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, TIMEOUT_MS);
  signal?.addEventListener('abort', end);
  const pieces: Buffer[] = [];
  let trouble = '';
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    trouble = (trouble + text).slice(0, 1000);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    signal?.throwIfAborted();
    if (late)
      throw new UnavailableError(
        `the search took more than ${TIMEOUT_MS / 1000} s`,
        'search for something simpler, or from further on',
      );
    if (code !== 0)
      throw new FieldError('pattern', pattern, `give an expression as grep -E takes it (${trouble.trim()})`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
  const found = matchesIn(Buffer.concat(pieces), from);
  return { matches: found.slice(0, limit), next: found[limit]?.offset ?? null };
}

function matchesIn(output: Buffer, from: number): LogMatch[] {
  const matches: LogMatch[] = [];
  for (let begin = 0; begin < output.length; ) {
    const lineFeed = output.indexOf(0x0a, begin);
    const end = lineFeed < 0 ? output.length : lineFeed;
    const colon = output.indexOf(0x3a, begin);
    const text = output.toString('utf8', colon + 1, Math.min(end, colon + 1 + LINE_BYTES));
    matches.push({ offset: from + Number(output.toString('latin1', begin, colon)), text });
    begin = end + 1;
  }
  return matches;
}
