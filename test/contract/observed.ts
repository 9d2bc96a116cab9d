import { type AnyProcedure, os, Procedure } from '@orpc/server';
import type { StintClient } from '../../src/contract/client.ts';
import type { EngineRouter } from '../../src/engine/server/router.ts';

/**
 * The engine's router, with its two streams counted: `open()` says how many of them the engine is serving now,
 * whatever the client believes.
 */
export function observeStreams(inner: EngineRouter): { readonly router: EngineRouter; open(): number } {
  let open = 0;
  async function* counted(stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    open += 1;
    try {
      yield* stream;
    } finally {
      open -= 1;
    }
  }
  const count = os.middleware(async ({ next }, _input, output) => {
    const result = await next();
    return output(counted(result.output as AsyncIterable<unknown>));
  });
  // Outermost, so that it sees what a transport sees.
  const observe = (procedure: AnyProcedure): AnyProcedure => {
    const definition = procedure['~orpc'];
    return new Procedure({ ...definition, middlewares: [count, ...definition.middlewares] });
  };
  const router = {
    ...inner,
    watch: observe(inner.watch),
    logs: { ...inner.logs, follow: observe(inner.logs.follow) },
  };
  return { router: router as unknown as EngineRouter, open: () => open };
}

/** The client, noting the name of each procedure that is called. */
export function noteCalls(client: StintClient, called: Set<string>): StintClient {
  const wrap = (target: object, path: readonly string[]): unknown =>
    new Proxy(target, {
      get: (_target, part) =>
        typeof part === 'string' ? wrap(Reflect.get(target, part) as object, [...path, part]) : undefined,
      apply: (_target, _self, args) => {
        called.add(path.join('.'));
        return (target as (...given: unknown[]) => unknown)(...args);
      },
    });
  return wrap(client, []) as StintClient;
}
