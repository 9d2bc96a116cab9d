import { implement } from '@orpc/server';
import { contract } from '../../src/contract/contract.ts';
import type { LogChunk, SystemInfo } from '../../src/contract/messages.ts';
import type { Log } from '../../src/engine/ports.ts';
import type { StintRouter } from '../../src/engine/server/rpcSockets.ts';

export interface FakeEngine {
  readonly router: StintRouter;
  /** Nobody has one. */
  readonly tokens: { admit(token: string): null };
  readonly scrape: () => Promise<string>;
  /** Streams that a client holds open now. */
  openStreams(): number;
  /** Chunks that were taken from the endless log so far. */
  chunksTaken(): number;
}

const INFO: SystemInfo = {
  version: '0.0.0-fake',
  pid: process.pid,
  home: '/nowhere',
  startedAtMs: 0,
  hostname: 'here',
  os: 'none',
  cpu: 'none',
  cpuCores: 1,
  memoryMib: 1,
  probe: 'virtual',
  probeNote: null,
  user: 'somebody',
  defaultCwd: '/',
};

/**
 * Three procedures of the contract, enough to see what a host lets through: `system.info`, `logs.follow` (an
 * endless stream of 64 KiB chunks) and `jobs.get`, which knows no job. It imitates nothing else of the engine.
 */
export function createFakeEngine(): FakeEngine {
  const os = implement(contract);
  let open = 0;
  let taken = 0;
  const text = 'x'.repeat(64 * 1024);
  const router = {
    system: { info: os.system.info.handler(() => INFO) },
    jobs: {
      get: os.jobs.get.handler(({ input, errors }) => {
        const data = { what: 'job', id: String(input.id), remedy: 'see `stint ls`' };
        throw errors.NOT_FOUND({ message: `no job ${input.id}`, data });
      }),
    },
    logs: {
      follow: os.logs.follow.handler(async function* (): AsyncGenerator<LogChunk> {
        open += 1;
        try {
          for (let offset = 0; ; offset += text.length) {
            taken += 1;
            const nextOffset = offset + text.length;
            yield { text, offset, nextOffset, size: nextOffset, end: false, dropped: 0 };
          }
        } finally {
          open -= 1;
        }
      }),
    },
  };
  return {
    router: router as unknown as StintRouter,
    tokens: { admit: () => null },
    scrape: () => Promise.resolve(''),
    openStreams: () => open,
    chunksTaken: () => taken,
  };
}

/** A log that keeps what it was told, so that a test can look for what must not be in it. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const take = (message: string, detail?: object) =>
    void lines.push(`${message} ${JSON.stringify(detail ?? {})}`);
  return { lines, info: take, warn: take, error: take };
}
