/** Variables written one a line, or the first line that is not `NAME=value`. */
export type EnvLines = { readonly env: Readonly<Record<string, string>> } | { readonly problem: string };

/** Reads `NAME=value` lines; blank lines and lines that start with # are passed over. A later line wins. */
export function parseEnvLines(text: string): EnvLines {
  const env: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const at = line.indexOf('=');
    const name = at < 0 ? '' : line.slice(0, at).trim();
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return { problem: `line ${index + 1}: write NAME=value, with letters, digits and _ in the name` };
    }
    env[name] = line.slice(at + 1);
  }
  return { env };
}
