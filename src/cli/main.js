#!/usr/bin/env node
// JavaScript, unlike all that it asks for: from the sources, types are stripped once and the result is found in the cache from then on;
// but an entry is read before there is a cache, and to load what strips types takes longer than all else here.
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

// What is imported by name is compiled before this line is reached: so all that follows is asked for after it.
const caches = process.env.XDG_CACHE_HOME;
enableCompileCache(join(caches && isAbsolute(caches) ? caches : join(homedir(), '.cache'), 'stint'));

// `stint ls | head` closes our output early: that is no error, and nobody reads what would follow.
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { processContext } = await import('./context.ts');
const { runCommandLine } = await import('./run.ts');
await runCommandLine(process.argv.slice(2), processContext());
