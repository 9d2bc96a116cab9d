/** An event whose default a listener may prevent. */
export interface Preventable {
  readonly defaultPrevented: boolean;
  preventDefault(): void;
}

export function preventable<T extends object>(fields: T): T & Preventable {
  let prevented = false;
  const event = {
    ...fields,
    preventDefault: () => {
      prevented = true;
    },
  };
  return Object.defineProperty(event, 'defaultPrevented', { get: () => prevented }) as T & Preventable;
}
