const UNITS: Readonly<Record<string, string>> = { ms: '毫秒', s: '秒', min: '分', h: '小时', d: '天' };
const DURATION = /^\d+ (?:ms|s|min|h|d)(?: \d+ (?:s|min|h))?$/;

/** `3 min 20 s` as 3 分 20 秒; null: it is no duration. */
export const durationInChinese = (text: string): string | null =>
  DURATION.test(text) ? text.replace(/[a-z]+/g, (unit) => UNITS[unit]!) : null;
