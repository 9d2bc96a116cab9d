/** Minutes by which the reader's local time is ahead of UTC at a moment. */
export const offsetMinAt = (unixMs: number): number => -new Date(unixMs).getTimezoneOffset();
