import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { consolePage, shots } from './support/consolePage.ts';
import { until } from './support/headlessHost.ts';

const at = consolePage('--devices', 'virtual:2x8192', '--policy', 'fifo');
const stint = async (...args: string[]) => JSON.parse(await at.host.stint(...args, '--json'));

it('changes what the owner wants of a device, and says what it does not take as it is typed', async () => {
  const { page } = at;
  await page.keyboard.press('5');
  const hottest = page.getByLabel('Highest temperature of GPU 0');
  await hottest.fill('20');
  await page.getByText('give at least 30 °C').waitFor();
  await page.keyboard.press('Escape');
  expect(await hottest.inputValue()).not.toBe('20');
  await hottest.fill('85');
  await page.keyboard.press('Enter');
  await page.getByLabel('Others’ processes on GPU 1').selectOption('avoid');
  await page.getByLabel('While you are there, GPU 1').selectOption('pause');
  await page.getByLabel('Gives way at most').fill('2');
  await page.keyboard.press('Tab');
  const learning = page.getByLabel('Learning may take');
  await learning.fill('200');
  await page.getByText('give at most 100 percent').waitFor();
  await learning.fill('25');
  await page.keyboard.press('Enter');
  await until(
    'the budget is kept',
    async () => (await stint('policy')).learner.limits.cpuPercent === 25 || null,
  );
  const pauses = (checked: boolean) => page.getByRole('switch', { name: 'Pause other jobs', checked });
  if ((await pauses(true).count()) === 0) await pauses(false).click({ force: true });
  // Shown is what the engine answered.
  await pauses(true).waitFor({ state: 'attached' });
  await until('the rules are kept', async () => {
    const { rules } = await stint('device', '1');
    return (rules.foreign === 'avoid' && rules.presence === 'pause') || null;
  });
  await until(
    'the cap is kept',
    async () => (await stint('device', '0')).rules.maxTemperatureC === 85 || null,
  );
  await page.reload();
  await page.getByLabel('Gives way at most').waitFor();
  expect(await hottest.inputValue()).toBe('85');
  expect(await page.getByLabel('Others’ processes on GPU 1').inputValue()).toBe('avoid');
  expect(await page.getByLabel('Gives way at most').inputValue()).toBe('2');
  expect(await page.getByRole('switch', { name: 'Pause other jobs' }).isChecked()).toBe(true);
  expect((await stint('device', '1')).rules).toMatchObject({ foreign: 'avoid', presence: 'pause' });
});

it('keeps quiet hours, a reservation, a disk floor and caps of logs', async () => {
  const { page } = at;
  await at.go('settings');
  await page.getByRole('button', { name: 'Add quiet hours' }).click();
  const hours = page.getByRole('group', { name: 'Quiet hours 1' });
  await hours.getByLabel('From', { exact: true }).fill('25:00');
  await hours.getByText('give a time of day').waitFor();
  expect(await page.getByRole('button', { name: 'Save quiet hours' }).isDisabled()).toBe(true);
  await hours.getByLabel('From', { exact: true }).fill('22:30');
  await hours.getByLabel('Sat').uncheck();
  await hours.getByLabel('But from priority').fill('100');
  await page.getByRole('button', { name: 'Save quiet hours' }).click();
  await page.getByRole('button', { name: 'Save quiet hours' }).waitFor({ state: 'detached' });
  await page.getByLabel('Disk floor').fill('2');
  await page.getByText('give a positive amount with its unit').waitFor();
  await page.getByLabel('Disk floor').fill('2GiB');
  await page.keyboard.press('Enter');
  await page.getByLabel('Each log at most').fill('16MiB');
  await page.getByText('give at least 32 MiB').waitFor();
  await page.getByLabel('Each log at most').fill('64MiB');
  await page.keyboard.press('Enter');
  await page.getByLabel('All logs together at most').fill('3GiB');
  await page.keyboard.press('Enter');
  await until('all of it is kept', async () => {
    const { diskFloorMib, quietHours, logCapMib, logTotalMib } = await stint('settings');
    const [first] = quietHours;
    const kept = diskFloorMib === 2048 && logCapMib === 64 && logTotalMib === 3072;
    return (kept && first?.from === '22:30' && first.exceptPriority === 100) || null;
  });

  await page.getByRole('button', { name: 'Reserve', exact: true }).click();
  await page.getByText('give a moment to come').waitFor();
  const form = page.getByRole('region', { name: 'Reservations' });
  await form.getByLabel('To').fill('+2h');
  await form.getByLabel('For').fill('mei');
  await page.getByRole('button', { name: 'Reserve', exact: true }).click();
  await page.getByText('GPU 0 for mei').waitFor();
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await violationsIn(page), scheme).toEqual([]);
    await page.screenshot({ path: `${shots}/settings ${scheme}.png` });
  }
  await page.getByRole('button', { name: /^Remove reservation/ }).click();
  await page.getByText('GPU 0 for mei').waitFor({ state: 'detached' });
  expect(await stint('reservations')).toEqual([]);
});

