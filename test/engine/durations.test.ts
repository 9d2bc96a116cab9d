import { expect, it } from 'vitest';
import { eventually, removeHome, startEngine, temporaryHome } from './support/testEngine.ts';

const SLEEP = ['sleep', '0.4'];

it('predicts a command from its earlier runs, across a restart, and says how it knows', async () => {
  const home = temporaryHome();
  let stint = await startEngine({ home });
  try {
    const first = await stint.submit(SLEEP);
    expect(first.remaining).toBeNull();
    const guessed = await stint.submit(['true', 'x'], { hold: true, estimateS: 3600 });
    expect(guessed.remaining).toMatchObject({ source: 'estimate' });
    expect(guessed.remaining?.p50S).toBeCloseTo(3600, 3);
    await stint.untilOver(first.id);
    for (let i = 0; i < 2; i++) await stint.untilOver((await stint.submit(SLEEP)).id);
    // What failed says nothing of how long it takes.
    await stint.untilOver((await stint.submit(['sh', '-c', 'exit 1'])).id);
    await stint.engine.stop();

    stint = await startEngine({ home });
    const again = await stint.submit(SLEEP, { hold: true });
    expect(again.remaining?.source).toBe('command');
    expect(again.remaining!.p10S).toBeLessThan(again.remaining!.p50S);
    expect(again.remaining!.p50S).toBeGreaterThan(0.2);
    expect((await stint.client.scheduler.status()).durations).toEqual({
      runs: 2,
      within: expect.any(Number),
    });
    expect((await stint.client.jobs.get({ id: first.id })).remaining).toBeNull();
  } finally {
    await stint.engine.stop();
    removeHome(home);
  }
});

it('goes by what a job says of its progress', async () => {
  const home = temporaryHome();
  const stint = await startEngine({ home });
  try {
    const { id } = await stint.submit(['sh', '-c', 'sleep 0.3; echo step 50/100; exec sleep 60']);
    const view = await eventually(
      () => stint.client.jobs.get({ id }),
      ({ remaining }) => remaining?.source === 'progress',
      'a prediction from its progress',
    );
    expect(view.remaining!.p10S).toBeGreaterThan(0);
    expect(view.remaining!.p90S).toBeLessThan(600);
    await stint.client.jobs.cancel({ id });
    await stint.untilOver(id);
  } finally {
    await stint.engine.stop();
    removeHome(home);
  }
});
