import type { Scope } from '../domain/apiToken.ts';

/** Whole groups and single procedures. What is in neither list is for admins. */
const READ = new Set([
  'system',
  'watch',
  'jobs.list',
  'jobs.search',
  'jobs.get',
  'jobs.memory',
  'jobs.code',
  'jobs.attempts',
  'jobs.events',
  'jobs.metrics',
  'arrays.get',
  'executors.list',
  'executors.get',
  'history',
  'templates.list',
  'templates.get',
  'logs',
  'devices.list',
  'devices.samples',
  'devices.focus',
  'devices.reservations',
  'devices.allocations',
  'scheduler.status',
  'scheduler.decisions',
  'scheduler.explain',
  'scheduler.expectedStarts',
  'scheduler.calibration',
  'scheduler.interference',
  'scheduler.versions',
  'scheduler.learningCurve',
  'scheduler.episodes',
  'goals.preview',
  'settings.get',
  'storage.usage',
]);
const ACT = new Set([
  'jobs',
  'arrays',
  'templates',
  'scheduler.drain',
  'scheduler.accept',
  'scheduler.overrule',
]);

/**
 * What a token needs to call a procedure over HTTP.
 * @param path the procedure's place in the contract, such as ['jobs', 'submit'].
 */
export function scopeOf(path: readonly string[]): Scope {
  const within = (set: ReadonlySet<string>): boolean => set.has(path.join('.')) || set.has(path[0] ?? '');
  if (within(READ)) return 'read';
  return within(ACT) ? 'act' : 'admin';
}
