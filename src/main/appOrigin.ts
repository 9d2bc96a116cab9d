/** The scheme, host and origin under which the console's files are served to its window. */
export const APP_SCHEME = 'app';
export const APP_ORIGIN = 'app://stint';
export const START_URL = `${APP_ORIGIN}/index.html`;

/**
 * Whether a URL lies in the console's own origin. Empty and malformed ones do not. Node gives a non-web scheme no
 * origin, so scheme, host and port are compared one by one.
 */
export function isAppUrl(url: string | undefined): boolean {
  if (!url || !URL.canParse(url)) return false;
  const parsed = new URL(url);
  return (
    parsed.protocol === `${APP_SCHEME}:` &&
    parsed.host === 'stint' &&
    parsed.username === '' &&
    parsed.password === ''
  );
}
