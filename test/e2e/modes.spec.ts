import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';
import { until } from './support/headlessHost.ts';

const the = consolePage('--devices', 'virtual:2x8192', '--policy', 'fifo');

it('tries goals before it sets them, puts a version in charge and the one before back, and looks at some episodes', async () => {
  const { host, page } = the;
  const scheduler = async () => JSON.parse(await host.stint('policy', '--json'));
  // An episode ends when nothing runs and nothing waits.
  const episodes: number[] = [];
  for (let i = 0; i < 3; i++) {
    const id = await host.submit({ command: ['true'], gpus: 1 });
    await host.reaches(id, 'succeeded');
    episodes.push(
      await until('the episode is over', async () => {
        const [last] = JSON.parse(await host.stint('episodes', '--json')) as {
          id: number;
          endedAtMs: number | null;
        }[];
        return last === undefined || last.endedAtMs === null || episodes.includes(last.id) ? null : last.id;
      }),
    );
  }
  await page.keyboard.press('3');
  const goals = page.getByRole('region', { name: 'Goals' });
  await goals.getByRole('button', { name: 'Try others first' }).click();
  await goals.getByText('nothing is set until you say so').waitFor();
  const fair = goals.getByRole('slider', { name: /^Fair to users/ });
  const before = (await scheduler()).goals.fairness as number;
  const tried = goals.getByRole('region', { name: 'What would have changed' });
  await fair.focus();
  await page.keyboard.press('End');
  await tried.getByText(/^\d jobs of the last day, replayed: 0 earlier, 0 later$/).waitFor();
  await tried.getByRole('row', { name: /^Mean wait / }).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${shots}/goals tried.png` });
  await tried.getByRole('button', { name: 'Leave them' }).click();
  await tried.waitFor({ state: 'detached' });
  expect((await scheduler()).goals.fairness).toBe(before);
  await goals.getByRole('button', { name: 'Try others first' }).click();
  await fair.focus();
  await page.keyboard.press('End');
  await tried.getByRole('button', { name: 'Set them' }).click();
  await until('they are set', async () => (await scheduler()).goals.fairness > before || null);
  await goals.getByRole('button', { name: 'as at first' }).click();

  const home = mkdtempSync(join(tmpdir(), 'stint-weights-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const file = join(home, 'weights.json');
  const [{ version: shipped }] = JSON.parse(await host.stint('policy', 'ls', '--json')) as [
    { version: string },
  ];
  await host.stint('policy', 'export', shipped, '-o', file);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), name: 'from-home' }));
  await host.stint('policy', 'import', file);
  await page.reload();
  const versions = page.getByRole('region', { name: 'Versions of the learned policy' });
  const row = (name: string) => versions.getByRole('row', { name: new RegExp(`^${name} `) });
  await versions.getByRole('button', { name: 'Put in charge: from-home' }).click();
  await row('from-home').getByText('in charge', { exact: true }).waitFor();
  await versions.getByRole('button', { name: 'Back to the one before' }).click();
  await row(shipped).getByText('in charge', { exact: true }).waitFor();

  // Dragging over the last two columns leaves those in the table; a click opens one.
  const table = page.getByRole('region', { name: 'Table of episodes' });
  await table.getByRole('link', { name: String(episodes[0]), exact: true }).waitFor();
  const columns = page.getByRole('region', { name: 'Reward', exact: true }).locator('.u-over');
  const { x, y, width, height } = (await columns.boundingBox())!;
  const columnCount = (
    JSON.parse(await host.stint('episodes', '--json')) as { endedAtMs: number | null }[]
  ).filter(({ endedAtMs }) => endedAtMs !== null).length;
  // Twelve columns fill the chart.
  const column = (index: number): number => x + ((index + 0.7) / 12.4) * width;
  const last = columnCount - 1;
  await page.mouse.move(column(last - 1.3), y + height / 2);
  await page.mouse.down();
  await page.mouse.move(column(last + 0.3), y + height / 2, { steps: 6 });
  await page.mouse.up();
  await page.getByText('Those that were chosen above.').waitFor();
  await table.getByRole('link', { name: String(episodes[0]), exact: true }).waitFor({ state: 'detached' });
  await table.getByRole('link', { name: String(episodes[2]), exact: true }).waitFor();
  await page.getByRole('button', { name: 'All episodes' }).click();
  await table.getByRole('link', { name: String(episodes[0]), exact: true }).waitFor();
});

it('says who acts, and lets a person answer what is suggested', async () => {
  const { host, page } = the;
  await page.getByRole('link', { name: /Scheduler/ }).click();
  const who = page.getByRole('region', { name: 'Who acts' });
  await who.getByText('Advise', { exact: true }).click();
  await who.getByText('aged acts. Where fifo would do otherwise').waitFor();
  await host.stint('policy', 'mode', '--think', '1h');

  const startNow = async (id: number): Promise<void> => {
    await the.row(id).click({ button: 'right', position: { x: 400, y: 4 } });
    await page.getByRole('button', { name: /^Start now/ }).click();
  };
  const command = ['sleep', '600'];
  const blocker = await host.submit({ command, gpus: 1 });
  await host.reaches(blocker, 'running');
  const wide = await host.submit({ command, gpus: 2 });
  const small = await host.submit({ command, gpus: 1 });
  await who.getByText('fifo would start nothing more.').waitFor();
  await who.getByText(new RegExp(`aged would start #${small} on GPU 1, in `)).waitFor();
  await page.screenshot({ path: `${shots}/modes.png` });
  expect(await violationsIn(page)).toEqual([]);
  await who.getByRole('button', { name: 'As aged would' }).click();
  await host.reaches(small, 'running');

  await who.getByText('People', { exact: true }).click();
  await who.getByText('Nothing starts by itself.').waitFor();
  await page.getByRole('link', { name: /Queue/ }).click();
  for (const id of [blocker, small]) await host.stint('cancel', String(id));
  for (const id of [blocker, small]) await host.reaches(id, 'cancelled');
  await startNow(wide);
  await host.reaches(wide, 'running');
});
