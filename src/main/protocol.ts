import { readFile, realpath } from 'node:fs/promises';
import { extname, isAbsolute, join, relative, sep } from 'node:path';
import type { Protocol } from 'electron';
import { APP_SCHEME, isAppUrl } from './appOrigin.ts';

/**
 * Files of the console's own origin and nothing else. Styles may be inline because the component library writes
 * its colour variables into a style element; scripts may not.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** Lets `app:` pages have an origin, use `fetch` and count as secure. Must run before the app is ready. */
export function registerAppScheme(protocol: Pick<Protocol, 'registerSchemesAsPrivileged'>): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/**
 * Answers requests for `app://stint/…` with files from a folder, and only from there. Every answer, a refusal
 * too, carries the content security policy.
 * @param root absolute path of the built console.
 */
export function rendererResponder(root: string): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isAppUrl(request.url)) return refusal(404, 'There is nothing at this address.');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refusal(405, 'Only reading is possible here.', { allow: 'GET, HEAD' });
    }
    const path = decodedPath(request.url);
    if (path === null) return refusal(400, 'The address is not well formed.');
    const wanted = join(root, path === '/' ? '/index.html' : path);
    if (!isInside(root, wanted)) return refusal(403, 'The address leaves the folder of the console.');
    try {
      // A link inside the folder must not lead out of it either.
      const file = await realpath(wanted);
      if (!isInside(await realpath(root), file)) {
        return refusal(403, 'The address leaves the folder of the console.');
      }
      const body = request.method === 'HEAD' ? null : new Uint8Array(await readFile(file));
      const type = MIME_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
      return new Response(body, { status: 200, headers: { ...HEADERS, 'content-type': type } });
    } catch (error) {
      if (isAbsence(error)) return refusal(404, 'There is no such file in the console.');
      throw error;
    }
  };
}

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
};

function refusal(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(sentence, {
    status,
    headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8', ...headers },
  });
}

/** null: an escape that is not UTF-8, a NUL, or a backslash (a separator on Windows, never in our names). */
function decodedPath(url: string): string | null {
  try {
    const path = decodeURIComponent(new URL(url).pathname);
    return path.includes('\0') || path.includes('\\') ? null : path;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}
