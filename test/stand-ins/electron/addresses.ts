/** Where custom schemes live in Chromium, which knows none of them: `s://h/p` is `https://h.s.stand-in.invalid/p`. */
const SUFFIX = '.stand-in.invalid';
const schemes = new Set<string>();

export function addScheme(scheme: string): void {
  schemes.add(scheme);
}

/** The address under which Chromium loads a URL of the main process. */
export function toChromium(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!match) return url;
  const [, scheme = '', host = '', rest = ''] = match;
  return schemes.has(scheme) ? `https://${host}.${scheme}${SUFFIX}${rest}` : url;
}

/** The URL that the main process gets to see for one of Chromium's. Origins too. */
export function fromChromium(url: string): string {
  const match = /^https:\/\/([^/?#]*)\.([a-z0-9-]+)\.stand-in\.invalid(.*)$/i.exec(url);
  if (!match) return url;
  const [, host = '', scheme = '', rest = ''] = match;
  return schemes.has(scheme) ? `${scheme}://${host}${rest}` : url;
}
