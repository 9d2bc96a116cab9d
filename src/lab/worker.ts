/** Entry of a thread that runs tasks, one at a time. Started by pool.ts. */
import { workerData } from 'node:worker_threads';
import { policyMaker } from './policies.ts';
import type { WorkerStart } from './pool.ts';
import { serveJobs } from './serveJobs.ts';
import { runTask, type Task, type TaskResult } from './task.ts';

const { policies, weightsPath } = workerData as WorkerStart;
const makePolicy = await policyMaker(policies, weightsPath);
serveJobs<Task, TaskResult[]>((task, onFraction) => runTask(task, makePolicy, onFraction));
