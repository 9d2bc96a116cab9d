import { expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';

const the = consolePage('--devices', 'virtual:2x8192', '--policy', 'fifo');

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
