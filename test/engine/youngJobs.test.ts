import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobProcesses, processEntry } from '../../src/engine/jobs/processes.ts';
import { until } from '../headless/until.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

// In its first milliseconds a job is only its supervisor, which is still writing itself down.
describe('a job that is told something the moment it is started', () => {
  let home: string;
  let stint: TestEngine;
  beforeEach(async () => {
    home = temporaryHome();
    stint = await startEngine({ home, graceMs: 20_000 });
  });
  afterEach(async () => {
    await stint.engine.stop();
    removeHome(home);
  });

  it('ends by SIGTERM, and its end is known', async () => {
    for (let round = 0; round < 8; round++) {
      const { id } = await stint.submit(['sleep', '60']);
      await stint.until(id, 'running');
      await stint.client.jobs.cancel({ id });
      expect(await stint.untilOver(id), `round ${round}`).toMatchObject({
        status: 'cancelled',
        exitCode: 143,
      });
    }
  });

  it('stands still when it is paused, and runs on when it is resumed', async () => {
    for (let round = 0; round < 8; round++) {
      // It ends when it is told to, so that no machine is too slow to pause it before.
      const told = join(home, `told-${round}`);
      const { id } = await stint.submit(['sh', '-c', `until [ -e ${told} ]; do sleep 0.02; done`]);
      await stint.until(id, 'running');
      const { process } = await stint.client.jobs.pause({ id });
      const states = () => jobProcesses(process!).map((pid) => processEntry(pid)?.state);
      await until(
        () => states().length > 0 && states().every((state) => state === 'T'),
        `round ${round} to stand still`,
      );
      writeFileSync(told, '');
      await stint.client.jobs.resume({ id });
      expect(await stint.untilOver(id), `round ${round}`).toMatchObject({ status: 'succeeded', exitCode: 0 });
    }
  });
});
