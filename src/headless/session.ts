import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may use one host: whoever knows the token, and then whoever holds the cookie it was exchanged for. */
export interface Session {
  /** 256 random bits, new at each start. Goes into the address's fragment and nowhere else. */
  readonly token: string;
  /** The Set-Cookie header for those who showed the token. */
  readonly setCookie: string;
  /** True for the token. Takes the same time whatever is given. */
  opens(token: string): boolean;
  /** True if a Cookie header carries this session. */
  holds(cookieHeader: string | undefined): boolean;
}

/**
 * @param port part of the cookie's name, because browsers share cookies between the ports of one host and two
 *   hosts of one person would otherwise sign each other out.
 * @param secure whether the cookie is for TLS alone.
 */
export function createSession(port: number, secure: boolean): Session {
  const token = randomBytes(32).toString('base64url');
  const secret = randomBytes(32).toString('base64url');
  const name = `stint_session_${port}`;
  const isToken = equalTo(token);
  const isSecret = equalTo(secret);
  return {
    token,
    setCookie: `${name}=${secret}; HttpOnly; SameSite=Strict; Path=/${secure ? '; Secure' : ''}`,
    opens: isToken,
    holds: (header) =>
      (header ?? '').split(';').some((pair) => {
        const at = pair.indexOf('=');
        return at > 0 && pair.slice(0, at).trim() === name && isSecret(pair.slice(at + 1).trim());
      }),
  };
}

/** Digests have one length, so that the comparison tells nothing of the secret's, or of where they differ. */
function equalTo(expected: string): (given: string) => boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  const wanted = digest(expected);
  return (given) => timingSafeEqual(digest(given), wanted);
}