it('finds a setting, makes a token that works until it is revoked, and keeps how dense the queue is', async () => {
  const { host, page } = at;
  const name = `notebook-${Date.now()}`;
  await host.submit({ name: 'small', command: ['true'] });
  await at.go('settings');
  // What is typed before the field has the focus is for the console's keys.
  const field = page.getByLabel('Find a setting');
  await field.waitFor();
  await page.keyboard.press('/');
  await field.and(page.locator(':focus')).waitFor();
  await page.keyboard.type('density');
  await page.getByRole('radiogroup', { name: 'Density' }).getByText('Compact').click();
  expect(await page.locator('[data-setting]').count()).toBe(1);
  await page.keyboard.press('/');
  await field.fill('no such thing');
  await page.getByText('No setting is called that.').waitFor();
  await page.getByRole('button', { name: 'Show all settings' }).click();

  await page.getByLabel('Name of a new token').fill('a b');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByText('give 1 to 64 letters').waitFor();
  await page.getByLabel('Name of a new token').fill(name);
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.getByRole('status').locator('code').textContent();
  const ask = () =>
    fetch(`http://127.0.0.1:${host.port}/api/system/info`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
  expect((await ask()).status).toBe(200);
  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('button', { name: `Revoke ${name}` }).waitFor({ state: 'detached' });
  expect((await ask()).status).toBe(401);

  await at.go('queue');
  const rowHeight = async () => (await page.locator('[data-job]').first().boundingBox())?.height;
  expect(await rowHeight()).toBe(40);
  await page.reload();
  await page.locator('[data-job]').first().waitFor();
  expect(await rowHeight()).toBe(40);
});

it('says whom to tell, what agents may do and what is secret, and looks at what works', async () => {
  const { page } = at;
  const team = `team-${Date.now()}`;
  await at.go('settings');
  const form = page.getByRole('form', { name: 'A new message' });
  await form.getByLabel('Name of who is told').fill('a b');
  await form.getByText('give 1 to 64 letters').waitFor();
  await form.getByLabel('Name of who is told').fill(team);
  await form.getByLabel('By').selectOption('webhook');
  await form.getByLabel('Address').fill('ftp://x');
  await form.getByText('give an address that begins with https://').waitFor();
  // Nobody listens there.
  await form.getByLabel('Address').fill('http://127.0.0.1:1/hook');
  await form.getByLabel('Only if it ran for').fill('soon');
  await form.getByRole('button', { name: 'Add it' }).click();
  await form.getByLabel('Only if it ran for').and(page.locator('[aria-invalid="true"]')).waitFor();
  await form.getByLabel('Only if it ran for').fill('1h');
  await form.getByLabel('a job is over, however it ended').check();
  await form.getByRole('button', { name: 'Add it' }).click();
  await page.getByText('It signs its requests with this').waitFor();
  const rules = (await stint('notify', 'ls')) as { name: string }[];
  expect(rules.find(({ name }) => name === team)).toMatchObject({
    kind: 'webhook',
    on: ['failed', 'finished'],
    overS: 3600,
  });
  await page.getByRole('button', { name: `Send ${team} a test` }).click();
  await page.getByText(`${team} was not reached`).waitFor();
  await page.getByLabel('Agents may').selectOption('act');
  const names = page.getByLabel('Also secret');
  await names.fill('9x');
  await page.getByText('give names, such as MY_LICENCE').waitFor();
  await names.fill('LDAP_*, MY_PIN');
  await page.keyboard.press('Enter');
  await until('both are kept', async () => {
    const { agents, secretNames } = await stint('settings');
    return (agents === 'act' && secretNames.join() === 'LDAP_*,MY_PIN') || null;
  });
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByText(/^\d+ of \d+ as they should be$/).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${shots}/settings told.png`, fullPage: true });
  await page.getByRole('button', { name: `Remove ${team}` }).click();
  await page.getByRole('button', { name: `Remove ${team}` }).waitFor({ state: 'detached' });
});

it('adds another queue, tries it, says what is wrong with it, and forgets it', async () => {
  const { host, page } = at;
  const name = `cluster-${Date.now()}`;
  const bin = mkdtempSync(join(tmpdir(), 'stint-slurm-'));
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
  mkdirSync(join(bin, 'jobs'));
  for (const command of ['sbatch', 'squeue', 'scontrol', 'scancel', 'sacct'])
    copyFileSync(join(import.meta.dirname, '..', 'stand-ins', 'slurm', 'slurm.sh'), join(bin, command));
  await at.go('settings');
  const form = page.getByRole('form', { name: 'A new queue' });
  await form.getByLabel('What you call it').fill('Cluster 1');
  await form.getByText('use small letters, digits').waitFor();
  await form.getByLabel('What you call it').fill(name);
  await form.getByRole('button', { name: 'More fields' }).click();
  await form.getByLabel('Options of sbatch for every job').fill('--mem=8G --array=1');
  await form.getByText('Stint gives that option itself').waitFor();
  await form.getByLabel('Options of sbatch for every job').fill('--mem=8G --constraint="a b"');
  await form.getByLabel('Where sbatch and the others are').fill(join(bin, 'nowhere'));
  await form.getByLabel('The policy orders with nice up to').fill('100');
  await form.getByRole('button', { name: 'Add a Slurm' }).click();
  await page.getByText(`${name} is there: try it`).waitFor();
  expect(await stint('executor', 'show', name)).toMatchObject({
    options: ['--mem=8G', '--constraint=a b'],
    niceSpread: 100,
    gres: 'gpu',
  });
  const tried = page.getByRole('list', { name: `What was tried of ${name}` });
  await page.getByRole('button', { name: `Test ${name}` }).click();
  await tried
    .getByText(/^fails: /)
    .first()
    .waitFor();
  await page.getByRole('button', { name: `Remove ${name}` }).click();
  await page.getByRole('button', { name: `Remove ${name}` }).waitFor({ state: 'detached' });
  await form.getByLabel('What you call it').fill(name);
  await form.getByLabel('Where sbatch and the others are').fill(bin);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Test ${name}` }).click();
  await tried
    .getByText(/^works: /)
    .first()
    .waitFor();
  await page.getByRole('button', { name: `Order of ${name}` }).click();
  await page.getByText(`No job is pending in ${name}.`).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${shots}/settings other queue.png`, fullPage: true });
  await page.getByRole('button', { name: `Remove ${name}` }).click();
  await page.getByRole('button', { name: `Remove ${name}` }).waitFor({ state: 'detached' });
  expect(await host.stint('executor', 'ls', '--json')).not.toContain(name);
});
