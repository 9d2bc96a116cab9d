import { FieldError } from '../../src/domain/errors.ts';

/** Steps/s of each job type: alone under `null`, beside another as `[this, other]`. */
type Throughputs = Readonly<Record<string, Readonly<Record<string, number | readonly [number, number]>>>>;

const GPU_TYPES = ['v100', 'p100', 'k80'] as const;
/** Job types are called `('<kind>', <GPUs>)`: those on one GPU. */
const ON_ONE_GPU = /^\('(.+)', 1\)$/;

/**
 * The text of src/simulator/interferenceTable.ts.
 * @param measured Gavel's `simulation_throughputs.json`, parsed.
 * @throws {FieldError} when it does not hold every pair of the same kinds on every GPU type.
 */
export function interferenceTable(measured: Readonly<Record<string, Throughputs>>): string {
  const types = Object.keys(measured.v100 ?? {}).filter((type) => ON_ONE_GPU.test(type));
  const number = (value: unknown, ...place: string[]): number => {
    if (typeof value === 'number' && value >= 0) return value;
    throw new FieldError(place.join(' '), value, "give the file of Gavel's commit c4fa4009, unchanged");
  };
  const tables = GPU_TYPES.map((gpuType) => {
    const rows = types.map((kind) => {
      const of = measured[gpuType]?.[kind] ?? {};
      const alone = number(of.null, gpuType, kind, 'null');
      const beside = types.map((other) => {
        const pair = of[other];
        return number(Array.isArray(pair) ? pair[0] : pair, gpuType, kind, other);
      });
      return beside.map((value) => Math.round((1000 * value) / alone)).join(' ');
    });
    return `  ${gpuType}: \`\n${rows.join('\n')}\`,`;
  });
  const kinds = types.map((type) => `  '${ON_ONE_GPU.exec(type)![1]}',`);
  return `${HEAD}
/** The job types, as Gavel calls them, in the order of the tables' rows and columns. */
export const MEASURED_KINDS = [
${kinds.join('\n')}
] as const;

/** A row a kind, a column a neighbour: the kind's speed in thousandths of its speed alone; 0: out of memory. */
export const MEASURED_SPEEDS = {
${tables.join('\n')}
} as const;
`;
}

const HEAD = `/**
 * How fast jobs run beside each other on one GPU. Written by scripts/interference.ts; do not edit.
 *
 * Derived from scheduler/simulation_throughputs.json of stanford-futuredata/gavel at c4fa4009 (Narayanan et al.,
 * "Heterogeneity-Aware Cluster Scheduling Policies for Deep Learning Workloads", OSDI '20): the entries on one GPU,
 * each divided by the job type's throughput alone. That file comes under this licence:
 *
 * MIT License. Copyright (c) 2020 Stanford Future Data Systems
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation
 * the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
 * permit persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of
 * the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
 * THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
 * TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 */
`;
