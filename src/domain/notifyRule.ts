import { z } from 'zod';

/**
 * failed: a job failed, timed out or was lost, and is not tried again. finished: a job is over, however it ended; with
 * `overS` only one that ran so long. gpu-lost: a GPU cannot be read any more.
 */
export const NOTIFY_EVENTS = ['failed', 'finished', 'gpu-lost'] as const;
export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];

/** Services that take a message over HTTP, each in its own words; `webhook` is ours. */
export const HTTP_KINDS = ['webhook', 'ntfy', 'slack', 'discord', 'feishu', 'dingtalk'] as const;
export type HttpKind = (typeof HTTP_KINDS)[number];

const secretText = z
  .string('give a text')
  .min(1, 'give at least one character')
  .max(1000, 'keep it within 1000 characters')
  .refine((text) => !/[\r\n\0]/.test(text), 'keep it in one line');
const address = z
  .string('give an address')
  .max(254, 'keep an address within 254 characters')
  .regex(/^[^\s<>,;"]+@[^\s<>,;"@]+$/, 'give an address, such as ada@example.org');

export const notifyTargetSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(HTTP_KINDS),
    url: z
      .url({ protocol: /^https?$/, error: 'give an address that begins with https:// or http://' })
      .max(2000),
    /** What requests are signed with, or for ntfy the token; null: a webhook is given one, the others have none. */
    secret: secretText.nullable().default(null),
  }),
  z.strictObject({
    kind: z.literal('mail'),
    to: z.array(address).min(1, 'give at least one address').max(20, 'give at most 20 addresses'),
    /** null: `stint@` this machine. */
    from: address.nullable().default(null),
    /** `smtps://user@host:465` speaks TLS at once, `smtp://user@host:587` after STARTTLS; without a user as the server likes. */
    server: z
      .url({ protocol: /^smtps?$/, error: 'give a mail server, such as smtps://user@mail.example.org' })
      .max(2000)
      .default('smtp://localhost'),
    password: secretText.nullable().default(null),
  }),
]);
export type NotifyTarget = z.output<typeof notifyTargetSchema>;

/** When somebody is told, and of what. */
export const notifyRuleSchema = z.strictObject({
  name: z
    .string('give a name')
    .regex(/^[\w-][\w.-]{0,63}$/, 'give 1 to 64 letters, digits, dots, dashes or underscores'),
  on: z
    .array(z.enum(NOTIFY_EVENTS, `choose from ${NOTIFY_EVENTS.join(', ')}`))
    .min(1, 'give at least one event')
    .max(NOTIFY_EVENTS.length, 'give each event once'),
  /** Of jobs that finished: only those that ran so long, in seconds; null: all. */
  overS: z
    .number('give seconds')
    .min(0, 'give 0 or more seconds')
    .max(3.2e8, 'give less than ten years')
    .nullable()
    .default(null),
  /** Only jobs of this user; null: of all. */
  user: z.string().min(1, 'give a user').max(100).nullable().default(null),
  /** Only jobs of this project; null: of all. */
  project: z.string().min(1, 'give a project').max(100).nullable().default(null),
});
export type NotifyRule = z.output<typeof notifyRuleSchema>;

/** A rule as it may be shown: without address and secret, which may let anybody write there. */
export const notifyViewSchema = notifyRuleSchema.extend({
  kind: z.enum([...HTTP_KINDS, 'mail']),
  /** The host, or the addresses that mail goes to. */
  to: z.string(),
  createdAtMs: z.number(),
  /** Events that are not told yet. */
  waiting: z.int(),
  /** Attempts that failed since the last that worked, and when the next is made; null: none is due. */
  attempts: z.int(),
  nextAtMs: z.number().nullable(),
  lastSentAtMs: z.number().nullable(),
  lastError: z.string().nullable(),
  /** Events that nobody was told of, because it did not work for a day or they were too many. */
  dropped: z.int(),
});
export type NotifyView = z.output<typeof notifyViewSchema>;

/** One thing that happened, as it is told. */
export const notifyItemSchema = z.object({
  event: z.enum([...NOTIFY_EVENTS, 'test']),
  atMs: z.number(),
  /** In a sentence, for people. */
  text: z.string(),
  job: z
    .object({
      id: z.int(),
      name: z.string(),
      user: z.string(),
      project: z.string(),
      status: z.string(),
      exitCode: z.int().nullable(),
      /** Seconds that it ran. */
      ranS: z.number(),
      diagnosis: z.string().nullable(),
    })
    .nullable(),
  device: z.object({ id: z.string(), index: z.int(), name: z.string() }).nullable(),
});
export type NotifyItem = z.output<typeof notifyItemSchema>;

/** True: this rule tells of it. */
export function concerns(
  rule: Pick<NotifyRule, 'on' | 'overS' | 'user' | 'project'>,
  item: NotifyItem,
): boolean {
  if (item.event === 'test' || !rule.on.includes(item.event)) return false;
  if (item.job === null) return true;
  if (rule.user !== null && rule.user !== item.job.user) return false;
  if (rule.project !== null && rule.project !== item.job.project) return false;
  return item.event !== 'finished' || rule.overS === null || item.job.ranS >= rule.overS;
}
