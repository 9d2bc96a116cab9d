import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiToken } from '../domain/apiToken.ts';
import type { CallContext } from '../engine/server/caller.ts';
import { MAX_MESSAGE_BYTES, type StintRouter } from '../engine/server/rpcSockets.ts';
import { VERSION } from '../engine/version.ts';
import { type Bearers, type Refusal, requireScope } from './bearer.ts';
import { refuse } from './refuse.ts';

interface ApiOptions {
  readonly router: StintRouter;
  readonly bearers: Bearers;
  readonly scrape: () => Promise<string>;
}

type Serve = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/**
 * The contract for programs, over HTTP with JSON: `POST /api/jobs/submit` and so on, its description at
 * `/api/openapi.json`, and `/metrics` for Prometheus. Each request shows a token (`Authorization: Bearer …`), and may
 * do what its scope says. No cookie opens anything here, so that no web page can use the owner's.
 *
 * @param origin where it is served, for the description.
 */
export function createApi(options: ApiOptions, origin: () => string): Serve {
  // Loaded by the first request: an engine that nobody asks over HTTP has no need of it.
  let loading: Promise<Awaited<ReturnType<typeof load>>> | null = null;

  return async (request, response, path) => {
    response.setHeader('Cache-Control', 'no-store');
    const admission = options.bearers.admit(request);
    if ('refusal' in admission) return refuseBearer(response, admission.refusal);
    const { token } = admission;

    if (path === '/metrics') {
      if (request.method !== 'GET') return refuse(response, 405, 'Use GET.');
      const text = await options.scrape();
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
      return;
    }
    loading ??= load(options.router, origin);
    const { handle, description } = await loading;
    if (path === '/api/openapi.json') {
      if (request.method !== 'GET') return refuse(response, 405, 'Use GET.');
      const text = await description();
      response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(text);
      return;
    }
    if (!(await handle(request, response, token))) {
      refuse(
        response,
        404,
        'There is no such procedure; GET /api/openapi.json lists them. They are all POST.',
      );
    }
  };
}

/** Says no, and when it may be tried again. */
export function refuseBearer(response: ServerResponse, { status, sentence, retryAfterS }: Refusal): void {
  if (retryAfterS === null) response.setHeader('WWW-Authenticate', 'Bearer realm="Stint"');
  else response.setHeader('Retry-After', String(retryAfterS));
  refuse(response, status, sentence);
}

async function load(router: StintRouter, origin: () => string) {
  const [{ OpenAPIHandler }, { BodyLimitPlugin }, { OpenAPIGenerator }, { ZodToJsonSchemaConverter }] =
    await Promise.all([
      import('@orpc/openapi/node'),
      import('@orpc/server/node'),
      import('@orpc/openapi'),
      import('@orpc/zod/zod4'),
    ]);
  const handler = new OpenAPIHandler<CallContext & { token: ApiToken }>(router as never, {
    plugins: [new BodyLimitPlugin({ maxBodySize: MAX_MESSAGE_BYTES })],
    clientInterceptors: [
      async ({ path, context, next }) => {
        requireScope(context.token, path);
        return next();
      },
    ],
  });
  let described: string | null = null;
  return {
    /** @returns false if there is no such procedure; nothing was answered then. */
    handle: async (request: IncomingMessage, response: ServerResponse, token: ApiToken): Promise<boolean> =>
      (
        await handler.handle(request, response, {
          prefix: '/api',
          context: { token, deputy: { kind: 'token', name: token.name } },
        })
      ).matched,
    async description(): Promise<string> {
      described ??= JSON.stringify(
        await new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] }).generate(
          router as never,
          {
            info: {
              title: 'Stint',
              version: VERSION,
              description: 'Jobs, devices and scheduler of one GPU workstation.',
            },
            servers: [{ url: `${origin()}/api` }],
            components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
            security: [{ token: [] }],
          },
        ),
      );
      return described;
    },
  };
}
