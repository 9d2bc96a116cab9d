import { join } from 'node:path';
import type { Diagnosis } from '../../src/domain/diagnosis.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { randomInt, seededRng } from '../../src/domain/rng.ts';
import { prepareHome } from '../../src/engine/home.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { codeStore } from '../../src/engine/store/codeStore.ts';
import { openDatabase } from '../../src/engine/store/database.ts';

const USERS = ['ada', 'ben', 'cleo', 'dan'];
const PROJECTS = ['vision', 'speech', 'default', 'planning', 'retrieval'];
const TAGS = [[], ['baseline'], ['v2', 'ablation'], []] as const;
const SCRIPTS = ['train.py', 'evaluate.py', 'prepare.sh', 'finetune.py', 'export.py'];
/** As many jobs in one transaction. */
const AT_ONCE = 2000;
const OOM: Diagnosis = {
  code: 'gpu-memory',
  summary: 'out of GPU memory: it wanted 2.00 GiB, 1.00 GiB was free',
  line: { text: 'CUDA out of memory. Tried to allocate 2.00 GiB', offset: 12, number: 2 },
  remedy: 'Make the batch or the model smaller.',
};

/**
 * Fills a data directory with jobs that were, or wait, as an engine would have recorded them: event by event, by the
 * ledger. No engine may work on it meanwhile.
 * @param past jobs that are over: in the last `days`, of four users and five projects, a few per cent of them failed.
 * @param devices where they ran.
 * @param queued jobs that wait.
 * @param spec what every job that waits is submitted with, beside its command and user.
 */
export function fillHome(
  home: string,
  {
    past,
    queued,
    spec = {},
    days = 180,
    devices = ['virtual-0'],
  }: {
    past: number;
    queued: number;
    spec?: Readonly<Record<string, unknown>>;
    days?: number;
    devices?: readonly string[];
  },
): void {
  prepareHome(home);
  const db = openDatabase(join(home, 'stint.db'));
  const rng = seededRng(7);
  const pick = <T>(some: readonly T[]): T => some[randomInt(rng, some.length)]!;
  let nowMs = Date.now() - days * 86_400_000;
  const ledger = new Ledger(db, { nowMs: () => nowMs, monotonicMs: () => 0 });
  const stepMs = (Date.now() - 60_000 - nowMs) / Math.max(1, past);
  const inPieces = (count: number, one: () => void): void => {
    for (let done = 0; done < count; done += AT_ONCE) {
      db.transaction(() => {
        for (let i = done; i < Math.min(count, done + AT_ONCE); i++) one();
      })();
    }
  };
  let submitted = 0;
  const submit = (more: Readonly<Record<string, unknown>>) =>
    ledger.submit(
      jobSpecSchema.parse({
        command: ['python', pick(SCRIPTS), '--lr', String(rng.next()), '--seed', String(randomInt(rng, 1e6))],
        cwd: '/',
        user: pick(USERS),
        project: pick(PROJECTS),
        gpus: 1,
        tags: [...TAGS[submitted++ % TAGS.length]!],
        ...more,
      }),
    );
  inPieces(past, () => {
    nowMs += Math.floor(stepMs);
    const { id } = submit({ vramMib: 1024 * (1 + randomInt(rng, 20)) });
    ledger.append(id, { kind: 'launching', devices: [pick(devices)], attempt: 1 }, 'scheduler');
    const process = { pid: 100 + (id % 30_000), startTime: String(id), bootId: 'another' };
    ledger.append(id, { kind: 'started', process, monotonicMs: 0 }, 'engine', nowMs + 5);
    const fate = rng.next();
    // None has ended in the time to come.
    const endMs = Math.min(Date.now(), nowMs + 1000 * (1 + randomInt(rng, 3600)));
    const exitCode = fate < 0.9 ? 0 : 1;
    const diagnosis = fate < 0.9 ? null : fate < 0.92 ? OOM : { ...OOM, code: 'exit-code' as const };
    ledger.append(
      id,
      { kind: 'exited', exitCode, cause: exitCode ? 'exited with code 1' : null, diagnosis },
      'process',
      endMs,
    );
  });
  nowMs = Date.now() - 60_000;
  inPieces(queued, () => void submit(spec));
  // There is no repository in `/`, as an engine would have found.
  const code = codeStore(db);
  code.settle(code.due());
  db.close();
}
