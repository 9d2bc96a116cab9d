import type { Database } from './database.ts';

/** What an attempt of a job drew. */
export interface Drawn {
  readonly jobId: number;
  readonly attempt: number;
  readonly joules: number;
  /** GPU-seconds for which it was measured. */
  readonly measuredGpuS: number;
}

/** Energy by attempt. */
export function energyStore(db: Database) {
  const add = db.prepare<[Drawn]>(
    `INSERT INTO job_energy (job_id, attempt, joules, measured_gpu_s) VALUES (@jobId, @attempt, @joules, @measuredGpuS)
     ON CONFLICT (job_id, attempt) DO UPDATE SET
       joules = joules + excluded.joules, measured_gpu_s = measured_gpu_s + excluded.measured_gpu_s`,
  );
  const ofJob = db.prepare<[number], { joules: number; measuredGpuS: number }>(
    `SELECT coalesce(sum(joules), 0) AS joules, coalesce(sum(measured_gpu_s), 0) AS measuredGpuS
     FROM job_energy WHERE job_id = ?`,
  );
  const addAll = db.transaction((drawn: readonly Drawn[]): void => {
    for (const one of drawn) add.run(one);
  });
  return {
    /** Adds to what is known of each attempt. */
    add(drawn: readonly Drawn[]): void {
      if (drawn.length > 0) addAll(drawn);
    },
    /** Over all attempts. */
    ofJob: (jobId: number): { readonly joules: number; readonly measuredGpuS: number } => ofJob.get(jobId)!,
  };
}
export type EnergyStore = ReturnType<typeof energyStore>;
