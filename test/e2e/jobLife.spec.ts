import { describe, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';

const at = consolePage('--devices', 'virtual:1x8192', '--policy', 'fifo');

describe('a job that was tried again', () => {
  it('shows its attempts, each with its end and its log, and is tried once more', async () => {
    const { host, page } = at;
    const id = await host.submit({
      command: ['sh', '-c', 'echo attempt $STINT_ATTEMPT wrote this; exit 3'],
      retries: 1,
      retryDelayS: 0,
      timeLimitS: 7200,
    });
    await at.go(`job/${id}`);
    const log = page.getByRole('log');
    await log.getByText('attempt 2 wrote this').waitFor();
    await page.getByText('1 of 1 used').waitFor();
    await page.getByText('2 h, pauses not counted').waitFor();
    await page.getByRole('button', { name: 'Log of 1' }).click();
    await log.getByText('attempt 1 wrote this').waitFor();
    await page.getByRole('button', { name: 'Log of 2' }).click();
    await log.getByText('attempt 2 wrote this').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/job with attempts.png` });
    await page.getByRole('region', { name: 'Why it ended' }).getByRole('button', { name: 'Retry' }).click();
    // It has its retry again.
    await log.getByText('attempt 4 wrote this').waitFor();
    await page.getByRole('button', { name: 'Log of 3' }).waitFor();
  });
});

describe('what is not to start yet', () => {
  it('says so in its row, also while the machine is drained, which the head of the page says and ends', async () => {
    const { host, page } = at;
    const first = await host.submit({ command: ['true'], hold: true });
    const second = await host.submit({ command: ['true'], after: [{ jobId: first, on: 'any' }] });
    const third = await host.submit({ command: ['true'], beginAtMs: Date.now() + 86_400_000 });
    await at.row(second).getByText(`waits for #${first} to end`).waitFor();
    await at.row(third).getByText('is to start at').waitFor();
    await host.stint('drain');
    await page.getByRole('banner').getByText('drained').waitFor();
    await at
      .row(first)
      .getByRole('button', { name: `Release #${first}` })
      .click();
    await at.row(first).getByText('the machine is drained').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/drained.png` });
    await page.getByRole('button', { name: 'Start jobs again' }).click();
    await at.row(second).getByText('succeeded').waitFor();
    expect(await page.getByRole('banner').getByText('drained').count()).toBe(0);
    await at
      .row(third)
      .getByRole('button', { name: `Cancel #${third}` })
      .click();
    await at
      .row(third)
      .getByRole('button', { name: `Retry #${third}` })
      .waitFor();
  });
});
