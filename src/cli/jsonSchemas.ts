import { z } from 'zod';
import { contract } from '../contract/contract.ts';
import { deviceSchema } from '../domain/device.ts';
import { goalsPreviewSchema } from '../domain/goalsPreview.ts';
import { pastJobSchema } from '../domain/pastJob.ts';

/** What a procedure answers. */
const answerOf = (procedure: object): z.ZodType =>
  (procedure as { '~orpc': { outputSchema: z.ZodType } })['~orpc'].outputSchema;

const job = answerOf(contract.jobs.get);
const jobs = z.array(job);
const scheduler = answerOf(contract.scheduler.status);
const overview = (answerOf(contract.system.overview) as z.ZodObject).shape;

/**
 * What each command prints with `--json`, by its words. Commands that simulate are not among them: docs/lab.md describes
 * their results.
 */
export const JSON_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  serve: z.object({ url: z.url(), socket: z.string(), pid: z.int() }),
  submit: z.union([job, answerOf(contract.arrays.submit)]),
  sbatch: z.union([job, answerOf(contract.arrays.submit)]),
  ls: jobs,
  show: z.union([job, answerOf(contract.jobs.code)]),
  logs: (answerOf(contract.logs.search) as z.ZodObject).shape.matches as z.ZodType,
  wait: jobs,
  metrics: answerOf(contract.jobs.metrics),
  pause: jobs,
  throttle: jobs,
  resume: jobs,
  doctor: answerOf(contract.system.doctor),
  rungs: answerOf(contract.system.rungs),
  preempt: jobs,
  cancel: jobs,
  hold: jobs,
  release: jobs,
  retry: jobs,
  priority: jobs,
  devices: z.union([
    answerOf(contract.devices.list),
    z.object({
      readings: answerOf(contract.devices.samples),
      allocations: answerOf(contract.devices.allocations),
    }),
  ]),
  status: z.object({
    system: overview.system as z.ZodType,
    scheduler,
    devices: overview.devices as z.ZodType,
    /** How many jobs have which status. */
    jobs: z.record(z.string(), z.int()),
  }),
  device: deviceSchema,
  reserve: answerOf(contract.devices.reserve),
  reservations: answerOf(contract.devices.reservations),
  unreserve: answerOf(contract.devices.unreserve),
  df: answerOf(contract.storage.usage),
  cleanup: answerOf(contract.storage.clean),
  settings: answerOf(contract.settings.get),
  policy: scheduler,
  'policy ls': answerOf(contract.scheduler.versions),
  'policy show': answerOf(contract.scheduler.importVersion),
  'policy promote': scheduler,
  'policy rollback': scheduler,
  'policy freeze': scheduler,
  'policy judge': scheduler,
  'policy import': answerOf(contract.scheduler.importVersion),
  'policy calibration': answerOf(contract.scheduler.calibration),
  'policy mode': scheduler,
  'policy accept': scheduler,
  'policy overrule': scheduler,
  goals: z.union([scheduler, goalsPreviewSchema]),
  starts: answerOf(contract.scheduler.expectedStarts),
  start: jobs,
  pin: jobs,
  'policy learning': scheduler,
  undo: jobs,
  drain: scheduler,
  preemption: scheduler,
  interference: answerOf(contract.scheduler.interference),
  why: answerOf(contract.scheduler.explain),
  decisions: answerOf(contract.scheduler.decisions),
  episodes: answerOf(contract.scheduler.episodes),
  'template save': answerOf(contract.templates.save),
  'template ls': answerOf(contract.templates.list),
  'template show': answerOf(contract.templates.get),
  'template use': z.union([job, answerOf(contract.arrays.submit)]),
  'template rename': answerOf(contract.templates.rename),
  'template rm': answerOf(contract.templates.remove),
  'token create': answerOf(contract.tokens.create),
  'token ls': answerOf(contract.tokens.list),
  'token revoke': answerOf(contract.tokens.revoke),
  'notify add': answerOf(contract.notify.add),
  'notify ls': answerOf(contract.notify.list),
  'notify test': answerOf(contract.notify.test),
  'notify rm': answerOf(contract.notify.remove),
  'executor add': answerOf(contract.executors.add),
  'executor ls': answerOf(contract.executors.list),
  'executor show': answerOf(contract.executors.get),
  'executor test': answerOf(contract.executors.test),
  'executor order': answerOf(contract.executors.order),
  'executor rm': answerOf(contract.executors.remove),
  backup: z.object({ file: z.string(), jobs: z.int(), files: z.int(), bytes: z.int() }),
  restore: z.object({
    home: z.string(),
    jobs: z.int(),
    /** Of the Stint that wrote it. */
    version: z.string(),
    createdAtMs: z.number(),
  }),
  'service status': z.object({
    installed: z.boolean(),
    path: z.string(),
    /** As systemctl says it. */
    active: z.string(),
    enabled: z.string(),
    lingering: z.boolean(),
  }),
  export: z.array(pastJobSchema),
  usage: answerOf(contract.history.usage),
};

/** As JSON Schema, draft 2020-12. */
export const jsonSchemaOf = (command: string): object =>
  z.toJSONSchema(JSON_SCHEMAS[command]!, { io: 'output', unrepresentable: 'any' });
