import { createHmac } from 'node:crypto';
import type { HttpKind } from '../../domain/notifyRule.ts';
import type { Message } from './message.ts';

/** A request that tells somebody something. */
export interface Told {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How long a service may take to answer. One that hangs is given up, and tried again later. */
const TIMEOUT_MS = 10_000;
/** Of an answer no more is read: it is for the error message alone. */
const MOST_ANSWER_BYTES = 4096;
/** What services cut, or refuse, beyond. */
const MOST_CHARACTERS = 1900;

/** It was answered, and not taken. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, shown: string) {
    super(`answered ${status}${shown === '' ? '' : `: ${shown}`}`);
    this.status = status;
  }

  /** The same request would be refused again. */
  get forGood(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text);

/** A rule's message in the words of its service. @param nowMs for signatures. */
export function requestOf(
  kind: HttpKind,
  { url, secret }: { readonly url: string; readonly secret: string | null },
  message: Message,
  nowMs: number,
): Told {
  const short = `${message.title}\n${message.text}`.slice(0, MOST_CHARACTERS);
  const json = (body: unknown, headers: Record<string, string> = {}, to = url): Told => ({
    url: to,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  });
  switch (kind) {
    case 'webhook': {
      const told = json(message, { 'Stint-Delivery': message.delivery });
      if (secret === null) return told;
      const t = Math.floor(nowMs / 1000);
      const v1 = hmac(secret, `${t}.${told.body}`).digest('hex');
      return { ...told, headers: { ...told.headers, 'Stint-Signature': `t=${t},v1=${v1}` } };
    }
    case 'ntfy': {
      // https://docs.ntfy.sh/publish/#publish-as-json: to the server's root, because a header takes ASCII alone.
      const at = new URL(url);
      const topic = at.pathname.replace(/^\/+|\/+$/g, '');
      const urgent = message.items.some(({ event }) => event === 'failed' || event === 'gpu-lost');
      const body = {
        topic,
        title: message.title,
        message: message.text.slice(0, MOST_CHARACTERS),
        priority: urgent ? 4 : 3,
        tags: [urgent ? 'rotating_light' : 'white_check_mark'],
      };
      return json(body, secret === null ? {} : { Authorization: `Bearer ${secret}` }, at.origin);
    }
    case 'slack':
      // https://api.slack.com/messaging/webhooks; these three characters alone mean something to it.
      return json({ text: short.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') });
    case 'discord':
      // https://discord.com/developers/docs/resources/webhook#execute-webhook; a job's name shall call nobody.
      return json({ content: short, allowed_mentions: { parse: [] } });
    case 'feishu': {
      // https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: what is signed is the empty text.
      const timestamp = String(Math.floor(nowMs / 1000));
      const signed =
        secret === null ? {} : { timestamp, sign: hmac(`${timestamp}\n${secret}`, '').digest('base64') };
      return json({ ...signed, msg_type: 'text', content: { text: short } });
    }
    case 'dingtalk': {
      // https://open.dingtalk.com/document/robots/customize-robot-security-settings
      const at = new URL(url);
      if (secret !== null) {
        at.searchParams.set('timestamp', String(nowMs));
        at.searchParams.set('sign', hmac(secret, `${nowMs}\n${secret}`).digest('base64'));
      }
      return json({ msgtype: 'text', text: { content: short } }, {}, at.href);
    }
  }
}

/**
 * Sends it, and reads whether it was taken.
 * @throws {RefusedError} when it was not, or else with what went wrong, in a line; `signal` ends it early.
 */
export async function sendRequest(told: Told, signal: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let answer: string;
  try {
    response = await fetch(told.url, {
      method: 'POST',
      headers: { ...told.headers, 'User-Agent': 'stint' },
      body: told.body,
      // Elsewhere is somewhere that nobody named.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    answer = await beginningOf(response);
  } catch (error) {
    if (timeout.aborted) throw new Error(`no answer within ${timeoutMs / 1000} s`);
    const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause;
    throw new Error(String(cause?.code ?? cause?.message ?? (error as Error).message));
  }
  const shown = answer.replace(/\s+/g, ' ').trim().slice(0, 200);
  if (!response.ok) throw new RefusedError(response.status, shown);
  if (refusedInside(answer)) throw new Error(`answered ${shown}`);
}

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  // Leaving early ends the connection.
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length >= MOST_ANSWER_BYTES) break;
  }
  return text.slice(0, MOST_ANSWER_BYTES);
}

/** DingTalk and Feishu answer 200 and say inside that it was wrong. */
function refusedInside(answer: string): boolean {
  try {
    const { errcode, code } = JSON.parse(answer) as { errcode?: unknown; code?: unknown };
    return [errcode, code].some((value) => typeof value === 'number' && value !== 0);
  } catch {
    // Whatever else a service says with 200, it has taken it.
    return false;
  }
}
