import { statSync } from 'node:fs';
import type { Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { FieldError, messageOf } from '../domain/errors.ts';
import type { Log } from '../engine/ports.ts';
import {
  type Certificate,
  type CertificateFiles,
  covers,
  hostNames,
  readCertificate,
} from './certificate.ts';

// As an import, node:http makes all that it exports, WebSocket among it, which takes time at every start.
const { createServer } = process.getBuiltinModule('node:http');
const { createServer: createTlsServer } = process.getBuiltinModule('node:https');

export interface DoorOptions {
  /** An address of this machine; `0.0.0.0` or `::` for all of them. 127.0.0.1 when left out. */
  readonly listen?: string;
  /** What other machines are spoken to with; null or left out: plain HTTP, for this machine only. */
  readonly certificate?: CertificateFiles | null;
  /** How long a client may take to say what it wants, ms. */
  readonly patienceMs: number;
  /** How often the files of the certificate are looked at; 30 s when left out. */
  readonly renewalMs?: number;
  readonly log: Log;
}

/** A server that does not listen yet, and what it is called. */
export interface Door {
  readonly server: Server;
  readonly scheme: 'http' | 'https';
  /** Where to listen. */
  readonly address: string;
  /** What people write into a browser, without scheme and port. */
  readonly name: string;
  /** Whether a request's Host header means this server, once it listens on `port`. */
  answersTo(host: string | undefined, port: number): boolean;
  close(): void;
}

const LOOPBACK = '127.0.0.1';
const RENEWAL_MS = 30_000;
const SOON_MS = 14 * 86_400_000;
const MAX_CONNECTIONS = 256;
/** Of one other machine, so that it alone cannot take all of them. */
const MAX_FROM_ONE = 64;

/**
 * Plain HTTP for this machine; for others TLS alone, because whoever reads a token may do everything.
 * @throws {FieldError} for an address or a certificate that cannot be used.
 */
export function createDoor(options: DoorOptions): Door {
  const address = options.listen ?? LOOPBACK;
  if (isIP(address) === 0) {
    throw new FieldError(
      '--listen',
      address,
      'give an address of this machine, such as 192.168.1.20, or 0.0.0.0 for all',
    );
  }
  const limits = { maxHeaderSize: 16 * 1024, connectionsCheckingInterval: options.patienceMs / 2 };
  if (!options.certificate) {
    if (!isLoopback(address)) {
      throw new FieldError(
        '--listen',
        address,
        'give --tls-cert and --tls-key too, or whoever reads along has the token; or leave it out and go through `ssh -L`',
      );
    }
    const names = new Set([address, 'localhost'].map((name) => urlHost(name)));
    return {
      server: limited(createServer(limits), options.patienceMs),
      scheme: 'http',
      address,
      name: urlHost(address),
      answersTo: (host, port) => {
        const asked = hostOf(host, 'http');
        return asked !== null && asked.port === port && names.has(asked.name);
      },
      close: () => undefined,
    };
  }
  return tlsDoor(address, options.certificate, options, limits);
}

function tlsDoor(
  address: string,
  files: CertificateFiles,
  { log, patienceMs, renewalMs = RENEWAL_MS }: DoorOptions,
  limits: object,
): Door {
  let held: Certificate = readCertificate(files, Date.now());
  tellSoon(held, log);
  const tls = createTlsServer({
    ...limits,
    cert: held.cert,
    key: held.key,
    handshakeTimeout: patienceMs,
    minVersion: 'TLSv1.2',
  });
  // Whoever does not finish a handshake, or speaks plain HTTP here, is no concern of anybody.
  tls.on('tlsClientError', (_error, socket) => socket.destroy());
  let seen = stamp(files);
  const timer = setInterval(() => {
    const now = stamp(files);
    if (now === seen) return;
    seen = now;
    try {
      held = readCertificate(files, Date.now());
      tls.setSecureContext({ cert: held.cert, key: held.key, minVersion: 'TLSv1.2' });
      log.info('the certificate was renewed', { validTo: held.leaf.validTo });
      tellSoon(held, log);
    } catch (error) {
      // Half of a renewal, perhaps: the rest of it changes the files again.
      log.warn('the certificate changed and cannot be used; the one before stays', {
        error: messageOf(error),
      });
    }
  }, renewalMs);
  timer.unref();
  return {
    // All that is used here of a server, both kinds have.
    server: limited(tls as unknown as Server, patienceMs),
    scheme: 'https',
    address,
    name: urlHost(nameOf(held, address)),
    answersTo: (host, port) => {
      const asked = hostOf(host, 'https');
      return asked !== null && asked.port === port && covers(held.leaf, asked.name.replace(/^\[|\]$/g, ''));
    },
    close: () => clearInterval(timer),
  };
}

/** Slow, large and many requests end here. */
function limited(server: Server, patienceMs: number): Server {
  server.headersTimeout = patienceMs;
  server.requestTimeout = 1.5 * patienceMs;
  server.maxConnections = MAX_CONNECTIONS;
  const from = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? '';
    // Through an SSH tunnel everybody comes from here.
    if (isLoopback(peer)) return;
    const open = (from.get(peer) ?? 0) + 1;
    if (open > MAX_FROM_ONE) return void socket.destroy();
    from.set(peer, open);
    socket.once('close', () => {
      const left = (from.get(peer) ?? 1) - 1;
      if (left === 0) from.delete(peer);
      else from.set(peer, left);
    });
  });
  return server;
}

/** The address, where the certificate is for it; else the first single host that it is for. */
function nameOf({ leaf }: Certificate, address: string): string {
  if (covers(leaf, address)) return address;
  const names = hostNames(leaf);
  if (covers(leaf, hostname())) return hostname();
  return names.find((name) => !name.includes('*')) ?? hostname();
}

function tellSoon({ leaf }: Certificate, log: Log): void {
  if (Date.parse(leaf.validTo) - Date.now() < SOON_MS) {
    log.warn('the certificate expires soon: renew it, and the files are read again', {
      validTo: leaf.validTo,
    });
  }
}

/** Changes when one of the files does. */
function stamp({ certPath, keyPath }: CertificateFiles): string {
  return [certPath, keyPath]
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? 'none' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
    })
    .join(' ');
}

export function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\./.test(address) || address === '::1';
}

const urlHost = (name: string): string => (isIP(name) === 6 ? `[${name}]` : name);

/** What a Host header says; null: no such thing. */
function hostOf(
  header: string | undefined,
  scheme: 'http' | 'https',
): { readonly name: string; readonly port: number } | null {
  if (header === undefined || !/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(header)) return null;
  const url = URL.parse(`${scheme}://${header}`);
  if (url === null) return null;
  const port = url.port === '' ? { http: 80, https: 443 }[scheme] : Number(url.port);
  return { name: url.hostname, port };
}
