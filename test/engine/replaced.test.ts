import { expect, it } from 'vitest';
import { messageOf } from '../../src/domain/errors.ts';
import { contractError } from '../../src/engine/server/errors.ts';

it('says that Stint was updated where what is loaded late is not there any more', async () => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const gone = await import(`./${'gone'}.js`).catch((error: unknown) => error);
  expect(messageOf(gone)).toMatch(/^Stint was updated or removed .*; start the engine again/);
  expect(contractError(gone, {}, log)).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    data: { remedy: 'start the engine again; jobs run on' },
  });
});
