/** Programs that run what their first argument names. */
const INTERPRETERS =
  /^(python[0-9.]*|node|bash|sh|zsh|perl|ruby|julia|Rscript|torchrun|accelerate|deepspeed)$/;
/** `accelerate launch train.py` */
const LAUNCHERS: ReadonlySet<string> = new Set(['launch', 'run']);

const baseOf = (path: string): string => path.split('/').at(-1) ?? path;

/**
 * What a command runs, whatever its arguments: the program, and for an interpreter the script or module that it is
 * given, such as `python train.py` for `/usr/bin/python -u exp/train.py --lr 0.1`. Directories do not count.
 */
export function scriptOf(command: readonly string[]): string {
  const program = baseOf(command[0] ?? '');
  if (!INTERPRETERS.test(program)) return program;
  for (let i = 1; i < command.length; i++) {
    const argument = command[i]!;
    if (argument === '-m' || argument === '-c')
      return `${program} ${argument} ${command[i + 1] ?? ''}`.trim();
    if (argument.startsWith('-') || LAUNCHERS.has(argument)) continue;
    return `${program} ${baseOf(argument)}`;
  }
  return program;
}
