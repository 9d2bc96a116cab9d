import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';
import { until } from './support/headlessHost.ts';

const at = consolePage('--devices', 'virtual:2x8192', '--policy', 'first-fit');
const found = (id: number) => at.page.locator(`[data-found="${id}"]`);

describe('the history', () => {
  it('finds jobs by what is known of them, adds up what they took, and gives them away as a table', async () => {
    const { host, page } = at;
    const project = `vision-${Date.now()}`;
    const good = await host.submit({
      name: 'went well',
      project,
      gpus: 1,
      command: ['sleep', '0.2'],
    });
    const bad = await host.submit({
      name: 'ran out',
      project: 'language',
      command: ['sh', '-c', 'echo "RuntimeError: CUDA out of memory."; exit 1'],
    });
    await host.reaches(good, 'succeeded');
    await host.reaches(bad, 'failed');
    await page.keyboard.press('4');
    await found(good).waitFor();
    await found(bad).waitFor();
    const projects = page.getByRole('region', { name: 'By project' });
    await projects.getByRole('button', { name: new RegExp(project) }).waitFor();
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      expect(await violationsIn(page), scheme).toEqual([]);
      await page.screenshot({ path: `${shots}/history ${scheme}.png` });
    }
    await page.getByRole('region', { name: 'Use by hour and GPU' }).getByText('GPU 0').waitFor();
    await page.getByRole('region', { name: 'How long they waited' }).getByText('up to 10').first().waitFor();
    await page.getByLabel('Also by').selectOption('cause');
    await page.getByRole('region', { name: 'By cause of death' }).getByText('gpu-memory').waitFor();
    // All of it under two other policies.
    const replay = page.getByRole('region', { name: 'Replay under other policies' });
    await replay.getByRole('combobox', { name: 'Policies' }).click();
    for (const policy of ['fifo', 'dqn'])
      await page.getByRole('option', { name: policy, exact: true }).click();
    await page.keyboard.press('Escape');
    await replay.getByRole('button', { name: 'Replay' }).click();
    await replay.getByRole('row', { name: /^as it was / }).waitFor();
    await replay.getByRole('row', { name: /^dqn / }).waitFor();
    await replay.getByText('arrivals are as recorded').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    // Half of the time that is shown, drawn over with the mouse.
    const time = page.getByRole('region', { name: 'GPUs in use over time' }).getByRole('img');
    const { x, y, width, height } = (await time.boundingBox())!;
    await page.mouse.move(x + 1, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + height / 2, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=\d{13}&to=\d{13}/);
    // The address of a view that is open already asks for nothing anew.
    await at.go('queue');
    await page.getByLabel('Filter the queue').waitFor();
    await at.go('history');
    await found(bad).waitFor();
    await page.getByRole('combobox', { name: 'Cause of death' }).click();
    await page.getByRole('option', { name: 'gpu-memory' }).click();
    await found(good).waitFor({ state: 'detached' });
    await found(bad).getByText('out of GPU memory').waitFor();
    expect(page.url()).toContain('#/history?cause=gpu-memory');
    await page.getByRole('button', { name: 'Keep this search' }).click();
    await page.keyboard.type('memory again');
    await page.keyboard.press('Enter');
    await page.reload();
    await found(bad).waitFor();
    expect(await found(good).count()).toBe(0);
    // What was kept is there after a reload, beside what is always offered.
    await page.getByRole('button', { name: 'Failed since yesterday' }).click();
    await page.waitForURL(
      /status=failed%2Ctimed-out%2Clost&from=yesterday|status=failed,timed-out,lost&from=yesterday/,
    );
    await found(bad).waitFor();
    await page.getByRole('button', { name: 'memory again', exact: true }).click();
    await page.waitForURL(/#\/history\?cause=gpu-memory$/);
    await page.getByRole('button', { name: 'Forget memory again' }).click();
    await page.getByRole('button', { name: 'memory again', exact: true }).waitFor({ state: 'detached' });

    await at.go(`history?project=${project}&from=1d`);
    await found(good).waitFor();
    await page.getByLabel('From').fill('soon');
    await page.getByText('give a moment, such as').waitFor();
    await page.getByLabel('From').fill('1d');
    await page.getByRole('status').getByText('1', { exact: true }).waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const csv = readFileSync((await (await saved).path())!, 'utf8');
    expect(csv.split('\r\n')[1]).toContain(`${good},went well,succeeded,0,,ana,${project},,1`);
  });

  it('leads to decisions and episodes by their addresses, and says where there is none', async () => {
    const { host, page } = at;
    const id = await host.submit({ name: 'decided', gpus: 1, command: ['true'] });
    await host.reaches(id, 'succeeded');
    await at.go(`job/${id}`);
    await page.getByRole('button', { name: /why/ }).first().click();
    await page.getByRole('link', { name: /^decision \d+$/ }).click();
    await page.getByRole('heading', { name: /^Decision \d+$/ }).waitFor();
    await page.getByRole('table').getByText('taken').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.keyboard.press('3');
    await page
      .getByRole('region', { name: 'Table of episodes' })
      .getByRole('link', { name: '1', exact: true })
      .click();
    await page.getByRole('heading', { name: 'Episode 1' }).waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.getByRole('link', { name: 'Jobs that were in the system then' }).click();
    await page.locator('[data-found]').first().waitFor();
    await at.go('decision/999999');
    await page.getByText('There is no such decision').waitFor();
    await at.go('episode/999999');
    await page.getByText('There is no such episode').waitFor();
  });
});

describe('the palette', () => {
  it('goes, does and finds, from anywhere and without a mouse', async () => {
    const { host, page } = at;
    const id = await host.submit({ name: 'to be held', hold: true, command: ['true'] });
    await at.shows(id, 'held');
    await page.getByLabel('Filter the queue').focus();
    await page.keyboard.press('Control+k');
    const box = page.getByRole('combobox', { name: 'What to do or find' });
    await box.waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/palette.png` });
    await box.fill(`release ${id}`);
    await page.getByRole('option', { name: `Release #${id} to be held` }).waitFor();
    await page.keyboard.press('Enter');
    await host.reaches(id, 'succeeded');
    await page.keyboard.press('Control+k');
    await box.fill('policy fifo');
    await page.keyboard.press('Enter');
    await page.getByText('fifo decides from now on').waitFor();
    await page.keyboard.press('Control+k');
    await box.fill('to be');
    await page
      .getByRole('option', { name: `#${id} to be held` })
      .last()
      .click();
    await page.getByRole('heading', { name: `#${id} to be held` }).waitFor();
    await page.keyboard.press('Control+k');
    await box.fill('go set');
    await page.keyboard.press('Enter');
    await page.getByLabel('Find a setting').waitFor();
    await page.keyboard.press('Control+k');
    await box.fill('theme dark');
    await page.keyboard.press('Enter');
    await until('it is dark', () =>
      page.evaluate(() => document.documentElement.dataset.mantineColorScheme === 'dark' || null),
    );
  });
});
