import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In the environment of whatever this process starts, and of all that those start. */
const MARK = 'STINT_STARTED_BY';

/** Waits until its input ends, as it does however we end; then ends all with the mark, and removes the directory. */
const SWEEP = `
cat >/dev/null
found=1
while [ -n "$found" ]; do
  found=
  for process in /proc/[0-9]*; do
    grep -qzxFe "$1" "$process/environ" 2>/dev/null || continue
    kill -9 "\${process#/proc/}" 2>/dev/null && found=1
  done
  [ -z "$found" ] || sleep 0.1
done
rm -rf "$2"
`;

/**
 * From here on nothing of what this process starts outlives it, daemons of daemons included, nor what they write into the
 * directory for temporary files: however it ends, by its own will, by a signal or by kill -9. Processes on Linux only.
 */
export function leaveNothing(): void {
  const directory = mkdtempSync(join(tmpdir(), 'stint-run-'));
  // In a session of its own, so that Ctrl+C is not for it; and without the mark, which it would find on itself.
  const sweeper = spawn('sh', ['-c', SWEEP, 'sh', `${MARK}=${directory}`, directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  sweeper.unref();
  (sweeper.stdin as Socket).unref();
  process.env[MARK] = directory;
  process.env.TMPDIR = directory;
}
