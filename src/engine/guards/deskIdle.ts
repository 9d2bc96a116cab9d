import { programOutput } from '../programOutput.ts';

/** Says since when nobody has touched keyboard or mouse. */
export interface DeskIdle {
  /** Milliseconds; null: nobody sits at this machine, or it cannot be told. */
  idleMs(): Promise<number | null>;
}

const TIMEOUT_MS = 2000;

/**
 * The desk as systemd-logind knows it: the least idle of the local sessions of people (`IdleHint`, which desktops
 * keep; a text console counts by its terminal). Where there is no logind but an X display, its screensaver's counter is
 * asked (`xprintidle`).
 */
export function systemDesk(env: NodeJS.ProcessEnv, nowMs: () => number = Date.now): DeskIdle {
  return {
    async idleMs() {
      const byLogind = await logindIdleMs(env, nowMs());
      if (byLogind !== undefined) return byLogind;
      return env.DISPLAY ? screensaverIdleMs(env) : null;
    },
  };
}

/** undefined: there is no logind to ask. */
async function logindIdleMs(env: NodeJS.ProcessEnv, nowMs: number): Promise<number | null | undefined> {
  const list = await output('loginctl', ['list-sessions', '--no-legend'], env);
  if (list === null) return undefined;
  const ids = list.split('\n').flatMap((line) => /^\s*(\S+)/.exec(line)?.[1] ?? []);
  if (ids.length === 0) return null;
  const properties = ['Class', 'Remote', 'State', 'Type', 'IdleHint', 'IdleSinceHint'];
  const shown = await output('loginctl', ['show-session', ...ids, ...properties.map((p) => `-p${p}`)], env);
  return shown === null ? undefined : idleOfSessions(shown, nowMs);
}

/**
 * The least idle of the sessions in the words of `loginctl show-session` (properties, sessions apart by an empty line).
 * @returns milliseconds; null: none is a person's at this machine.
 */
export function idleOfSessions(text: string, nowMs: number): number | null {
  let least: number | null = null;
  for (const block of text.split(/\n\s*\n/)) {
    const of = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1]?.trim() ?? '';
    if (of('Class') !== 'user' || of('Remote') === 'yes' || of('State') === 'closing') continue;
    if (!['x11', 'wayland', 'mir', 'tty'].includes(of('Type'))) continue;
    const sinceMs = Number(of('IdleSinceHint')) / 1000;
    const idleMs = of('IdleHint') === 'yes' && sinceMs > 0 ? Math.max(0, nowMs - sinceMs) : 0;
    least = least === null ? idleMs : Math.min(least, idleMs);
  }
  return least;
}

async function screensaverIdleMs(env: NodeJS.ProcessEnv): Promise<number | null> {
  const text = await output('xprintidle', [], env);
  const idleMs = Number(text?.trim() || Number.NaN);
  return Number.isFinite(idleMs) && idleMs >= 0 ? idleMs : null;
}

const output = (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> =>
  programOutput(program, args, env, TIMEOUT_MS);
