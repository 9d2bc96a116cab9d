import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Starts a program of this source tree as a process that holds nobody up: it speaks over `send` and `message` in structured
 * clones, and ends by itself when the engine is gone.
 * @param from `import.meta.url` of the caller. @param path of the program from there, without the ending that both have.
 */
export function forkProgram(from: string, path: string, heapMib: number): ChildProcess {
  const child = fork(fileURLToPath(new URL(`${path}${extname(from)}`, from)), [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMib}`],
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return child;
}

/** Ends it, and waits until it is gone. */
export async function killProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.kill('SIGKILL');
  await gone;
}
