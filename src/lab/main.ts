/** The lab's only door: what the command line may use of the simulator. */
export { compareDeeprm, type DeeprmRow } from '../simulator/deeprm/compare.ts';
export type { PlainRow } from '../simulator/plain/plainRow.ts';
export { readDeeprmWeights, readSequences } from './deeprm.ts';
export { type Evaluation, evaluate } from './evaluate/evaluate.ts';
export type { PolicySummary } from './evaluate/summary.ts';
export { ranked, SUMMARY_TITLES, summaryCells } from './evaluate/summaryTable.ts';
export { traceOfHistory, traceText, writeWhole } from './exportHistory.ts';
export { gpusOf, type PresetRow, presetRows, writeWorkload } from './generate.ts';
export { DEFAULT_CONTESTANTS } from './policies.ts';
export { type Replay, replay } from './replay/replay.ts';
export { replayReport } from './replay/replayReport.ts';
export { bestOf, REPLAY_TITLES, replayCells, replayRows, signed } from './replay/replayTable.ts';
export { simulate } from './simulate.ts';
export { simulateMachine } from './simulateMachine.ts';
export type { SimulationRow } from './simulationRow.ts';
export { train } from './train/train.ts';
export type { TrainEvent } from './train/training.ts';
