import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../domain/errors.ts';
import type { Context } from './context.ts';

/** How other machines may come in. */
export interface ListenFlags {
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export const listenOptions = (command: Command): Command =>
  command
    .option(
      '--listen <ADDRESS>',
      'address of this machine to listen on (default: 127.0.0.1); others need TLS',
    )
    .option('--tls-cert <FILE>', 'certificate in PEM, with those that sign it; read again when it changes')
    .option('--tls-key <FILE>', 'its private key, in PEM');

/**
 * As the host takes them, with absolute paths.
 * @throws {FieldError} for one of certificate and key without the other.
 */
export function readListenFlags(
  context: Context,
  { listen, tlsCert, tlsKey }: ListenFlags,
): { listen?: string; certificate?: { certPath: string; keyPath: string } } {
  if (tlsCert !== undefined && tlsKey === undefined) {
    throw new FieldError('--tls-key', null, 'give it too: the private key of the certificate');
  }
  if (tlsKey !== undefined && tlsCert === undefined) {
    throw new FieldError('--tls-cert', null, 'give it too: the certificate of the key');
  }
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : {
          certificate: {
            certPath: resolve(context.callerDir, tlsCert),
            keyPath: resolve(context.callerDir, tlsKey),
          },
        }),
  };
}
