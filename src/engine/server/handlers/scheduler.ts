import type { Decision } from '../../../domain/decision.ts';
import { scoreCalibrationOf } from '../../../domain/scoreCalibration.ts';
import type { EngineParts } from '../../parts.ts';
import type { Implementer } from './base.ts';

export function schedulerHandlers(os: Implementer, parts: EngineParts) {
  const { brain, stores, hub } = parts;
  const { dispatcher, drain, giveWay, adviser, people } = parts.scheduling;
  const told = (act: () => void) => {
    act();
    dispatcher.request();
    const scheduler = parts.scheduler();
    hub.publish({ type: 'scheduler', scheduler });
    return scheduler;
  };
  return os.scheduler.router({
    status: os.scheduler.status.handler(() => parts.scheduler()),
    setPolicy: os.scheduler.setPolicy.handler(({ input }) =>
      told(() => {
        brain.setPolicy(input.policy);
        stores.settings.set('policy', input.policy);
      }),
    ),
    drain: os.scheduler.drain.handler(({ input }) => told(() => drain.set(input.on))),
    setGiveWay: os.scheduler.setGiveWay.handler(({ input }) => told(() => giveWay.set(definite(input)))),
    setMode: os.scheduler.setMode.handler(({ input }) =>
      told(() => {
        adviser.set(definite(input));
        brain.explore(adviser.mode === 'auto');
      }),
    ),
    accept: os.scheduler.accept.handler(({ input }) => told(() => people.accept(input.id))),
    overrule: os.scheduler.overrule.handler(({ input }) => told(() => people.overrule(input.id))),
    setGoals: os.scheduler.setGoals.handler(({ input }) => told(() => parts.goals.set(definite(input)))),
    learningCurve: os.scheduler.learningCurve.handler(() => stores.learningCurve.list()),
    setLearning: os.scheduler.setLearning.handler(({ input }) =>
      told(() => parts.learning.set(definite(input))),
    ),
    versions: os.scheduler.versions.handler(() => brain.promotion.versions()),
    promote: os.scheduler.promote.handler(({ input }) => told(() => brain.promotion.promote(input.version))),
    rollBack: os.scheduler.rollBack.handler(() => told(() => brain.promotion.rollBack())),
    freeze: os.scheduler.freeze.handler(({ input }) => told(() => brain.promotion.freeze(input.on))),
    judge: os.scheduler.judge.handler(({ input }) => told(() => brain.promotion.judge(input.version))),
    exportVersion: os.scheduler.exportVersion.handler(({ input }) =>
      brain.promotion.exportVersion(input.version),
    ),
    importVersion: os.scheduler.importVersion.handler(({ input }) => brain.promotion.importVersion(input)),
    calibration: os.scheduler.calibration.handler(() => scoreCalibrationOf(stores.transitions.scored('dqn'))),
    interference: os.scheduler.interference.handler(() => parts.interference.pairs()),
    decisions: os.scheduler.decisions.handler(({ input }) =>
      stores.decisions.list(input.limit, input.jobId, input.beforeId),
    ),
    explain: os.scheduler.explain.handler(({ input }) => explain(input.id, parts)),
    expectedStarts: os.scheduler.expectedStarts.handler(({ input }) =>
      parts.scheduling.forecaster.expected(input.waitMs),
    ),
    episodes: os.scheduler.episodes.handler(({ input }) => {
      const current = parts.episodes.current;
      return stores.episodes
        .list(input.limit)
        .map((episode) => (episode.id === current?.id ? current : episode));
    }),
  });
}

/** So many of the latest decisions are looked through for a job that waits. */
const LOOKED_THROUGH = 200;

function explain(jobId: number, { ledger, stores, scheduling }: EngineParts) {
  const job = ledger.get(jobId);
  const waitingReason = scheduling.reasons.of(job);
  const concerns = ({ candidates }: Decision): boolean =>
    candidates.some(({ action }) => action.kind === 'launch' && action.jobId === jobId);
  const [done] = stores.decisions.list(1, jobId);
  const passed = job.status === 'queued' ? stores.decisions.list(LOOKED_THROUGH).find(concerns) : undefined;
  const decision = passed !== undefined && passed.id > (done?.id ?? 0) ? passed : (done ?? null);
  return { waitingReason, decision };
}

/** Without what was left out. */
function definite<T extends object>(input: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
