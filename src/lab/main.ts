/** The lab's only door: what the command line may use of the simulator. */
export { compareDeeprm, type DeeprmRow } from '../simulator/deeprm/compare.ts';
export type { PlainRow } from '../simulator/plain/plainRow.ts';
export { readSequences } from './deeprm.ts';
export { simulate } from './simulate.ts';
