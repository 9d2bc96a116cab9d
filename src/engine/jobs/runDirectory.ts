import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from '../../domain/job.ts';
import { makeDirectory } from '../makeDirectory.ts';

/** What a launch left in its folder; resources/supervisor.sh says what each file is. */
export class RunDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get logPath(): string {
    return join(this.path, 'output.log');
  }

  /** Beside the launches of the job, and theirs in common. */
  get checkpointPath(): string {
    return join(dirname(this.path), 'checkpoint');
  }

  create(): void {
    makeDirectory(this.path, 0o700);
    makeDirectory(this.checkpointPath, 0o700);
  }

  /** True: we are the first to claim this launch, so that nothing was or will be started by it. */
  claim(): boolean {
    try {
      writeFileSync(join(this.path, 'claim'), '', { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') return false;
      // The folder itself is not there: no supervisor can claim it.
      if (code === 'ENOENT') return true;
      throw error;
    }
  }

  /** The supervisor as it wrote itself down; null before. */
  supervisor(): ProcessIdentity | null {
    // What comes after the third line's end shows that there is one.
    const [pid, startTime, bootId, end] = this.read('supervisor')?.split('\n') ?? [];
    return pid && startTime && bootId && end !== undefined ? { pid: Number(pid), startTime, bootId } : null;
  }

  /** The exit code and when it was written; null before. */
  exit(): { exitCode: number; atMs: number } | null {
    const text = this.read('exit');
    if (text === null) return null;
    return { exitCode: Number(text) & 0xff, atMs: Math.round(statSync(join(this.path, 'exit')).mtimeMs) };
  }

  /** Why the command could not be started; null where it was. */
  cause(): string | null {
    return this.read('cause')?.trim() || null;
  }

  /** Written before the job is told to give way: what ended without it ended by itself. */
  noteTold(): void {
    writeFileSync(join(this.path, 'told'), '');
  }

  wasTold(): boolean {
    return existsSync(join(this.path, 'told'));
  }

  /** @param mib of each of its GPUs, by id: what it needs there to go on. */
  noteSuspended(mib: Readonly<Record<string, number>>): void {
    writeFileSync(join(this.path, 'suspended'), JSON.stringify(mib));
  }

  /** What was noted; null: nothing, or nothing that can be read. */
  suspendedMib(): Readonly<Record<string, number>> | null {
    try {
      return JSON.parse(this.read('suspended') ?? 'null') as Record<string, number> | null;
    } catch {
      return null;
    }
  }

  /** Its command is over, and what is to be done after it is under way. */
  isAfter(): boolean {
    return existsSync(join(this.path, 'after'));
  }

  private read(name: string): string | null {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
