/** A piece of a text, as `slice` takes it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What stands for a secret where it is only shown. */
export const SECRET = '[secret]';
/** That, or the numbered one of a job whose secrets are kept. */
const MARK = /^\[secret(?::\d+)?\]$/;

/** Words of a name whose value is a secret. */
const SECRET_WORDS =
  /(?:^|_)(?:TOKEN|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|CREDS|COOKIE|AUTHORIZATION|AUTH|PAT|(?:API|ACCESS|AUTH|SECRET|PRIVATE|ENCRYPTION)?KEY)(?:_|\d*$)|.[_]?(?:PASSWORD|PASSWD|TOKEN|SECRET|APIKEY|_PASS|_PWD)$/;
/** Of these whatever is given is a secret; of the others no number and no switch. */
const PASSWORDS = /SECRET|PASS|PWD|CREDENTIAL|CREDS/;
const SETTING = /^(?:[+-]?[\d.]{1,12}|true|false|yes|no|on|off|none|null|auto)$/i;
/** Names as people write them are shorter. */
const LONGEST_NAME = 128;

/** `wandb.apiKey`, `--api-key` and `API_KEY` alike. */
const normalised = (name: string): string =>
  name
    .slice(-LONGEST_NAME)
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();

/** Names that the owner calls secret as well; null: none. */
export type OwnNames = RegExp | null;

/** Reads them: exact, or with `*` at an end for any characters; upper and lower case alike. */
export function ownNames(names: readonly string[]): OwnNames {
  if (names.length === 0) return null;
  const patterns = names.map((name) => name.replace(/[.*-]/g, (sign) => (sign === '*' ? '.*' : `\\${sign}`)));
  return new RegExp(`^-{0,2}(?:${patterns.join('|')})$`, 'i');
}

/** Exceptions are called so, and `key: layer1.weight` is what a program misses. */
const NO_SECRET_WORDS = /_(?:ERROR|EXCEPTION|WARNING)$/;

/** Cheap, and true for all that may be meant by `SECRET_WORDS`: most names are told apart by it. */
const MAY_BE_SECRET = /tok|sec|pas|pwd|cred|cook|auth|pat|key/i;

/** Whether the value of this name is a secret: `TOKENS_PER_BATCH=512` and `USE_AUTH=true` are none. */
export function isSecretValue(name: string, value: string, own: OwnNames = null): boolean {
  if (value === '' || MARK.test(value)) return false;
  if (own?.test(name)) return true;
  const plain = secretName(name);
  return plain !== null && (PASSWORDS.test(plain) || !SETTING.test(value));
}

/** The name in capitals, if what is called so is a secret; else null. */
function secretName(name: string): string | null {
  if (!MAY_BE_SECRET.test(name)) return null;
  const plain = normalised(name);
  return SECRET_WORDS.test(plain) && !NO_SECRET_WORDS.test(plain) ? plain : null;
}

/**
 * Values that are secrets by their shape, whatever they are called. Each begins at the beginning of a word and takes it
 * whole, so that a text is gone through once, however it was made.
 */
const SHAPES =
  /(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|hf_[A-Za-z0-9]{16,}|glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{30,}|stint_[A-Za-z0-9_-]{40,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,})/g;
