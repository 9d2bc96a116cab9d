/** Options of Python that take the next argument. */
const WITH_VALUE = new Set(['-W', '-X', '--check-hash-based-pycs']);

/** What Python is to run: a file, or a module by its name; null: neither (`-c`, or nothing that can be told). */
export function pythonScript(
  args: readonly string[],
): { readonly file: string } | { readonly module: string } | null {
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    if (/^-[A-Za-z]*c$/.test(argument) || argument === '-') return null;
    if (/^-[A-Za-z]*m$/.test(argument)) return args[at + 1] === undefined ? null : { module: args[at + 1]! };
    if (WITH_VALUE.has(argument)) at++;
    else if (!argument.startsWith('-')) return { file: argument };
  }
  return null;
}
