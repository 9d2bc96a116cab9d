/** What a placeholder stands for, by its name: the parameters of a sweep, and `index`. */
export type Values = Readonly<Record<string, string>>;

/** `{lr}`, but not `${lr}`, which is a shell's; `{{lr}}` is for whoever wants the braces. */
const PLACEHOLDER = /\$?\{\{([A-Za-z_]\w*)\}\}|\$?\{([A-Za-z_]\w*)\}/g;

/** The text with the values in place of `{lr}` and the like; what stands in braces and is no parameter stays as it is. */
export function filled(text: string, values: Values): string {
  return text.replace(PLACEHOLDER, (whole, doubled: string | undefined, name: string | undefined) => {
    if (doubled !== undefined) return Object.hasOwn(values, doubled) ? `${dollar(whole)}{${doubled}}` : whole;
    if (name === undefined || whole.startsWith('$') || !Object.hasOwn(values, name)) return whole;
    return values[name]!;
  });
}

const dollar = (whole: string): string => (whole.startsWith('$') ? '$' : '');

/** What of a job may have placeholders. */
export interface Fillable {
  readonly command: readonly string[];
  readonly name?: string | null | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly preCommand?: string | null | undefined;
  readonly postCommand?: string | null | undefined;
}

/** The job of these values: command, hooks, name and the values of its variables are filled in. */
export function filledJob<Spec extends Fillable>(spec: Spec, values: Values) {
  const env = Object.entries(spec.env ?? {}).map(([key, value]) => [key, filled(value, values)] as const);
  return {
    ...spec,
    command: spec.command.map((argument) => filled(argument, values)),
    name: spec.name == null ? null : filled(spec.name, values),
    ...(spec.preCommand == null ? {} : { preCommand: filled(spec.preCommand, values) }),
    ...(spec.postCommand == null ? {} : { postCommand: filled(spec.postCommand, values) }),
    env: Object.fromEntries(env) as Record<string, string>,
  };
}

/** Those parameters that a job nowhere uses. */
export function unusedParameters(spec: Fillable, names: readonly string[]): string[] {
  const { command, name, preCommand, postCommand, env } = spec;
  const texts = [...command, name ?? '', preCommand ?? '', postCommand ?? '', ...Object.values(env ?? {})];
  return names.filter((name) => {
    const mark = { [name]: '\0' };
    return !texts.some((text) => filled(text, mark).includes('\0'));
  });
}
