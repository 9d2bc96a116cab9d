/**
 * Judges trained weights against the heuristics and their demonstrator, on the same simulated days for all:
 *
 *   node scripts/evaluateFirstLight.ts [--rehearse] [FILE]
 *
 * The days are those of EVALUATION_RANGE, which no training and no choice may have seen. The outcome goes into FILE
 * (resources/policy/first-light.json) and the .md beside it; scripts/policy/judged.json keeps count of the weights
 * that have been judged on these days. With --rehearse the validation days serve, and nothing is written: for all
 * that is not the last word.
 */
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FieldError } from '../src/domain/errors.ts';
import { loadShippedPolicy } from '../src/learning/shippedPolicy.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../src/scheduler/policies/dqn.ts';
import { ROOT } from './lib/run.ts';
import { compare } from './policy/compare.ts';
import { daysOf, EVALUATION_RANGE, VALIDATION_DAYS, validationDays } from './policy/days.ts';
import { noteLook } from './policy/judged.ts';
import { digestOf, readRecord, writeRecord } from './policy/record.ts';
import { tableOf } from './policy/report.ts';

const { values: options, positionals } = parseArgs({
  options: { rehearse: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const path = resolve(positionals[0] ?? resolve(ROOT, 'resources/policy/first-light.json'));
if (!path.endsWith('.json')) throw new FieldError('FILE', path, 'name the .json file of a trained policy');
const { weights, name } = await loadShippedPolicy(path);
const record = await readRecord(path);
const dqn = createDqnPolicy({ weights, version: name, exploration: NO_EXPLORATION });

if (options.rehearse) {
  process.stdout.write(`${tableOf(compare(dqn, validationDays(record.seed), VALIDATION_DAYS))}\n`);
} else {
  const digest = digestOf(record.weights);
  const judgedBefore = await noteLook(EVALUATION_RANGE, digest);
  const evaluation = {
    command: `node scripts/evaluateFirstLight.ts ${relative(ROOT, path)}`,
    range: EVALUATION_RANGE,
    weights: digest,
    judgedBefore,
    comparisons: compare(dqn, daysOf(EVALUATION_RANGE), EVALUATION_RANGE.daysEach),
  };
  process.stdout.write(await writeRecord(path, { ...record, evaluation }));
}
