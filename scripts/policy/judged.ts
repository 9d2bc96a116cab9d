import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DayRange } from './days.ts';

/** Which weights have been judged on which days: held-out days are worth what has not been learnt from them. */
interface Look {
  readonly range: DayRange;
  readonly weights: string;
}

const LEDGER = join(import.meta.dirname, 'judged.json');

/** Notes that these weights are about to be judged on the range. @returns how many others were before. */
export async function noteLook(range: DayRange, weights: string): Promise<number> {
  const looks = JSON.parse(await readFile(LEDGER, 'utf8')) as Look[];
  const seeds = new Set(range.baseSeeds);
  const here = looks.filter((look) => look.range.baseSeeds.some((base) => seeds.has(base)));
  const index = here.findIndex((look) => look.weights === weights);
  if (index >= 0) return index;
  await writeFile(LEDGER, `${JSON.stringify([...looks, { range, weights }], null, 2)}\n`);
  return here.length;
}
