import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { FieldError, messageOf } from '../domain/errors.ts';

/** Where they lie: a certificate with those that sign it, and its private key, both in PEM. */
export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

/** A certificate that is good now, with the key that belongs to it. */
export interface Certificate {
  /** PEM, with what signs it, as in the file. */
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

const CERT = '--tls-cert';
const KEY = '--tls-key';

/**
 * Reads a certificate and its key.
 * @throws {FieldError} that names the file and what is wrong: it cannot be read, others can read the key, the two do not
 *   belong together, it names no host, or its time is over or has not come.
 */
export function readCertificate({ certPath, keyPath }: CertificateFiles, nowMs: number): Certificate {
  const cert = textOf(CERT, certPath);
  const key = textOf(KEY, keyPath);
  const leaf = parsed(CERT, certPath, 'it should hold a certificate in PEM', () => new X509Certificate(cert));
  const secret: KeyObject = parsed(
    KEY,
    keyPath,
    'it should hold a private key in PEM, without a passphrase',
    () => createPrivateKey(key),
  );
  if (process.platform !== 'win32' && (statSync(keyPath).mode & 0o007) !== 0) {
    throw new FieldError(KEY, keyPath, `every user of this machine may open it: chmod 600 ${keyPath}`);
  }
  if (!leaf.checkPrivateKey(secret)) {
    throw new FieldError(KEY, keyPath, `give the key that belongs to the certificate in ${certPath}`);
  }
  if (hostNames(leaf).length === 0) {
    throw new FieldError(CERT, certPath, 'it names no host (subjectAltName), and clients go by nothing else');
  }
  if (Date.parse(leaf.validTo) <= nowMs) {
    throw new FieldError(CERT, certPath, `it has expired (${leaf.validTo}): renew it`);
  }
  if (Date.parse(leaf.validFrom) > nowMs) {
    throw new FieldError(CERT, certPath, `it is valid from ${leaf.validFrom} on: is the clock right?`);
  }
  return { cert, key, leaf };
}

/** Whether the certificate is for this name or address. */
export function covers(leaf: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return leaf.checkIP(host) !== undefined;
  return leaf.checkHost(host, { subject: 'never' }) !== undefined;
}

/** The names and addresses that it is for, as it lists them; one with a star stands for many. */
export function hostNames(leaf: X509Certificate): string[] {
  return (leaf.subjectAltName ?? '')
    .split(', ')
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined);
}

function textOf(field: string, path: string): string {
  return parsed(field, path, 'give a file that can be read', () => readFileSync(path, 'utf8'));
}

function parsed<T>(field: string, path: string, remedy: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new FieldError(field, path, `${remedy} (${messageOf(error)})`);
  }
}
