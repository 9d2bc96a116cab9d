import { createRouterClient } from '@orpc/server';
import { RPCHandler } from '@orpc/server/message-port';
import type { MessagePortMain } from 'electron';
import type { StintClient } from '../contract/client.ts';
import { createEngine } from '../engine/engine.ts';
import type { Log } from '../engine/ports.ts';
import { serveLocalSocket } from '../engine/server/localSocket.ts';
import type { DesktopFlags } from './commandLine.ts';

/** The engine inside this process, with its doors. */
export interface EngineHost {
  /** Calls the engine as the console does, without leaving the process. */
  readonly client: StintClient;
  /** Speaks the contract on a port until it closes. */
  serve(port: MessagePortMain): void;
  /** Ends the engine. Jobs run on. */
  stop(): Promise<void>;
}

/**
 * Starts the engine and the local socket, so that `stint` works beside the desktop.
 * @throws {FieldError} for an unusable flag or home, {ConflictError} if another engine holds the home.
 */
export async function startEngineHost(home: string, flags: DesktopFlags, log: Log): Promise<EngineHost> {
  const engine = await createEngine({
    home,
    log,
    ...(flags.devices !== undefined && { devices: flags.devices }),
    ...(flags.policy !== undefined && { policy: flags.policy }),
  });
  try {
    const socket = await serveLocalSocket({ home, router: engine.router, log });
    const handler = new RPCHandler(engine.router);
    return {
      client: createRouterClient(engine.router, { context: {} }),
      serve: (port) => handler.upgrade(port, { context: {} }),
      stop: async () => {
        await socket.close();
        await engine.stop();
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
