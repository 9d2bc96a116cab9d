import { afterAll, describe, expect, it, vi } from 'vitest';
import { buildNvmlStandIn } from '../stand-ins/nvml/buildNvmlStandIn.ts';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';

const nvml = buildNvmlStandIn();
for (const [name, value] of Object.entries(nvml.env)) vi.stubEnv(name, value);
/** A GPU that draws 200 W and is so busy, of 100. */
const busy = (use: number): void =>
  nvml.set(
    'count 1',
    '0.total 8192',
    '0.used 340',
    `0.utilisation ${use}`,
    '0.temperature 61',
    '0.limit 300000',
    '0.power 200000',
    '0.clock 1700',
  );
busy(41);
afterAll(() => {
  vi.unstubAllEnvs();
  nvml.dispose();
});
const at = consolePage('--devices', 'nvml', '--policy', 'fifo');

describe('a job that died', () => {
  it('says why in its row and on its page, and leads to the line of the log', async () => {
    const { host, page } = at;
    const telling = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
    const script = `seq 3000; printf '\\377 ${telling}\\n'; seq 2000; exit 1`;
    const id = await host.submit({ command: ['sh', '-c', script] });
    const row = at.row(id);
    await row.getByText('out of GPU memory: it wanted 2.00 GiB').waitFor();
    await page.getByLabel('Filter the queue').fill('gpu-memory');
    await row.waitFor();
    await at.go(`job/${id}`);
    const why = page.getByRole('region', { name: 'Why it ended' });
    expect(await why.textContent()).toContain(telling);
    expect(await why.textContent()).toContain('Make the batch or the model smaller');
    const line = page.getByRole('log').getByText(telling);
    expect(await line.count()).toBe(0);
    await why.getByRole('button', { name: 'Show line 3001' }).click();
    await line.waitFor();
    expect(await line.evaluate((element) => element.closest('[data-told]') !== null)).toBe(true);
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/job that died.png` });
  });
});

describe('a long log', () => {
  it('is searched as a whole, shows only what was found, wraps, and has the colours of the job', async () => {
    const { host, page } = at;
    const script =
      'seq 100000 | sed "s/000\\$/000 a milestone/"; printf "\\033[1;31mred\\033[0m and plain\\n"; seq 20; sleep 600';
    const id = await host.submit({ command: ['sh', '-c', script] });
    await at.go(`job/${id}`);
    const log = page.getByRole('log');
    await log.getByText('red', { exact: true }).waitFor();
    expect(await log.getByText('red', { exact: true }).getAttribute('data-front')).toBe('1');
    // Most of it has not been read.
    await page.getByRole('button', { name: /^Load earlier/ }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('MILESTONE');
    const box = page.getByRole('textbox', { name: 'Search the log' });
    await page.getByText('in 100 lines').waitFor();
    await box.press('Enter');
    await page.getByText('1 of 100').waitFor();
    const told = log.locator('[data-told]');
    await told.filter({ hasText: /^1000 a milestone$/ }).waitFor();
    await told.locator('mark').waitFor();
    await box.press('Shift+Enter');
    await told.filter({ hasText: /^100000 a milestone$/ }).waitFor();
    await page.getByLabel('Only these lines').check();
    await log
      .getByText('2000 a milestone', { exact: true })
      .first()
      .or(log.getByText('99000'))
      .first()
      .waitFor();
    await page.getByLabel('Wrap').check();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/job log searched.png` });
    await page.getByRole('button', { name: 'As an expression, with its case' }).click();
    await box.fill('^99[0-9]00. a milestone$');
    await page.getByText('in 0 lines').waitFor();
    await box.fill('^99[0]00 a milestone$');
    await page.getByText('in 1 lines').waitFor();
    await log.getByText('99000').click();
    await page
      .getByLabel('Only these lines')
      .isChecked()
      .then((on) => expect(on).toBe(false));
    await told.filter({ hasText: /^99000 a milestone$/ }).waitFor();
    await host.stint('cancel', String(id));
  });
});

