import type { EngineParts } from '../parts.ts';
import { arrayHandlers } from './handlers/arrays.ts';
import { implementer } from './handlers/base.ts';
import { executorHandlers } from './handlers/executors.ts';
import { goalHandlers } from './handlers/goals.ts';
import { historyHandlers } from './handlers/history.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { logHandlers } from './handlers/logs.ts';
import { machineHandlers } from './handlers/machine.ts';
import { notifyHandlers } from './handlers/notify.ts';
import { schedulerHandlers } from './handlers/scheduler.ts';
import { storageHandlers } from './handlers/storage.ts';
import { templateHandlers } from './handlers/templates.ts';
import { tokenHandlers } from './handlers/tokens.ts';

/** The whole contract over one engine. Transports carry it and know nothing of it. */
export function createRouter(parts: EngineParts) {
  const os = implementer(parts);
  return os.router({
    ...machineHandlers(os, parts),
    jobs: jobHandlers(os, parts),
    arrays: arrayHandlers(os, parts),
    executors: executorHandlers(os, parts),
    history: historyHandlers(os, parts),
    logs: logHandlers(os, parts),
    scheduler: schedulerHandlers(os, parts),
    storage: storageHandlers(os, parts),
    templates: templateHandlers(os, parts),
    goals: goalHandlers(os, parts),
    tokens: tokenHandlers(os, parts),
    notify: notifyHandlers(os, parts),
  });
}
export type EngineRouter = ReturnType<typeof createRouter>;
