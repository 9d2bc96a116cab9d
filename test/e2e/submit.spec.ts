import { expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';

const at = consolePage('--devices', 'virtual:2x8192', '--policy', 'fifo');

it('keeps form and command in step, shows a sweep before it is submitted, and submits it', async () => {
  const { host, page } = at;
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Submit a job' });
  const line = dialog.getByLabel('The same in a shell');
  await line.fill(
    'stint submit --gpus 0 --cwd / --name "lr {lr}" --sweep lr=1e-3,3e-4 --sweep seed=0..4 -- echo {lr} {seed}',
  );
  expect(await dialog.getByLabel('Name').inputValue()).toBe('lr {lr}');
  expect(await dialog.getByLabel('Command').inputValue()).toBe("echo '{lr}' '{seed}'");
  const preview = dialog.getByRole('region', { name: 'What would be queued' });
  await preview.getByText('10 jobs').waitFor();
  await preview.getByText('echo 3e-4 4').waitFor();
  await dialog.getByRole('button', { name: /Many jobs of one 1 set/ }).click();
  await dialog.getByLabel('Parameters').fill('lr=1e-3,3e-4\nseed=0..x');
  await dialog.getByLabel('At once').fill('1');
  await preview.getByText('echo 3e-4 0..x').waitFor();
  await dialog.getByLabel('Parameters').fill('lr=1e-3,3e-4\nseed=0..1');
  expect(await line.inputValue()).toContain('--sweep seed=0..1 --at-most 1 -- ');
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${shots}/submit sweep.png` });
  await dialog.getByRole('button', { name: 'Submit 4 jobs' }).click();
  await page.getByRole('alert').filter({ hasText: 'submitted 4 jobs as the array #1' }).waitFor();
  const last = await host.reaches(4, 'succeeded');
  expect([last.name, last.command, last.array?.atMost]).toEqual(['lr 3e-4', ['echo', '3e-4', '1'], 1]);
});

it('says what cannot be read where it stands, also in a section that was folded away', async () => {
  const { page } = at;
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Submit a job' });
  await dialog.getByLabel('The same in a shell').fill('stint submit --gpu 2 -- true');
  await dialog.getByText('--gpu is no option of stint submit').waitFor();
  await dialog.getByLabel('The same in a shell').fill('stint submit --begin never -- true');
  await dialog.getByRole('button', { name: 'Submit', exact: true }).click();
  await dialog.getByText('give a moment to come').waitFor();
  expect(await dialog.getByLabel('Not before').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Not before').fill('+2h');
  await dialog.getByText(/not before \w+/).waitFor();
  // What only the engine knows.
  await dialog.getByLabel('After success of').fill('999');
  await dialog.getByRole('button', { name: 'Submit', exact: true }).click();
  await dialog.getByText(/999/).last().waitFor();
  expect(await dialog.getByLabel('After success of').getAttribute('aria-invalid')).toBe('true');
});

it('takes a script that is dropped on the window, and says what would keep it from running', async () => {
  const { host, page } = at;
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    const head = '#!/bin/sh\n#SBATCH --job-name=tune --mem=32G\n#STINT --vram 1GiB\n';
    dataTransfer.items.add(new File([`${head}true\n`], 'gone.sh'));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      window.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  });
  const dialog = page.getByRole('dialog', { name: 'Submit a job' });
  await dialog.getByText('--mem=32G').waitFor();
  expect(await dialog.getByLabel('Name').inputValue()).toBe('tune');
  expect(await dialog.getByLabel('Command').inputValue()).toBe('/bin/sh gone.sh');
  const found = dialog.getByRole('list', { name: 'What would keep it from running' });
  await found.getByText('the script gone.sh is not there').waitFor();
  await dialog.getByRole('button', { name: 'Submit all the same' }).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${shots}/submit script.png` });
  await dialog.getByLabel('Command').fill('nowhere-at-all 1');
  // Nobody has read it yet: it is not queued.
  await page.keyboard.press('Control+Enter');
  await found.getByText('there is no program nowhere-at-all').waitFor();
  await dialog.getByLabel('Command').fill('true');
  await found.waitFor({ state: 'hidden' });
  await page.keyboard.press('Control+Enter');
  await dialog.waitFor({ state: 'hidden' });
  const [last] = JSON.parse(await host.stint('ls', '--json', '--search', 'tune')) as JobView[];
  expect([last?.name, last?.vramMib]).toEqual(['tune', 1024]);
});

it('keeps a submission as a template, fills the form from it, and puts back what was removed', async () => {
  const { host, page } = at;
  const name = `seeds-${Date.now()}`;
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Submit a job' });
  await dialog
    .getByLabel('The same in a shell')
    .fill('stint submit --gpus 0 --cwd / --retries 2 --sweep seed=0..1 -- echo {seed}');
  await dialog.getByRole('button', { name: 'Keep as a template …' }).click();
  await dialog.getByRole('textbox', { name: 'Keep as a template …' }).fill(`${name} first`);
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Rename the template' }).click();
  await dialog.getByRole('textbox', { name: 'New name' }).fill(name);
  await page.keyboard.press('Enter');
  const choice = dialog.getByRole('combobox', { name: 'Template' });
  await expect.poll(() => choice.inputValue()).toBe(name);
  expect(JSON.parse(await host.stint('template', 'show', name, '--json'))).toMatchObject({
    spec: { command: ['echo', '{seed}'], retries: 2 },
    sweep: { axes: ['seed=0..1'] },
  });
  expect(await violationsIn(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Remove the template' }).click();
  await page.getByRole('alert').getByRole('button', { name: 'Put back' }).click();
  await expect.poll(() => host.stint('template', 'ls', '--json')).toContain(`"${name}"`);
  await dialog.getByLabel('The same in a shell').fill('stint submit -- true');
  await choice.click();
  await page.getByRole('option', { name }).click();
  expect(await dialog.getByLabel('Command').inputValue()).toBe("echo '{seed}'");
  await dialog.getByText('2 jobs').first().waitFor();
  // What the command line changes holds for this once.
  const line = await host.stint('template', 'use', name, '--name', 'n {seed}', '--at-most', '1', '--', 'b');
  const last = await host.reaches(Number(line) + 1, 'succeeded');
  expect([last.command, last.name, last.retries, last.array?.atMost]).toEqual([
    ['echo', '1', 'b'],
    'n 1',
    2,
    1,
  ]);
});

it('runs a job again with changes', async () => {
  const { host, page } = at;
  const id = await host.submit({ name: 'first', command: ['echo', 'a b'], retries: 2, env: { LR: '1' } });
  await host.reaches(id, 'succeeded');
  await at.go(`job/${id}`);
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('button', { name: 'Run again with changes' }).click();
  const dialog = page.getByRole('dialog', { name: 'Submit a job' });
  expect(await dialog.getByLabel('Command').inputValue()).toBe("echo 'a b'");
  expect(await dialog.getByLabel('Retries').inputValue()).toBe('2');
  await dialog.getByLabel('Name').fill('second');
  await page.keyboard.press('Control+Enter');
  await dialog.waitFor({ state: 'hidden' });
  const again = await host.reaches(id + 1, 'succeeded');
  expect([again.name, again.command, again.env, again.retries]).toEqual([
    'second',
    ['echo', 'a b'],
    { LR: '1' },
    2,
  ]);
});
