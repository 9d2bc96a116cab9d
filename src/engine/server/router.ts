import type { EngineParts } from '../parts.ts';
import { implementer } from './handlers/base.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { logHandlers } from './handlers/logs.ts';
import { machineHandlers } from './handlers/machine.ts';
import { schedulerHandlers } from './handlers/scheduler.ts';

/** The whole contract over one engine. Transports carry it and know nothing of it. */
export function createRouter(parts: EngineParts) {
  const os = implementer(parts);
  return os.router({
    ...machineHandlers(os, parts),
    jobs: jobHandlers(os, parts),
    logs: logHandlers(os, parts),
    scheduler: schedulerHandlers(os, parts),
  });
}
export type EngineRouter = ReturnType<typeof createRouter>;
