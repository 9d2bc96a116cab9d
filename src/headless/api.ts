import type { IncomingMessage, ServerResponse } from 'node:http';
import { scopeOf } from '../contract/scopes.ts';
import { type ApiToken, includesScope } from '../domain/apiToken.ts';
import { MAX_MESSAGE_BYTES, type StintRouter } from '../engine/server/rpcSockets.ts';
import type { Tokens } from '../engine/server/tokens.ts';
import { VERSION } from '../engine/version.ts';
import { Allowance } from './allowance.ts';
import { refuse } from './refuse.ts';

export interface ApiOptions {
  readonly router: StintRouter;
  readonly tokens: Pick<Tokens, 'admit'>;
  readonly scrape: () => Promise<string>;
}

type Serve = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** A script that waits for jobs by asking ten times a second is well within this; a loop gone wild is not. */
const PER_TOKEN = { burst: 200, perS: 50 };
/** Wrong tokens, of everybody together. Those who hold a right one are never in this line. */
const WRONG = { burst: 20, perS: 0.5 };
/** Names of tokens whose allowance is kept; beyond, the longest unused is forgotten. */
const MOST_ALLOWANCES = 256;

/**
 * The contract for programs, over HTTP with JSON: `POST /api/jobs/submit` and so on, its description at
 * `/api/openapi.json`, and `/metrics` for Prometheus. Each request shows a token (`Authorization: Bearer …`), and may
 * do what its scope says. No cookie opens anything here, so that no web page can use the owner's.
 *
 * @param port where it is served, for the description.
 */
export function createApi(options: ApiOptions, port: () => number): Serve {
  const wrong = new Allowance(WRONG);
  const allowances = new Map<string, Allowance>();
  const allowanceOf = (name: string): Allowance => {
    const kept = allowances.get(name) ?? new Allowance(PER_TOKEN);
    allowances.delete(name);
    allowances.set(name, kept);
    if (allowances.size > MOST_ALLOWANCES) allowances.delete(allowances.keys().next().value!);
    return kept;
  };
  // Loaded by the first request: an engine that nobody asks over HTTP has no need of it.
  let loading: Promise<Awaited<ReturnType<typeof load>>> | null = null;

  return async (request, response, path) => {
    response.setHeader('Cache-Control', 'no-store');
    const given = /^Bearer +([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    const token = given === undefined ? null : options.tokens.admit(given);
    if (token === null) {
      if (!wrong.take()) return later(response, 'Too many wrong tokens.', wrong);
      response.setHeader('WWW-Authenticate', 'Bearer realm="Stint"');
      return refuse(
        response,
        401,
        'Send a token as `Authorization: Bearer TOKEN`; `stint token create` makes one.',
      );
    }
    const allowance = allowanceOf(token.name);
    if (!allowance.take()) return later(response, 'Too many requests with this token.', allowance);

    if (path === '/metrics') {
      if (request.method !== 'GET') return refuse(response, 405, 'Use GET.');
      const text = await options.scrape();
      response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
      return;
    }
    loading ??= load(options.router, port);
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

function later(response: ServerResponse, problem: string, allowance: Allowance): void {
  response.setHeader('Retry-After', String(allowance.waitS()));
  refuse(response, 429, `${problem} Try again in ${allowance.waitS()} s.`);
}

async function load(router: StintRouter, port: () => number) {
  const [
    { OpenAPIHandler },
    { BodyLimitPlugin },
    { ORPCError },
    { OpenAPIGenerator },
    { ZodToJsonSchemaConverter },
  ] = await Promise.all([
    import('@orpc/openapi/node'),
    import('@orpc/server/node'),
    import('@orpc/server'),
    import('@orpc/openapi'),
    import('@orpc/zod/zod4'),
  ]);
  const handler = new OpenAPIHandler<{ token: ApiToken }>(router as never, {
    plugins: [new BodyLimitPlugin({ maxBodySize: MAX_MESSAGE_BYTES })],
    clientInterceptors: [
      async ({ path, context, next }) => {
        const needed = scopeOf(path);
        if (!includesScope(context.token.scope, needed)) {
          throw new ORPCError('FORBIDDEN', {
            message: `${path.join('.')} needs a token of scope ${needed}; ${context.token.name} is of ${context.token.scope}`,
          });
        }
        return next();
      },
    ],
  });
  let described: string | null = null;
  return {
    /** @returns false if there is no such procedure; nothing was answered then. */
    handle: async (request: IncomingMessage, response: ServerResponse, token: ApiToken): Promise<boolean> =>
      (await handler.handle(request, response, { prefix: '/api', context: { token } })).matched,
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
            servers: [{ url: `http://127.0.0.1:${port()}/api` }],
            components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
            security: [{ token: [] }],
          },
        ),
      );
      return described;
    },
  };
}
