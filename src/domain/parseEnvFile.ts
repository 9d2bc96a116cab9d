import { FieldError } from './errors.ts';

const LINE = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/;

/**
 * Reads variables as files of the name `.env` have them: a NAME=VALUE a line, with or without `export` and quotes; empty
 * lines and those that begin with # say nothing, and neither does a # after a space outside quotes. Nothing is put in place
 * of `$NAME`.
 * @throws {FieldError} naming `field` and the line, and nothing of what stands in it.
 */
export function parseEnvFile(text: string, field: string): Record<string, string> {
  const env: Record<string, string> = {};
  text.split(/\r?\n/).forEach((line, at) => {
    const plain = line.trim();
    if (plain === '' || plain.startsWith('#')) return;
    const match = LINE.exec(plain);
    const value = match === null ? null : unquoted(match[2]!);
    if (match === null || value === null || match[1] === '__proto__') {
      throw new FieldError(field, `line ${at + 1}`, 'give NAME=VALUE, with both quotes where there is one');
    }
    env[match[1]!] = value;
  });
  return env;
}

/** null: a quote is missing, or something follows it. */
function unquoted(text: string): string | null {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text.replace(/(^|[ \t])#.*$/, '').trim();
  const end = quote === "'" ? text.indexOf("'", 1) : endOfDouble(text);
  if (end < 0 || !/^[ \t]*(#.*)?$/.test(text.slice(end + 1))) return null;
  const inner = text.slice(1, end);
  if (quote === "'") return inner;
  return inner.replace(/\\([\\"$`n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
}

function endOfDouble(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}
