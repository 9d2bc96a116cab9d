import type { SearchCursor } from '../../contract/contract.ts';
import { isLive, type Job } from '../../domain/job.ts';
import { isWanted, type JobFilter } from '../../domain/jobFilter.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { JobSearch } from '../store/jobSearch.ts';

const PARTS = ['live', 'waiting', 'over'] as const;

/** A page of the wanted jobs: those that run, those that wait, both by rank, and those that are over, latest first. */
export function searchJobs(
  { limit, after, ...filter }: JobFilter & { limit: number; after: SearchCursor | null },
  ledger: Ledger,
  search: JobSearch,
): { jobs: Job[]; next: SearchCursor | null } {
  const jobs: Job[] = [];
  const from = after === null ? 0 : PARTS.indexOf(after.part);
  const { submitters } = filter;
  const theirs = submitters === undefined || after?.part === 'over' ? null : search.unfinishedBy(submitters);
  for (const part of PARTS.slice(from)) {
    const place = after?.part === part ? after : null;
    if (part === 'over') {
      const over = search.over(
        filter,
        limit - jobs.length,
        place && { finishedAtMs: place.at, id: place.id },
      );
      const next = over.next && { part, at: over.next.finishedAtMs, id: over.next.id };
      return { jobs: [...jobs, ...over.jobs], next };
    }
    for (const job of ledger.inOrder()) {
      if (isLive(job.status) !== (part === 'live')) continue;
      if (place !== null && (job.rank < place.at || (job.rank === place.at && job.id <= place.id))) continue;
      if (!isWanted(job, filter) || theirs?.has(job.id) === false) continue;
      jobs.push(job);
      if (jobs.length === limit) return { jobs, next: { part, at: job.rank, id: job.id } };
    }
  }
  return { jobs, next: null };
}
