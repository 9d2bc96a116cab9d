import type { SchedulerStatus } from '../../contract/messages.ts';
import { messageOf } from '../../domain/errors.ts';
import { bySeverity, type Finding } from '../../domain/finding.ts';
import type { Rung } from '../../domain/rungSchemas.ts';
import { gpuFindings, type Probed } from './gpuFindings.ts';
import { homeFindings } from './homeFindings.ts';
import { machineFindings, rungFindings } from './machineFindings.ts';
import { softwareFindings } from './softwareFindings.ts';

export interface Patient {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: number;
  readonly rungs: () => Promise<Rung[]>;
  /** null: no engine runs there. */
  readonly engine:
    | (Probed & {
        readonly scheduler: SchedulerStatus;
        /** What it reaches of other programs. */
        readonly connections: () => Finding[];
      })
    | null;
}

/** Looks at everything that Stint and its jobs need, and changes nothing. The gravest findings come first. */
export async function examine({ home, env, nowMs, rungs, engine }: Patient): Promise<Finding[]> {
  const gpus = engine?.devices.some(({ kind }) => kind !== 'virtual') ?? false;
  const looks: readonly (readonly [string, () => Finding[] | Promise<Finding[]>])[] = [
    ['data directory', () => homeFindings(home, nowMs)],
    ['system', () => machineFindings(env)],
    ['devices', () => gpuFindings(env, engine)],
    ['rungs', async () => rungFindings(await rungs())],
    ['connections', () => engine?.connections() ?? []],
    ['software', () => softwareFindings(env, engine?.scheduler ?? null, gpus)],
  ];
  const found = await Promise.all(
    looks.map(async ([about, look]) => {
      try {
        return await look();
      } catch (error) {
        const found = `could not be looked at: ${messageOf(error)}`;
        return [{ about, severity: 'warning', found, remedy: null } satisfies Finding];
      }
    }),
  );
  return bySeverity(found.flat());
}
