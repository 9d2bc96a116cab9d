#!/usr/bin/env node
// What an installed `stint` is. It imports nothing by name, because an older Node would fail on the import, or crash in
// better-sqlite3, before it could be told why.
const OLDEST = 22;
const major = Number.parseInt(process.versions.node, 10);
if (major < OLDEST) {
  process.stderr.write(
    `stint: this is Node ${process.versions.node} (${process.execPath}), and Stint needs Node ${OLDEST} or newer; ` +
      'put one first on the PATH, or install it with that one\n',
  );
  process.exitCode = 1;
} else {
  await import('./main.js');
}

export {};
