import { describe, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';
import { until } from './support/headlessHost.ts';

const at = consolePage('--devices', 'virtual:1x8192', '--policy', 'fifo');
/** Goes on from where it was, as a training with a checkpoint would, and ends at once when it is told to. */
const CHECKPOINTING = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 0.05; done"];
const panel = (name: RegExp) => at.page.getByRole('dialog', { name });
const toast = (text: string) => at.page.getByRole('alert').filter({ hasText: text });

describe('everything that can be done to a job', () => {
  it('slows a running job down, frees its memory and lets it go on, from one panel', async () => {
    const { host, page } = at;
    const id = await host.submit({
      name: 'restartable',
      command: CHECKPOINTING,
      gpus: 1,
      vramMib: 1024,
      restartable: true,
    });
    await at.shows(id, 'running');
    await at.row(id).click({ button: 'right', position: { x: 400, y: 8 } });
    const open = panel(/restartable/);
    const speed = open.getByRole('slider', { name: 'Speed' });
    expect(await speed.getAttribute('aria-valuetext')).toBe('full speed');
    await speed.focus();
    await page.keyboard.press('Home');
    await at.row(id).getByText('held at 5 % of its speed').waitFor();
    expect((await host.job(id)).throttle?.share).toBe(0.05);
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/more.png` });
    await page.keyboard.press('End');
    await until('nothing holds it', async () => ((await host.job(id)).throttle === null ? true : null));

    await open.getByRole('button', { name: 'Pause and free its GPU memory' }).click();
    await at.shows(id, 'held');
    expect((await host.job(id)).pauseMethod).toBe('checkpoint');
    await at
      .row(id)
      .getByRole('button', { name: `Release #${id}` })
      .click();
    await at.shows(id, 'running');
    await at
      .row(id)
      .getByRole('button', { name: `More for #${id}` })
      .click();
    await open.getByRole('button', { name: 'Let others go first' }).click();
    await until('its third attempt runs', async () => {
      const { attempt, status } = await host.job(id);
      return (attempt === 3 && status === 'running') || null;
    });
    await host.stint('cancel', String(id));
    await at.shows(id, 'cancelled');
    await page.keyboard.press('Escape');
    await at
      .row(id)
      .getByRole('button', { name: `More for #${id}` })
      .click();
    await open.getByRole('textbox', { name: 'Memory per GPU for another attempt' }).fill('2');
    await open.getByRole('button', { name: 'Retry with so much' }).click();
    await open.getByText('give a positive amount with its unit').waitFor();
    await open.getByRole('textbox', { name: 'Memory per GPU for another attempt' }).fill('2GiB');
    await open.getByRole('button', { name: 'Retry with so much' }).click();
    await at.shows(id, 'running');
    expect((await host.job(id)).vramMib).toBe(2048);
    await page.keyboard.press('Escape');
    await host.stint('cancel', String(id));
    await at.shows(id, 'cancelled');
  });

  it('says what is missing where a job cannot be stopped and go on', async () => {
    const { host, page } = at;
    const id = await host.submit({ name: 'not restartable', command: ['sleep', '600'], gpus: 1 });
    await at.go(`job/${id}`);
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    await page.keyboard.press('m');
    await panel(/not restartable/)
      .getByText('only for jobs submitted with')
      .waitFor();
    await page.keyboard.press('Escape');
    await host.stint('cancel', String(id));
    await host.reaches(id, 'cancelled');
  });

  it('takes back what was done to several jobs, and gives them a priority and the first place', async () => {
    const { host, page } = at;
    const ids: number[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      ids.push(await host.submit({ name, hold: true, command: ['sleep', '600'] }));
    }
    const [first, second, third, fourth] = ids as [number, number, number, number];
    const box = (id: number) => page.getByRole('checkbox', { name: `Tick #${id}` });
    await box(second).click();
    await box(fourth).click({ modifiers: ['Shift'] });
    expect(await box(third).isChecked()).toBe(true);
    await page.getByText('3 ticked').waitFor();
    const bulk = page.getByRole('group', { name: 'With the ticked jobs' });
    await bulk.getByRole('button', { name: 'More' }).click();
    await panel(/3 jobs/)
      .getByRole('textbox', { name: 'Priority' })
      .fill('7');
    await page.keyboard.press('Enter');
    await until('all three have it', async () => {
      const jobs = await Promise.all([second, third, fourth].map(host.job));
      return jobs.every(({ priority }) => priority === 7) || null;
    });
    await bulk.getByRole('button', { name: 'More' }).click();
    await panel(/3 jobs/)
      .getByRole('button', { name: 'First in the queue' })
      .click();
    await until('they are first', async () => {
      const ranks = (await Promise.all([second, third, fourth, first].map(host.job))).map(({ rank }) => rank);
      return ranks.every((rank, i) => i === 0 || ranks[i - 1]! < rank) || null;
    });
    await bulk.getByRole('button', { name: 'Cancel' }).click();
    await at.shows(third, 'cancelled');
    const told = toast(`cancelled #${second}, #${third}, #${fourth}`);
    await told.getByRole('button', { name: 'Put back' }).waitFor();
    await page.keyboard.press('u');
    for (const id of [second, third, fourth]) {
      await until(`#${id} is back`, async () => ((await host.job(id)).status === 'cancelled' ? null : true));
    }
    await host.stint('cancel', ...ids.map(String));
    for (const id of ids) await host.reaches(id, 'cancelled');
  });
});

describe('an array', () => {
  it('is one row that opens, and is acted on as a whole', async () => {
    const { host, page } = at;
    const array = Number(
      await host.stint('submit', '--array', '0-4%1', '--gpus', '0', '--name', 'folds', '--', 'sleep', '600'),
    );
    const row = page.locator(`[data-array="${array}"]`);
    await row.getByText('1 running · 4 waiting · 0 of 5 over').waitFor();
    expect(await at.row(array).count()).toBe(0);
    await row.focus();
    await page.keyboard.press('ArrowRight');
    await at.row(array + 4).waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/array.png` });
    await page.keyboard.press('h');
    await row.getByText('1 running').waitFor();
    await until('those that wait are held', async () => {
      const { status } = await host.job(array + 4);
      return status === 'held' || null;
    });
    await toast('held back 4 jobs of the array').getByRole('button', { name: 'Undo' }).waitFor();
    await page.keyboard.press('u');
    await until('they are queued again', async () => {
      const { status } = await host.job(array + 4);
      return status === 'queued' || null;
    });
    await row.focus();
    await page.keyboard.press('c');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 5 jobs' }).click();
    await row.getByText('5 of 5 over').waitFor();
  });
});

describe('who has never read the manual', () => {
  it('does what matters with a few gestures of the mouse, each in sight when it is needed', async () => {
    const { host, page } = at;
    const counts: Record<string, number> = {};
    let doing = '';
    const counted = async (gesture: Promise<unknown>): Promise<void> => {
      counts[doing] = (counts[doing] ?? 0) + 1;
      await gesture;
    };
    const button = (name: string | RegExp) => page.getByRole('button', { name });
    const tab = (name: string) => page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name });

    doing = 'submit a sweep';
    await counted(button('Submit').first().click());
    const dialog = page.getByRole('dialog', { name: 'Submit a job' });
    const command = 'sh -c \'trap "exit 0" TERM; while :; do sleep 0.05; done\' {lr}';
    await counted(dialog.getByLabel('Command').fill(command));
    await counted(dialog.getByRole('button', { name: /Many jobs of one/ }).click());
    await counted(dialog.getByRole('textbox', { name: 'Parameters' }).fill('lr=1e-3,3e-4,1e-4'));
    await counted(dialog.getByRole('button', { name: /If it fails or has to stop/ }).click());
    await counted(dialog.getByRole('checkbox', { name: 'Restartable' }).check());
    await counted(dialog.getByRole('button', { name: 'Submit 3 jobs' }).click());
    const said = await toast('submitted 3 jobs as the array #').textContent();
    const array = Number(/#(\d+)/.exec(said ?? '')?.[1]);
    const ids = [array, array + 1, array + 2] as const;
    await host.reaches(ids[0], 'running');

    doing = 'see why one waits';
    await counted(page.locator(`[data-array="${array}"]`).getByRole('button').first().click());
    const reason = await until(
      'the scheduler has looked',
      async () => (await host.job(ids[2])).waitingReason,
    );
    // What it says of times may have gone on.
    await at.row(ids[2]).getByText(reason.slice(0, 16)).waitFor();

    doing = 'move another to the front';
    await counted(button(`More for #${ids[2]}`).click());
    await counted(button(/^First in the queue/).click());
    await until('it is before the other', async () => {
      const [second, third] = await Promise.all([host.job(ids[1]), host.job(ids[2])]);
      return third.rank < second.rank || null;
    });

    doing = 'pause one and have its memory back';
    await counted(button(`More for #${ids[0]}`).click());
    await counted(button(/^Pause and free its GPU memory/).click());
    await at.shows(ids[0], 'held');
    await host.reaches(ids[2], 'running');
    for (const id of ids) await host.stint('cancel', String(id));

    doing = 'find a failed run and its cause';
    const failed = await host.submit({
      name: 'yesterday',
      command: ['sh', '-c', 'echo "RuntimeError: CUDA out of memory."; exit 1'],
    });
    await host.reaches(failed, 'failed');
    await counted(tab('History').click());
    await counted(button('Failed since yesterday').click());
    await page.locator(`[data-found="${failed}"]`).getByText('out of GPU memory').waitFor();

    doing = 'switch the scheduler to advise';
    await counted(tab('Scheduler').click());
    await counted(
      page.getByRole('region', { name: 'Who acts' }).getByText('Advise', { exact: true }).click(),
    );
    await page.getByText('it waits for your word first').waitFor();
    expect((JSON.parse(await host.stint('policy', '--json')) as { mode: string }).mode).toBe('advise');
    expect(counts).toEqual({
      'submit a sweep': 7,
      'see why one waits': 1,
      'move another to the front': 2,
      'pause one and have its memory back': 2,
      'find a failed run and its cause': 2,
      'switch the scheduler to advise': 2,
    });
  });
});
