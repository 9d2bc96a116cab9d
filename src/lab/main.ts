/** The lab's only door: what the command line may use of the simulator. */
export { compareDeeprm, type DeeprmRow } from '../simulator/deeprm/compare.ts';
export { readSequences } from './deeprm.ts';
