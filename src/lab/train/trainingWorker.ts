/** Entry of a thread that acts in a training's worlds. Started by train.ts. */
import { workerData } from 'node:worker_threads';
import { serveJobs } from '../serveJobs.ts';
import { type Acted, type ActingJob, act } from './acting.ts';
import { loadTraces } from './traces.ts';
import type { TrainConfig } from './trainConfig.ts';

const { config, directory } = workerData as { readonly config: TrainConfig; readonly directory: string };
const traces = await loadTraces(config.worlds, directory);
serveJobs<ActingJob, Acted>((job) => act(job, config, traces));