/** `sk-learn-and-the-like` is none: a key has a digit. */
const HAS_DIGIT = /\d/;
const JSON_WEB_TOKEN = /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g;
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g;
const END_OF_KEY = /-----END [A-Z ]{0,40}PRIVATE KEY-----/g;
/** `https://user:password@host`; a `?` or `/` ends what may be a user. */
const URL_USER = /:\/\/([^\s/?#"'<>\\]{1,1024})/g;
/** May as well be a commit: a secret only where `wandb` is named before it. */
const HEX_40 = /(?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])/g;
const WANDB_WITHIN = 80;
/** A name, and what separates it from its value. A space does only after a dash: `--token X`. */
const NAMED = /(?<![\w.-])(-{0,2})([A-Za-z_][\w.-]{0,127})(?:["']?[ \t]{0,3}[=:][ \t]{0,3}|[ \t]{1,3})/g;
/** Before the secret itself: `Authorization: Bearer X`. */
const SCHEME = /(?:Bearer|Basic|Token|Digest)[ \t]{1,3}/iy;
const BEARER = /(?<![A-Za-z0-9])(?:Bearer)[ \t]{1,3}([A-Za-z0-9._~+/=-]{8,})/gi;
const WORD_END = /[\s"'`,;&|<>()[\]{}]/g;

/** The secrets in a text, in order and apart. Takes time in proportion to its length. */
export function secretSpans(text: string, own: OwnNames = null): Span[] {
  const found = secretShapes(text);
  namedWithin(text, own, found);
  return merged(found);
}

/** Those of them that are recognised without a name. */
export function secretShapes(text: string): Span[] {
  const found: Span[] = [];
  for (const match of text.matchAll(SHAPES)) {
    if (HAS_DIGIT.test(match[0])) found.push(spanOf(match.index, match[0]));
  }
  for (const match of text.matchAll(JSON_WEB_TOKEN)) found.push(spanOf(match.index, match[0]));
  for (const match of text.matchAll(BEARER)) {
    found.push(spanOf(match.index + match[0].length - match[1]!.length, match[1]!));
  }
  for (const { index, 0: digits } of text.matchAll(HEX_40)) {
    const before = text.slice(Math.max(0, index - WANDB_WITHIN), index);
    if (/wandb/i.test(before)) found.push(spanOf(index, digits));
  }
  keysWithin(text, found);
  usersWithin(text, found);
  return found;
}

const spanOf = (from: number, text: string): Span => ({ from, to: from + text.length });

/** A key is secret to its end, or, where that is missing, to the end of the text. */
function keysWithin(text: string, found: Span[]): void {
  let at = 0;
  for (const match of text.matchAll(PRIVATE_KEY)) {
    if (match.index < at) continue;
    END_OF_KEY.lastIndex = match.index;
    const end = END_OF_KEY.exec(text);
    at = end === null ? text.length : end.index + end[0].length;
    found.push({ from: match.index, to: at });
  }
}

function usersWithin(text: string, found: Span[]): void {
  for (const { index, 1: authority = '' } of text.matchAll(URL_USER)) {
    const user = authority.slice(0, Math.max(0, authority.lastIndexOf('@')));
    const colon = user.indexOf(':');
    // `ssh://git@host` has no password; over HTTP a token may stand alone.
    if (colon < 0 && !/https?$/i.test(text.slice(Math.max(0, index - 5), index))) continue;
    found.push(spanOf(index + 3 + colon + 1, user.slice(colon + 1)));
  }
}

/** `$HF_TOKEN` and `${HF_TOKEN}` are names still. */
const VARIABLE = /^\$(?:[A-Z_][A-Z0-9_]*)?$/;
/** An argument that is nothing else: whatever signs the value has. */
const ASSIGNMENT = /^-{0,2}([A-Za-z_][\w.-]{0,127})=(\S+)$/;

function namedWithin(text: string, own: OwnNames, found: Span[]): void {
  const [, only, rest = ''] = ASSIGNMENT.exec(text) ?? [];
  if (only !== undefined && !VARIABLE.test(rest) && isSecretValue(only, rest, own)) {
    found.push(spanOf(text.length - rest.length, rest));
    return;
  }
  NAMED.lastIndex = 0;
  for (let match = NAMED.exec(text); match !== null; match = NAMED.exec(text)) {
    const [whole, dashes = '', name = ''] = match;
    const separator = whole.slice(dashes.length + name.length);
    const bySpace = !/[=:]/.test(separator);
    if (dashes === '' && (bySpace || (name.toLowerCase() === 'key' && separator.includes(':')))) continue;
    // Before its value is looked for: that may be long.
    if (!own?.test(name) && secretName(name) === null) continue;
    SCHEME.lastIndex = NAMED.lastIndex;
    const span = valueAt(text, SCHEME.test(text) ? SCHEME.lastIndex : NAMED.lastIndex);
    const value = text.slice(span.from, span.to);
    if (VARIABLE.test(value) || (bySpace && value.startsWith('-')) || MARK.test(`[${name}:${value}]`))
      continue;
    if (!isSecretValue(name, value, own)) continue;
    found.push(span);
    NAMED.lastIndex = span.to;
  }
}

/** The value that begins there: in quotes, else up to what ends a word of a shell or of JSON. */
function valueAt(text: string, at: number): Span {
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, at + 1);
    return { from: at + 1, to: end < 0 ? text.length : end };
  }
  WORD_END.lastIndex = at;
  const end = WORD_END.exec(text);
  return { from: at, to: end === null ? text.length : end.index };
}

/** In order; what overlaps or touches is one. */
export function merged(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (span.to <= span.from) continue;
    if (last !== undefined && span.from <= last.to) {
      all[all.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else all.push(span);
  }
  return all;
}

/** The text with `put` in place of each span. */
export function replaceSpans(text: string, spans: readonly Span[], put: (secret: string) => string): string {
  if (spans.length === 0) return text;
  let done = 0;
  let result = '';
  for (const { from, to } of spans) {
    result += text.slice(done, from) + put(text.slice(from, to));
    done = to;
  }
  return result + text.slice(done);
}

/** The text as it may be shown or logged. */
export const withoutSecrets = (text: string, own: OwnNames = null): string =>
  replaceSpans(text, secretSpans(text, own), () => SECRET);

/** Of arguments, which may be malformed, those that are secrets as a whole, since a flag before them says so: `--token X`, `wandb login X`. */
export function secretArguments(argv: readonly unknown[], own: OwnNames = null): ReadonlySet<number> {
  const found = new Set<number>();
  let wandb = false;
  let before = '';
  argv.forEach((argument, at) => {
    const name = before;
    before = typeof argument === 'string' ? argument : '';
    if (typeof argument !== 'string') return;
    const flag = /^--?[A-Za-z][\w.-]*$/.test(name) && !argument.startsWith('-');
    if (flag && isSecretValue(name, argument, own)) found.add(at);
    if (wandb && /^[0-9a-f]{40}$/.test(argument)) found.add(at);
    wandb ||= argument.endsWith('wandb');
  });
  return found;
}
