/**
 * Hands on the latest of what comes, at once and then at most every `everyMs`: what comes sooner replaces what came before it.
 * @returns takes one.
 */
export function latestOf<T>(everyMs: number, handOn: (latest: T) => void): (one: T) => void {
  let pending: { readonly one: T } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const due = (): void => {
    timer = undefined;
    if (pending === null) return;
    const { one } = pending;
    pending = null;
    timer = setTimeout(due, everyMs);
    handOn(one);
  };
  return (one) => {
    pending = { one };
    if (timer === undefined) due();
  };
}
