import { makeStore } from '../store/store.ts';

/** For which jobs the panel with everything that can be done is open, and beside what. */
export interface More {
  readonly title: string;
  readonly ids: readonly number[];
  /** An array as a whole, of which `ids` are the jobs that the console knows. */
  readonly arrayId: number | undefined;
  readonly at: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
}

export const more = makeStore<More | null>(null);

/** Opens the panel beside an element, or at a point. */
export function openMore(
  about: Pick<More, 'title' | 'ids' | 'arrayId'>,
  beside: Element | { readonly x: number; readonly y: number },
): void {
  const at =
    beside instanceof Element
      ? beside.getBoundingClientRect()
      : { left: beside.x, top: beside.y, width: 1, height: 1 };
  const { left, top, width, height } = at;
  more.update(() => ({ ...about, at: { left, top, width, height } }));
}
