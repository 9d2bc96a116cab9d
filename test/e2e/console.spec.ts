import { resolve } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { launchChromium } from './support/chromium.ts';
import { type HeadlessHost, startHeadlessHost, until } from './support/headlessHost.ts';

const shots = resolve(import.meta.dirname, '../../test-results');
/** Counts, as a training does, and ends by itself. */
const training = (steps: number, pauseS: number) =>
  `i=0; while [ $i -lt ${steps} ]; do i=$((i+1)); printf 'epoch %d/${steps}\\n' $i; sleep ${pauseS}; done`;

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe('the console', () => {
  let host: HeadlessHost;
  let context: BrowserContext;
  let page: Page;
  let troubles: string[];

  beforeAll(async () => {
    host = await startHeadlessHost('--devices', 'virtual:2x8192', '--policy', 'first-fit');
  });
  afterAll(() => host.dispose());
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    troubles = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
    });
    page.on('dialog', (dialog) => {
      troubles.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(host.url);
    await page.getByRole('navigation').waitFor();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await page.screenshot({ path: `${shots}/failed ${task.name}.png` });
    await context.close();
    expect(troubles).toEqual([]);
  });

  const row = (id: number): Locator => page.locator(`[data-job="${id}"]`);
  const shows = (id: number, status: string): Promise<void> =>
    row(id).locator(`[data-status="${status}"]`).waitFor();
  const view = (name: string): Promise<unknown> =>
    page.evaluate((hash) => (location.hash = hash), `#/${name}`);
  const waitingIds = (): Promise<number[]> =>
    page
      .getByRole('row')
      .filter({ has: page.getByRole('button', { name: /^Move #/ }) })
      .evaluateAll((rows) => rows.map((element) => Number((element as HTMLElement).dataset.job)));
  const waitsAs = (ids: number[]): Promise<unknown> =>
    until(`the queue is ${ids}`, async () => {
      const seen = await waitingIds();
      return JSON.stringify(seen.filter((id) => ids.includes(id))) === JSON.stringify(ids) || null;
    });
  /** Jobs that wait until they are told otherwise. */
  const held = async (...names: string[]): Promise<number[]> => {
    const ids: number[] = [];
    for (const name of names) {
      ids.push(await host.submit({ name, hold: true, command: ['sleep', '600'] }));
    }
    return ids;
  };
  it('takes the token out of the address and keeps the session', async () => {
    expect(page.url()).not.toContain('token');
    await page.reload();
    await page.getByRole('navigation').waitFor();
  });

  it('teaches the first step while there is nothing', async () => {
    await page.getByText('stint submit --vram 4GiB -- python train.py').waitFor();
    await page.screenshot({ path: `${shots}/empty.png` });
  });

  it('submits through the dialog and follows the job to its end', async () => {
    await page.keyboard.press('n');
    const dialog = page.getByRole('dialog', { name: 'Submit a job' });
    await dialog.getByLabel('Command').fill(`sh -c "${training(12, 0.1)}"`);
    await dialog.getByLabel('Name').fill('counts to twelve');
    await dialog.getByLabel('Memory per GPU').fill('1GiB');
    await dialog.getByLabel('Working directory').fill('/');
    await dialog.getByLabel('GPUs').fill('5');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    // What the engine refuses stands beside the field, and nothing is lost.
    await dialog.getByText('ask for at most 2').waitFor();
    expect(await dialog.getByLabel('GPUs').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('GPUs').fill('1');
    await dialog.getByLabel('Environment', { exact: true }).fill('LR=0.1');
    await page.keyboard.press('Control+Enter');
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('submitted #1').waitFor();
    await shows(1, 'running');
    await row(1)
      .getByText(/epoch \d+\/12/)
      .waitFor();
    await row(1).getByRole('link', { name: 'counts to twelve' }).click();
    await page.getByRole('log').getByText('epoch 3/12', { exact: true }).waitFor();
    await page.locator('h1 + p [data-status="succeeded"]').waitFor();
    await page.getByRole('log').getByText('epoch 12/12', { exact: true }).waitFor();
    await page.getByText('13 lines, complete').or(page.getByText('12 lines, complete')).waitFor();
    await page.getByText('ended with exit code 0').waitFor();
    await page.screenshot({ path: `${shots}/job.png` });
    expect((await host.job(1)).exitCode).toBe(0);
  });

  it('shows decisions that can be asked why, and a finished episode with its reward', async () => {
    await page.keyboard.press('3');
    const table = page.getByRole('region', { name: 'Table of episodes' });
    await table.getByText('1 of 1').waitFor();
    const cells = await table.getByRole('row').nth(1).getByRole('cell').allInnerTexts();
    expect(cells[6]).toMatch(/^−\d+\.\d+$/);
    const decision = page.getByRole('button', { name: /#1 .*why/ }).first();
    await decision.click();
    await page.getByRole('table').filter({ hasText: 'Candidate' }).getByText('taken').waitFor();
    await page.getByText('the heuristic would do the same').waitFor();
    await page.getByRole('combobox', { name: 'Policy in charge' }).click();
    await page.getByRole('option', { name: /^fifo/ }).click();
    await page.getByText('fifo decides from now on').waitFor();
    expect(JSON.parse(await host.stint('decisions', '--json')).length).toBeGreaterThan(0);
    await page.screenshot({ path: `${shots}/scheduler.png` });
    // The keys go on from here: the list of policies is closed, though it stays in the page.
    await page.keyboard.press('5');
    await page.getByLabel('Find a setting').waitFor();
    await page.keyboard.press('3');
    await table.waitFor();
  });

  it('pauses, resumes and cancels by buttons and by keys', async () => {
    const id = await host.submit({ name: 'to be paused', command: ['sleep', '600'] });
    await shows(id, 'running');
    await page.getByRole('button', { name: `Pause #${id}` }).click();
    await shows(id, 'paused');
    expect((await host.job(id)).status).toBe('paused');
    await row(id).click({ position: { x: 400, y: 4 } });
    await page.keyboard.press('p');
    await shows(id, 'running');
    await page.keyboard.press('p');
    await shows(id, 'paused');
    await page.getByRole('button', { name: `Resume #${id}` }).click();
    await shows(id, 'running');
    await page.keyboard.press('c');
    await page.getByRole('dialog').getByRole('button', { name: 'Let it run' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await host.job(id)).status).toBe('running');
    await page.getByRole('button', { name: `Cancel #${id}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
    await shows(id, 'cancelled');
    expect((await host.reaches(id, 'cancelled')).exitCode).toBe(143);
  });

  it('reorders by keys, by drag and by the handle’s own keyboard, and withdraws without asking', async () => {
    const [a, b, c, d] = (await held('first', 'second', 'third', 'fourth')) as [
      number,
      number,
      number,
      number,
    ];
    await waitsAs([a, b, c, d]);
    await row(a).focus();
    await page.keyboard.press('Alt+ArrowDown');
    await waitsAs([b, a, c, d]);
    await page.keyboard.press('Alt+ArrowUp');
    await waitsAs([a, b, c, d]);
    // Steps of one job are one way to go back.
    await row(d).focus();
    for (const order of [
      [a, b, d, c],
      [a, d, b, c],
    ]) {
      await page.keyboard.press('Alt+ArrowUp');
      await waitsAs(order);
    }
    await page.getByText(`#${d}: moved in the queue`).waitFor();
    await page.keyboard.press('u');
    await waitsAs([a, b, c, d]);
    expect((await host.job(d)).moved).toBe(false);

    const from = (await page.getByRole('button', { name: `Move #${d} ` }).boundingBox())!;
    const to = (await page.getByRole('button', { name: `Move #${a} ` }).boundingBox())!;
    await page.mouse.move(from.x + 8, from.y + 16);
    await page.mouse.down();
    await page.mouse.move(from.x + 8, from.y, { steps: 4 });
    await page.mouse.move(to.x + 8, to.y + 8, { steps: 8 });
    await page.mouse.up();
    await waitsAs([d, a, b, c]);

    await page.getByRole('button', { name: `Move #${a} ` }).focus();
    await page.keyboard.press('Space');
    await page.getByText(`#${a} is where it was.`).waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowDown');
    await page.getByText(`#${a} is at the place of #${b}.`).waitFor({ state: 'attached' });
    // The arrow carries the job; it does not go to another one as well.
    expect(await page.locator('[data-cursor]').getAttribute('data-job')).toBe(String(a));
    await page.keyboard.press('Space');
    await waitsAs([d, b, a, c]);

    const order = JSON.parse(await host.stint('ls', '--json')) as { id: number; status: string }[];
    expect(order.filter((job) => job.status === 'held').map((job) => job.id)).toEqual([d, b, a, c]);

    await page.getByRole('checkbox', { name: `Tick #${a}` }).check();
    await page.getByRole('checkbox', { name: `Tick #${b}` }).check();
    await page
      .getByRole('group', { name: 'With the ticked jobs' })
      .getByRole('button', { name: 'Cancel' })
      .click();
    await shows(a, 'cancelled');
    await shows(b, 'cancelled');
    await row(c).focus();
    await page.keyboard.press('c');
    await shows(c, 'cancelled');
    await row(d).focus();
    await page.keyboard.press('h');
    await shows(d, 'running');
    await host.stint('cancel', String(d));
    await shows(d, 'cancelled');
  });

  it('edits a priority in its row and by keys, and takes only whole numbers in range', async () => {
    const [id] = (await held('urgent')) as [number];
    await row(id)
      .getByRole('button', { name: /^Priority/ })
      .click();
    const field = row(id).getByRole('textbox', { name: `Priority of #${id}` });
    await field.fill('1001');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await page.keyboard.press('Enter');
    expect((await host.job(id)).priority).toBe(0);
    await field.fill('42');
    await page.keyboard.press('Enter');
    await row(id)
      .getByRole('button', { name: `Priority of #${id}: 42. Change` })
      .waitFor();
    await row(id).focus();
    await page.keyboard.press('+');
    await row(id)
      .getByRole('button', { name: `Priority of #${id}: 43. Change` })
      .waitFor();
    expect((await host.job(id)).priority).toBe(43);
    // Faster than the engine answers: every press counts.
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('+');
    await row(id)
      .getByRole('button', { name: `Priority of #${id}: 47. Change` })
      .click();
    await page.keyboard.type('99');
    await page.keyboard.press('Escape');
    await until('the keyboard goes on from the number', () =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? null),
    ).then((label) => expect(label).toBe(`Priority of #${id}: 47. Change`));
    expect((await host.job(id)).priority).toBe(47);
    await host.stint('cancel', String(id));
  });

  it('shows hostile names and output as text, with what would hide in them', async () => {
    const name = '<img src=x onerror=alert(1)>\u202egpj.exe';
    const id = await host.submit({
      name,
      command: ['printf', '<script>alert(1)</script>\\n\\033[31mred\\033[0m \\007bell\\n50%%\\r100%%\\n'],
    });
    await shows(id, 'succeeded');
    const shown = '<img src=x onerror=alert(1)>‹U+202E›gpj.exe';
    await row(id).getByRole('link', { name: shown }).click();
    await page.getByRole('heading', { name: `#${id} ${shown}` }).waitFor();
    const log = page.getByRole('log');
    await log.getByText('100%').waitFor();
    expect(await log.locator('[data-index]').allTextContents()).toEqual([
      '<script>alert(1)</script>',
      'red ␇bell',
      '100%',
    ]);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('shows the end of a long log first, and earlier pieces when asked', async () => {
    const id = await host.submit({ name: 'talks much', command: ['seq', '1', '100000'] });
    await host.reaches(id, 'succeeded');
    await view(`job/${id}`);
    const log = page.getByRole('log');
    await log.getByText('100000', { exact: true }).waitFor();
    expect(await page.getByRole('checkbox', { name: 'Follow' }).isChecked()).toBe(true);
    // 588,895 bytes: two more pieces of 256 KiB.
    for (const left of [1, 0]) {
      const button = page.getByRole('button', { name: /^Load earlier/ });
      const before = await button.textContent();
      await button.click();
      await until('the piece is there', async () =>
        left === 0 ? (await button.count()) === 0 || null : (await button.textContent()) !== before || null,
      );
    }
    await page.getByText('100,000 lines, complete').waitFor();
    await log.evaluate((element) => element.scrollTo(0, 0));
    await log.getByText('1', { exact: true }).waitFor();
    expect(await page.getByRole('checkbox', { name: 'Follow' }).isChecked()).toBe(false);
    await page.keyboard.press('f');
    await log.getByText('100000', { exact: true }).waitFor();
  });

  it('leads to a job by its address, and says when there is none', async () => {
    const other = await context.newPage();
    await other.goto(`http://127.0.0.1:${host.port}/#/job/1`);
    await other.getByRole('heading', { name: '#1 counts to twelve' }).waitFor();
    await other.goto(`http://127.0.0.1:${host.port}/#/job/999999`);
    await other.getByText(/no job 999999/).waitFor();
    await other.close();
  });

  it('finds jobs by the filter and moves between them by keys', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('counts to');
    await until('only one is left', async () => (await page.locator('[data-job]').count()) === 1 || null);
    await page.keyboard.press('Escape');
    await until('all are back', async () => (await page.locator('[data-job]').count()) > 3 || null);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const at = await page.locator('[data-cursor]').getAttribute('data-job');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: `Job #${at}` }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('grid', { name: 'Jobs' }).waitFor();
  });

  it('loses no key that is pressed before a view has loaded', async () => {
    const id = await host.submit({ name: 'ticked early', hold: true, command: ['true'] });
    let letThrough = (): void => undefined;
    const through = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await page.route(/assets\/NowView[^/]*\.js$/, async (route) => {
      await through;
      await route.continue();
    });
    await page.reload();
    await row(id).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('ticked early');
    await page.locator('main').click({ position: { x: 5, y: 5 } });
    await page.keyboard.press('2');
    await page.getByRole('link', { name: 'Now', exact: true }).and(page.locator('[aria-current]')).waitFor();
    await page.keyboard.press('x');
    letThrough();
    await until(
      'the job is ticked',
      async () => (await row(id).getAttribute('aria-selected')) === 'true' || null,
    );
    await host.stint('cancel', String(id));
  });

  it('shows who holds a device, its memory and its track, and unknown where nothing is measured', async () => {
    const id = await host.submit({
      name: 'holds a track',
      command: ['sleep', '600'],
      gpus: 1,
      vramMib: 3072,
    });
    await page.keyboard.press('2');
    const lane = page.getByRole('article').filter({ hasText: 'holds a track' });
    await lane.getByText('3 GiB ours').waitFor();
    await lane.getByRole('img', { name: /Memory of GPU \d: #\d+ 3 GiB/ }).waitFor();
    await lane.getByTitle('Power: not measured on this device').waitFor();
    const bar = page.getByRole('link', { name: `#${id} holds a track, running` });
    await bar.focus();
    await page.getByText(/holds a track · default · .* to now/).waitFor();

    // Beside the lanes is the queue: a job is dragged from there onto a GPU and kept to it, until that is taken back.
    const waits = await host.submit({ name: 'dragged', hold: true, gpus: 1, command: ['true'] });
    const grip = (await page.getByRole('button', { name: `Move #${waits} ` }).boundingBox())!;
    const gpu1 = (await page.getByRole('article', { name: 'GPU 1' }).boundingBox())!;
    await page.mouse.move(grip.x + 8, grip.y + 16);
    await page.mouse.down();
    await page.mouse.move(grip.x - 16, grip.y + 8, { steps: 4 });
    await page.mouse.move(gpu1.x + 80, gpu1.y + gpu1.height / 2, { steps: 8 });
    await page.screenshot({ path: `${shots}/now, dragging.png` });
    await page.mouse.up();
    await page.getByText(`#${waits}: only on GPU 1`).waitFor();
    const kept = async () => (await host.job(waits)).pinnedTo;
    expect(await kept()).toHaveLength(1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await until('it may start anywhere', async () => (await kept()) === null || null);
    // With one that is ticked go all that are: onto a GPU, and by keys past another.
    const more = [
      await host.submit({ name: 'dragged too', hold: true, gpus: 1, command: ['true'] }),
      await host.submit({ name: 'stays', hold: true, gpus: 1, command: ['true'] }),
    ] as const;
    await page.getByRole('checkbox', { name: `Tick #${waits}`, exact: true }).check();
    await page.getByRole('checkbox', { name: `Tick #${more[0]}`, exact: true }).check();
    const grip2 = (await page.getByRole('button', { name: `Move #${more[0]} ` }).boundingBox())!;
    const gpu0 = (await page.getByRole('article', { name: 'GPU 0' }).boundingBox())!;
    await page.mouse.move(grip2.x + 8, grip2.y + 16);
    await page.mouse.down();
    await page.mouse.move(grip2.x - 16, grip2.y + 8, { steps: 4 });
    await page.mouse.move(gpu0.x + 80, gpu0.y + gpu0.height / 2, { steps: 8 });
    await page.getByText('+1', { exact: true }).waitFor();
    await page.mouse.up();
    await page.getByText(`#${waits}, #${more[0]}: only on GPU 0`).waitFor();
    await page.keyboard.press('u');
    await until('they may start anywhere', async () => (await kept()) === null || null);
    await row(waits).focus();
    await page.keyboard.press('Alt+ArrowDown');
    const order = async () =>
      (JSON.parse(await host.stint('ls', '--json', '--status', 'held')) as { id: number }[]).map(
        ({ id }) => id,
      );
    await until('both are behind the other', async () =>
      (await order()).slice(-3).join() === [more[1], waits, more[0]].join() ? true : null,
    );
    await page.getByText(/moved in the queue/).waitFor();
    await page.keyboard.press('u');
    await until('both are before the other again', async () =>
      (await order()).slice(-3).join() === [waits, more[0], more[1]].join() ? true : null,
    );
    await page.keyboard.press('Escape');
    await host.stint('cancel', String(more[0]), String(more[1]));
    await row(waits).click({ button: 'right' });
    await page.getByRole('checkbox', { name: 'Only on GPU 0' }).focus();
    await page.keyboard.press('Space');
    await until('it is kept again', async () => (await kept()) !== null || null);
    await page.keyboard.press('Escape');
    await page.screenshot({ path: `${shots}/machine.png` });
    await host.stint('cancel', String(id), String(waits));
    await page.getByRole('link', { name: `#${id} holds a track, cancelled` }).waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has no accessibility violation in any view, %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      const [waits] = (await held(`waits in ${colorScheme}`)) as [number];
      const runs = await host.submit({
        name: `runs in ${colorScheme}`,
        command: ['sh', '-c', training(6000, 0.1)],
        gpus: 1,
      });
      const fails = await host.submit({ name: 'fails', command: ['sh', '-c', 'echo no; exit 3'] });
      const look = async (name: string): Promise<void> => {
        await page.screenshot({ path: `${shots}/${name} ${colorScheme}.png` });
        expect(await violationsIn(page), name).toEqual([]);
      };
      await shows(fails, 'failed');
      await shows(runs, 'running');
      await look('queue');
      await view('machine');
      await page.getByRole('article').first().waitFor();
      await look('machine');
      await view('scheduler');
      await page.getByRole('button', { name: /why/ }).first().click();
      await look('scheduler');
      await view(`job/${runs}`);
      // Whichever is in sight: on a slow machine the first ones have passed.
      await page
        .getByRole('log')
        .getByText(/^epoch \d+\/6000$/)
        .first()
        .waitFor();
      await look('job');
      await page.keyboard.press('c');
      await page.getByRole('dialog', { name: `Cancel #${runs}?` }).waitFor();
      await look('confirm');
      await page.getByRole('dialog').getByRole('button', { name: 'Let it run' }).click();
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('n');
      await page.getByRole('dialog').getByLabel('Command').fill('a | b');
      await page.getByRole('dialog').getByLabel('GPUs').fill('many');
      await page.getByRole('dialog').getByRole('button', { name: 'Submit' }).click();
      await page
        .getByRole('dialog')
        .getByText(/give a number from 0 to 64/)
        .waitFor();
      await look('submit');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      await look('keys');
      await host.stint('cancel', String(waits), String(runs));
      await host.reaches(runs, 'cancelled');
    },
  );

  it('keeps only the rows in sight in the page when there are many', async () => {
    const sweep = `sweep ${Date.now()}`;
    for (let i = 0; i < 150; i += 1)
      await host.submit({ name: `${sweep} ${i}`, hold: true, command: ['true'] });
    await until(
      'all are known',
      async () => (await page.getByText(/^(1[5-9]|[2-9]\d)\d waiting$/).count()) > 0 || null,
    );
    expect(await page.locator('[data-job]').count()).toBeLessThan(80);
    const last = Math.max(
      ...(JSON.parse(await host.stint('ls', '--json')) as { id: number }[]).map((j) => j.id),
    );
    await page.keyboard.press('/');
    await page.keyboard.type(`#${last}`);
    await row(last).waitFor();
    await page.keyboard.press('Escape');
    // Who looks at a job far down comes back to where it stands.
    const link = page.getByRole('link', { name: `${sweep} 140` });
    await until('it is in sight', async () => {
      await page.mouse.move(640, 600);
      await page.mouse.wheel(0, 400);
      return (await link.count()) > 0 && (await link.boundingBox())!.y < 700 ? true : null;
    });
    await link.click();
    await page.getByRole('heading', { name: new RegExp(`${sweep} 140$`) }).waitFor();
    await page.goBack();
    await link.waitFor();
    const back = (await link.boundingBox())!;
    expect(back.y > 100 && back.y < 800).toBe(true);
  });
});
