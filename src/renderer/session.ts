/** Whether this browser may talk to the engine. */
export type Session = 'open' | 'refused' | 'unreachable';

/** True while the address carries a token that was not exchanged yet. */
export const hasToken = (): boolean => location.hash.startsWith('#token=');

/**
 * Exchanges the token of the address's fragment (`#token=…`) for a cookie that scripts cannot read, and takes
 * it out of the address and the history. Without a token, asks whether the cookie of an earlier visit still
 * holds.
 */
export async function openSession(): Promise<Session> {
  const token = /^#token=([^&]+)/.exec(location.hash)?.[1];
  if (token === undefined) return askSession();
  history.replaceState(null, '', `${location.pathname}${location.search}#/queue`);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  return answer(
    fetch('/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: decodeURIComponent(token) }),
    }),
  );
}

/** Asks whether the cookie that this browser has still opens the engine. */
export function askSession(): Promise<Session> {
  return answer(fetch('/session'));
}

async function answer(request: Promise<Response>): Promise<Session> {
  try {
    const response = await request;
    if (response.ok) return 'open';
    return response.status === 401 || response.status === 403 ? 'refused' : 'unreachable';
  } catch {
    // Nothing listens there (yet): the caller tries again.
    return 'unreachable';
  }
}
