import { expect, it } from 'vitest';
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
