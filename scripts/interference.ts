/**
 * Derives src/simulator/interferenceTable.ts from Gavel's measurements, which are not part of the project:
 *
 *   node scripts/interference.ts [FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { interferenceTable } from './lib/interferenceTable.ts';

const root = resolve(import.meta.dirname, '..');
const source = process.argv[2] ?? join(root, '../shared/colocation/gavel-simulation-throughputs.json');
const target = join(root, 'src/simulator/interferenceTable.ts');
writeFileSync(target, interferenceTable(JSON.parse(readFileSync(source, 'utf8'))));
console.log(`wrote ${target}`);
