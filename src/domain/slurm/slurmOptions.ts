import { FieldError } from '../errors.ts';

/** One option of sbatch as it was given. `value`: null where it takes none, or was given none. */
export interface SlurmOption {
  readonly name: string;
  readonly value: string | null;
  /** For errors and remarks, such as `job.sh, line 3`; empty: the command line. */
  readonly where: string;
}

/** The options of sbatch (Slurm 24.11) by whether they take a value: `?` marks those that may. */
const LONG = `account= array= batch= bb= bbf= begin= chdir= cluster-constraint= clusters= comment= constraint= container=
container-id= contiguous core-spec= cores-per-socket= cpu-freq= cpus-per-gpu= cpus-per-task= deadline= delay-boot=
dependency= distribution= error= exclude= exclusive? export= export-file= extra= extra-node-info= get-user-env? gid=
gpu-bind= gpu-freq= gpus= gpus-per-node= gpus-per-socket= gpus-per-task= gres= gres-flags= help hint= hold ignore-pbs
input= job-name= kill-on-invalid-dep= licenses= mail-type= mail-user= mcs-label= mem= mem-bind= mem-per-cpu=
mem-per-gpu= mincpus= network= nice? no-kill? no-requeue nodefile= nodelist= nodes= ntasks= ntasks-per-core=
ntasks-per-gpu= ntasks-per-node= ntasks-per-socket= open-mode= output= overcommit oversubscribe parsable? partition=
power= prefer= priority= profile= propagate? qos= quiet reboot requeue reservation= resv-ports? segment= signal=
sockets-per-node= spread-job stepmgr switches= test-only thread-spec= threads-per-core= time= time-min= tmp= tres-bind=
tres-per-task= uid= usage use-min-nodes verbose version wait wait-all-nodes= wckey= wrap=`;
const ARGUMENT = new Map(
  LONG.split(/\s+/).map((word) => {
    const mark = word.at(-1);
    return mark === '=' || mark === '?' ? [word.slice(0, -1), mark] : [word, ''];
  }),
);
const SHORT: Readonly<Record<string, string>> = {
  A: 'account',
  a: 'array',
  b: 'begin',
  B: 'extra-node-info',
  C: 'constraint',
  c: 'cpus-per-task',
  D: 'chdir',
  d: 'dependency',
  e: 'error',
  F: 'nodefile',
  G: 'gpus',
  H: 'hold',
  h: 'help',
  i: 'input',
  J: 'job-name',
  k: 'no-kill',
  L: 'licenses',
  M: 'clusters',
  m: 'distribution',
  N: 'nodes',
  n: 'ntasks',
  O: 'overcommit',
  o: 'output',
  p: 'partition',
  Q: 'quiet',
  q: 'qos',
  S: 'core-spec',
  s: 'oversubscribe',
  t: 'time',
  V: 'version',
  v: 'verbose',
  W: 'wait',
  w: 'nodelist',
  x: 'exclude',
};

/**
 * Reads options as sbatch does, up to the first word that is none.
 * @returns them in order, and the words from there on.
 * @throws {FieldError} for an option that sbatch does not have, or without its value.
 */
export function readSlurmOptions(
  words: readonly string[],
  where: string,
): { readonly options: SlurmOption[]; readonly rest: readonly string[] } {
  const options: SlurmOption[] = [];
  let at = 0;
  while (at < words.length && /^-./.test(words[at]!)) {
    const word = words[at++]!;
    if (word === '--') break;
    const long = /^--([\w-]+)(?:=(.*))?$/s.exec(word);
    const name = long === null ? SHORT[word[1]!] : long[1]!;
    const argument = name === undefined ? undefined : ARGUMENT.get(name);
    if (name === undefined || argument === undefined) {
      throw new FieldError(placed(word.split('=')[0]!, where), word, 'sbatch has no such option');
    }
    let value = long === null ? word.slice(2).replace(/^=/, '') || undefined : long[2];
    if (argument === '=' && value === undefined) value = words[at++];
    if (argument === '=' && (value === undefined || value === '')) {
      throw new FieldError(placed(`--${name}`, where), undefined, 'give it a value');
    }
    options.push({ name, value: value ?? null, where });
  }
  return { options, rest: words.slice(at) };
}

/** An option with its place, for a person. */
export const placed = (option: string, where: string): string =>
  where === '' ? option : `${option} (${where})`;
