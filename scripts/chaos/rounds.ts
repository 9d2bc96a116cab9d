import { seededRng } from '../../src/domain/rng.ts';
import { FAULTS, type Fault } from './faults.ts';
import { BAD, type Bad, type Findings, noFindings, verify } from './verify.ts';
import { World } from './world.ts';

export interface Tally {
  readonly fault: string;
  readonly how: string;
  rounds: number;
  /** Rounds in which the fault could not be brought about; they are not among the others. */
  unarranged: number;
  jobs: number;
  /** Starts that were rightly refused. */
  refused: number;
  readonly bad: Record<Bad, number>;
}

export interface Report {
  readonly seed: number;
  readonly tallies: readonly Tally[];
  /** Faults that cannot be made here, and why. */
  readonly skipped: readonly { readonly fault: string; readonly why: string }[];
  readonly details: readonly string[];
  /** What all rounds held together, by name. */
  readonly happened: Readonly<Record<string, number>>;
  readonly badTotal: number;
}

/**
 * Runs rounds, each with one fault, in turn, on a data directory of its own.
 * @param from the first of them, counted from 0: one that went wrong is made again by itself.
 * @param only names of faults; all when empty.
 * @param onRound told after each. @param signal after which no further round begins.
 */
export async function chaos(
  { rounds, seed, from = 0, only }: { rounds: number; seed: number; from?: number; only: readonly string[] },
  onRound: (done: number, fault: string, findings: Findings) => void,
  signal?: AbortSignal,
): Promise<Report> {
  const chosen = FAULTS.filter(({ name }) => only.length === 0 || only.includes(name));
  const skipped = chosen.flatMap(({ name, unavailable }) => {
    const why = unavailable();
    return why === null ? [] : [{ fault: name, why }];
  });
  const faults = chosen.filter(({ unavailable }) => unavailable() === null);
  const tallies = faults.map(
    ({ name, how }): Tally => ({
      fault: name,
      how,
      rounds: 0,
      unarranged: 0,
      jobs: 0,
      refused: 0,
      bad: noFindings().counts,
    }),
  );
  const details: string[] = [];
  const happened: Record<string, number> = {};
  for (let round = from; round < rounds && faults.length > 0 && !signal?.aborted; round++) {
    const at = round % faults.length;
    const tally = tallies[at]!;
    const { findings, jobs, refused, unarranged } = await oneRound(faults[at]!, 1000 * seed + round);
    if (unarranged) {
      tally.unarranged++;
      onRound(round + 1, tally.fault, findings);
      continue;
    }
    tally.rounds++;
    tally.jobs += jobs;
    if (refused) tally.refused++;
    for (const bad of BAD) tally.bad[bad] += findings.counts[bad];
    for (const [what, times] of findings.happened) happened[what] = (happened[what] ?? 0) + times;
    details.push(...findings.details.map((line) => `round ${round} (${tally.fault}) ${line}`));
    onRound(round + 1, tally.fault, findings);
  }
  const badTotal = tallies.flatMap(({ bad }) => Object.values(bad)).reduce((a, b) => a + b, 0);
  return { seed, tallies, skipped, details, happened, badTotal };
}

async function oneRound(
  fault: Fault,
  seed: number,
): Promise<{ findings: Findings; jobs: number; refused: boolean; unarranged?: true }> {
  const world = new World(seededRng(seed));
  try {
    const { wrong, refused, forgetful, unarranged } = await fault.run(world);
    if (unarranged !== undefined)
      return { findings: noFindings(), jobs: 0, refused: false, unarranged: true };
    const findings = refused ? noFindings() : await verify(world, forgetful);
    if (wrong !== undefined) {
      findings.counts.wrong++;
      findings.details.push(`wrong: ${wrong}`);
    }
    return { findings, jobs: world.jobs.length, refused: refused === true };
  } catch (error) {
    const findings = noFindings();
    findings.counts.wrong++;
    findings.details.push(`wrong: the round itself failed: ${(error as Error).stack}`);
    return { findings, jobs: world.jobs.length, refused: false };
  } finally {
    await world.dispose();
  }
}
