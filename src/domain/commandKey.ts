/**
 * Options whose values change neither a job's memory nor its speed: where it draws its random numbers from, how fast it
 * learns, what its run is called.
 */
const INDIFFERENT =
  /^--?(?:seed|random[-_]seed|lr|learning[-_]rate|weight[-_]decay|wd|momentum|dropout|beta[12]?|gamma|name|run[-_]name|exp[-_]name|experiment|tag|out|output|output[-_]dir|log[-_]?dir|save[-_]dir|checkpoint[-_]dir|port|master[-_]port)$/;

/**
 * What jobs of the same work have in common: the command without the values of such options, and the number of GPUs,
 * since a job's part of the work on each depends on it.
 */
export function commandKey(command: readonly string[], gpus: number): string {
  const kept: string[] = [];
  for (let i = 0; i < command.length; i++) {
    const argument = command[i]!;
    const at = argument.indexOf('=');
    const name = (at < 0 ? argument : argument.slice(0, at)).replace(/^\+*/, '');
    // Hydra and its like write `lr=3e-4` without dashes.
    const dashed = name.startsWith('-') ? name : `--${name}`;
    if (!INDIFFERENT.test(dashed) || (at < 0 && !argument.startsWith('-'))) {
      kept.push(argument);
      continue;
    }
    kept.push(`${name}=*`);
    const next = command[i + 1];
    if (at < 0 && next !== undefined && !/^-[^\d.]/.test(next)) i++;
  }
  return JSON.stringify([gpus, ...kept]);
}
