import { FieldError } from '../../domain/errors.ts';
import {
  HTTP_KINDS,
  type NotifyEvent,
  type NotifyRule,
  type NotifyTarget,
  notifyRuleSchema,
  notifyTargetSchema,
} from '../../domain/notifyRule.ts';
import { parseDurationS } from '../../domain/units.ts';

/** A new rule as it is typed. Addresses of mail are separated by commas. */
export interface NotifyForm {
  readonly name: string;
  readonly kind: NotifyTarget['kind'];
  readonly url: string;
  readonly secret: string;
  readonly to: string;
  readonly from: string;
  readonly server: string;
  readonly on: readonly NotifyEvent[];
  readonly over: string;
  readonly user: string;
  readonly project: string;
}
export type NotifyField = keyof NotifyForm;

export const BLANK: NotifyForm = {
  name: '',
  kind: 'ntfy',
  url: '',
  secret: '',
  to: '',
  from: '',
  server: 'smtp://localhost',
  on: ['failed'],
  over: '',
  user: '',
  project: '',
};
export const KINDS = [...HTTP_KINDS, 'mail'] as const;

const NAMES: Readonly<Record<string, NotifyField>> = { overS: 'over', password: 'secret' };
const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** The request that the fields make; `problems`: what to mend beside each, by the engine's own rules. */
export function readNotify(form: NotifyForm): {
  readonly request: (NotifyRule & { target: NotifyTarget }) | null;
  readonly problems: Partial<Record<NotifyField, string>>;
} {
  const problems: Partial<Record<NotifyField, string>> = {};
  let overS: number | null = null;
  try {
    overS = form.over.trim() === '' ? null : parseDurationS(form.over, 'over');
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    problems.over = error.remedy;
  }
  const rule = notifyRuleSchema.safeParse({
    name: form.name.trim(),
    on: form.on,
    overS,
    user: orNull(form.user),
    project: orNull(form.project),
  });
  const target = notifyTargetSchema.safeParse(
    form.kind === 'mail'
      ? {
          kind: form.kind,
          to: form.to.split(',').flatMap((address) => address.trim() || []),
          from: orNull(form.from),
          server: form.server.trim(),
          password: orNull(form.secret),
        }
      : { kind: form.kind, url: form.url.trim(), secret: orNull(form.secret) },
  );
  for (const { path, message } of [...(rule.error?.issues ?? []), ...(target.error?.issues ?? [])]) {
    const name = String(path[0]);
    problems[NAMES[name] ?? (name as NotifyField)] ??= message;
  }
  const request =
    rule.success && target.success && Object.keys(problems).length === 0
      ? { ...rule.data, target: target.data }
      : null;
  return { request, problems };
}
