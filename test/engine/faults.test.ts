import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { buildNvmlStandIn } from '../stand-ins/nvml/buildNvmlStandIn.ts';
import { eventually, removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

const nvml = buildNvmlStandIn();
const home = temporaryHome();
afterAll(() => {
  for (const name of Object.keys(nvml.env)) delete process.env[name];
  nvml.dispose();
  removeHome(home);
});

it('what the driver reports of a GPU is told of the device, and of a job that died of it', async () => {
  Object.assign(process.env, nvml.env);
  nvml.set('count 2');
  const stint = await startEngine({ home, devices: 'nvml' });
  try {
    const go = join(home, 'go');
    const { id } = await stint.submit([
      'sh',
      '-c',
      `while [ ! -e ${go} ]; do sleep 0.05; done; echo bad; exit 1`,
    ]);
    const { devices } = await stint.until(id, 'running');
    const index = (await stint.client.devices.list()).find((device) => device.id === devices[0])!.index;
    nvml.set('count 2', `${index}.xid 79`);
    const faulty = await eventually(
      async () => (await stint.client.devices.list()).filter(({ fault }) => fault !== undefined),
      (found) => found.length > 0,
      'the fault to be told',
    );
    expect(faulty).toMatchObject([{ index, fault: { code: 79 } }]);
    writeFileSync(go, '');
    const { diagnosis } = await stint.untilOver(id);
    expect(diagnosis).toMatchObject({
      code: 'gpu-fault',
      summary: `GPU ${index} reported Xid 79: it has fallen off the bus`,
      line: { text: 'bad' },
    });
    expect(stint.complaints.join()).toContain(`the driver reports of GPU ${index}: Xid 79`);
    // One that comes after has nothing to do with it.
    const after = await stint.submit(['sh', '-c', 'exit 1']);
    expect((await stint.untilOver(after.id)).diagnosis).toMatchObject({ code: 'exit-code' });
  } finally {
    await stint.engine.stop();
  }
});
