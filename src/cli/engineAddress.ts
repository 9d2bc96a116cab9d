import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FieldError, messageOf } from '../domain/errors.ts';
import type { Remote } from './connect.ts';

/** The flags that say where the engine is, as `clientCommand` defines them. */
export interface AddressFlags {
  readonly data?: string;
  readonly url?: string;
  readonly ca?: string;
}

/** Where a command is called. */
interface Caller {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly callerDir: string;
}

/**
 * The engine elsewhere that is meant: `--url`, else STINT_URL unless `--data` says otherwise; null: one of this machine. The token
 * comes from STINT_TOKEN alone: what stands on a command line, everybody can read.
 * @throws {FieldError} for an address, a token or a file that will not do.
 */
export function remoteOf(caller: Caller, flags: AddressFlags): Remote | null {
  if (flags.url !== undefined && flags.data !== undefined) {
    throw new FieldError('--url', flags.url, "give it or --data: there the engine is this machine's");
  }
  const given = flags.url ?? (flags.data === undefined ? caller.env.STINT_URL : undefined);
  if (given === undefined || given === '') return null;
  const field = flags.url === undefined ? 'STINT_URL' : '--url';
  const url = URL.parse(given);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || !['', '/'].includes(url.pathname)) {
    throw new FieldError(field, given, 'give https://HOST:PORT');
  }
  if (url.protocol === 'http:' && !/^(?:127\.[\d.]+|localhost|\[::1\])$/.test(url.hostname)) {
    throw new FieldError(
      field,
      given,
      'give https, because whoever reads along would have the token; or http://127.0.0.1 through `ssh -L`',
    );
  }
  const token = caller.env.STINT_TOKEN ?? '';
  if (!/^[\w-]{1,200}$/.test(token)) {
    throw new FieldError(
      'STINT_TOKEN',
      token === '' ? '' : '[secret]',
      'set it to what `stint token create` printed there',
    );
  }
  const caPath = flags.ca ?? (caller.env.STINT_CA || undefined);
  const ca = caPath === undefined ? undefined : readCa(caller, caPath);
  return { url: url.origin, token, ...(ca === undefined ? {} : { ca }) };
}

function readCa(caller: Caller, path: string): string {
  const remedy = 'give a file with certificates in PEM';
  try {
    const text = readFileSync(resolve(caller.callerDir, path), 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    throw new FieldError('--ca', path, `${remedy} (${messageOf(error)})`);
  }
  throw new FieldError('--ca', path, remedy);
}
