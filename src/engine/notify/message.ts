import type { NotifyItem } from '../../domain/notifyRule.ts';

/** What is told at once: a rule's target may have been away for hours, and hears of everything in one piece. */
export interface Message {
  readonly rule: string;
  readonly host: string;
  /** The same for the same message when it is sent again, so that whoever gets it can tell. */
  readonly delivery: string;
  readonly title: string;
  /** A line for each of the first items. */
  readonly text: string;
  readonly items: readonly NotifyItem[];
}

const LINES = 10;

/** @param firstId of the outbox; null: a test. */
export function messageOf(
  rule: string,
  host: string,
  items: readonly NotifyItem[],
  firstId: number | null,
): Message {
  const [first] = items;
  const title = items.length === 1 ? `${host}: ${headline(first!)}` : `${host}: ${summary(items)}`;
  const lines = items.slice(0, LINES).map(({ text }) => text);
  if (items.length > LINES) lines.push(`and ${items.length - LINES} more`);
  const delivery = firstId === null ? `${rule}-test-${first!.atMs}` : `${rule}-${firstId}`;
  return { rule, host, delivery, title, text: lines.join('\n'), items };
}

function headline({ event, job, device }: NotifyItem): string {
  if (event === 'test') return 'a test';
  if (job !== null) return `job ${job.id} ${job.status}`;
  return `GPU ${device?.index} lost`;
}

function summary(items: readonly NotifyItem[]): string {
  const counted = Map.groupBy(items, ({ job, event }) => job?.status ?? event);
  return [...counted].map(([what, those]) => `${those.length} ${what}`).join(', ');
}