describe('what a job reports', () => {
  it('is drawn while it runs, with its validation in the same chart', async () => {
    const { host, page } = at;
    const line = '{"step": %d, "total": 40, "loss": 0.%d, "val_loss": 0.9, "lr": 0.001}';
    const script = `for i in $(seq 11 40); do printf 'STINT_PROGRESS=${line}\\n' $i $((90 - i)); sleep 0.2; done; sleep 600`;
    const id = await host.submit({ gpus: 1, vramMib: 1024, command: ['sh', '-c', script] });
    await at.go(`job/${id}`);
    const curves = page.getByRole('region', { name: 'Curves' });
    // Over the same time as its GPU: who points at one points at all.
    await curves.getByRole('img', { name: 'loss by time, last loss 0.5, val_loss 0.9' }).waitFor();
    const gpus = page.getByRole('region', { name: 'Its GPUs' });
    await gpus.getByRole('img', { name: /^Memory by time, last Memory, GPU 0 / }).waitFor();
    await gpus.getByRole('img', { name: /^Use by time/ }).focus();
    await page.keyboard.press('ArrowRight');
    await curves.getByText(/^loss 0\.[67]\d*$/).waitFor();
    await curves.locator('.u-over').first().hover();
    await curves.getByText(/^loss 0\.[567]\d*$/).waitFor();
    await page.screenshot({ path: `${shots}/job beside its GPU.png` });
    await curves.getByText('by step', { exact: true }).click();
    await curves.getByRole('img', { name: /^loss by step, last loss 0\.\d+, val_loss 0\.9$/ }).waitFor();
    // It goes on by itself.
    await curves.getByRole('img', { name: 'loss by step, last loss 0.5, val_loss 0.9' }).waitFor();
    await curves.getByRole('img', { name: 'lr by step, last lr 0.001' }).waitFor();
    expect(await curves.locator('canvas').count()).toBe(2);
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/job that reports.png` });
    // Beside another of its project, with another learning rate.
    const other = await host.submit({
      command: ['sh', '-c', script.replace('sleep 600', 'true').replaceAll('sleep 0.2', 'true')],
      priority: 3,
    });
    await host.reaches(other, 'succeeded');
    const beside = page.getByRole('region', { name: 'Compared with others' });
    await beside.getByRole('combobox', { name: 'Jobs to compare it with' }).click();
    await page.getByRole('option', { name: new RegExp(`^#${other} `) }).click();
    await beside.getByRole('img', { name: new RegExp(`^loss by step, .*#${other} loss`) }).waitFor();
    await beside.getByRole('row', { name: 'Priority 0 3' }).waitFor();
    const table = await host.stint('metrics', String(id));
    expect(table).toContain('val_loss');
    expect(JSON.parse(await host.stint('metrics', String(id), '--json')).series[0].at.at(-1)).toBe(40);
    await page.getByText(/^[\d.]+ Wh$/).waitFor();

    // Its GPU, looked at closely: by the pointer, then by the keyboard, and no longer than the page is in sight.
    await at.go('machine');
    const lane = page.getByRole('article', { name: 'GPU 0' });
    const since = (much: string) =>
      lane.getByRole('img', { name: `Use of GPU 0 over the last ${much}` }).waitFor();
    await since('10 min');
    await lane.getByRole('heading').hover();
    await since('10 s');
    busy(77);
    await lane.getByText('77 %').waitFor();
    await page.screenshot({ path: `${shots}/lane looked at.png` });
    await page.mouse.move(1, 1);
    await since('10 min');
    await lane.getByRole('link').first().focus();
    await since('10 s');
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await since('10 min');

    await host.stint('cancel', String(id));
    await at.go('history');
    await page.getByRole('columnheader', { name: 'Energy' }).waitFor();
    await page
      .locator(`[data-found="${id}"]`)
      .getByText(/^[\d.]+ Wh$/)
      .waitFor();
  });

  it('says how, where it reports nothing', async () => {
    const { host, page } = at;
    const id = await host.submit({ command: ['echo', 'hello'] });
    await at.go(`job/${id}`);
    await page.getByRole('region', { name: 'Curves' }).getByText('STINT_PROGRESS={').waitFor();
    expect(await host.stint('metrics', String(id))).toContain('STINT_PROGRESS={');
  });
});
