import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const common = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  dangerouslyIgnoreUnhandledErrors: false,
  // Hundreds of commands and engines are started: each compiles only what none before it did.
  env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url)) },
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        // Mostly pure: files share their workers, which saves loading the same modules for each.
        test: {
          ...common,
          name: 'unit',
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          include: [
            'test/{domain,contract,scheduler,learning,simulator,lab,cli,renderer,build}/**/*.test.ts',
          ],
        },
      },
      {
        // Real SQLite files, child processes, sockets: two files at a time. What loses a race against a busy machine is
        // told as "retry" in the report and tried once more: a real fault fails twice.
        test: {
          ...common,
          name: 'engine',
          include: ['test/{engine,headless}/**/*.test.ts'],
          maxWorkers: 2,
          retry: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
        },
      },
      {
        // Real browsers: two files at a time.
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          maxWorkers: 2,
          retry: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
