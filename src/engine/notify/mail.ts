import type { NotifyTarget } from '../../domain/notifyRule.ts';
import type { Message } from './message.ts';

type MailTarget = Extract<NotifyTarget, { kind: 'mail' }>;

const TIMEOUT_MS = 15_000;

/**
 * Sends a message as mail. A password leaves over TLS alone, unless the server is this machine.
 * @throws with what went wrong; a server that hangs is given up.
 */
export async function sendMail(
  target: MailTarget,
  message: Message,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  // Loaded by the first mail: most engines never send one.
  const { createTransport } = await import('nodemailer');
  const server = new URL(target.server);
  const secure = server.protocol === 'smtps:';
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const local = host === 'localhost' || host === '127.0.0.1' || host === '::1';
  const user = decodeURIComponent(server.username);
  const pass = target.password ?? decodeURIComponent(server.password);
  const transport = createTransport({
    host,
    port: server.port === '' ? (secure ? 465 : user === '' ? 25 : 587) : Number(server.port),
    secure,
    requireTLS: !secure && user !== '' && !local,
    // A mail server on this machine has a certificate for its outer name, if any.
    ...(local ? { tls: { rejectUnauthorized: false } } : {}),
    ...(user === '' ? {} : { auth: { user, pass } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // What is in a message is text and never the name of a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const stop = (): void => transport.close();
  signal.addEventListener('abort', stop, { once: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const sent = transport.sendMail({
      from: { name: 'Stint', address: target.from ?? `stint@${message.host}` },
      to: target.to,
      subject: message.title,
      text: `${message.text}\n\n-- \nStint on ${message.host}, rule ${message.rule}\n`,
      // A message that is sent again has the same, and mail programs show it once.
      messageId: `<${message.delivery}@${message.host}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    // Whoever waits no longer does not hear how it ends.
    sent.catch(() => undefined);
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`not sent within ${(2 * timeoutMs) / 1000} s`)),
        2 * timeoutMs,
      );
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    });
    late.catch(() => undefined);
    await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    transport.close();
  }
}
