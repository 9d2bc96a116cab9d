import type { Episode } from '../../domain/episode.ts';
import type { Database } from './database.ts';

interface Row {
  readonly id: number;
  readonly body: string;
}

/** Busy periods of the machine. */
export function episodeStore(db: Database) {
  const insert = db.prepare<[number, string]>('INSERT INTO episodes (started_at_ms, body) VALUES (?, ?)');
  const update = db.prepare<[number | null, string, number]>(
    'UPDATE episodes SET ended_at_ms = ?, body = ? WHERE id = ?',
  );
  const open = db.prepare<[], Row>(
    'SELECT id, body FROM episodes WHERE ended_at_ms IS NULL ORDER BY id DESC LIMIT 1',
  );
  const latest = db.prepare<[number], Row>('SELECT id, body FROM episodes ORDER BY id DESC LIMIT ?');
  const parse = (row: Row): Episode => ({ ...(JSON.parse(row.body) as Omit<Episode, 'id'>), id: row.id });
  return {
    insert(episode: Omit<Episode, 'id'>): Episode {
      return {
        id: Number(insert.run(episode.startedAtMs, JSON.stringify(episode)).lastInsertRowid),
        ...episode,
      };
    },
    update: (episode: Episode): void =>
      void update.run(episode.endedAtMs, JSON.stringify(episode), episode.id),
    /** The one that is under way. */
    open(): Episode | null {
      const row = open.get();
      return row ? parse(row) : null;
    },
    /** Latest first. */
    list: (limit: number): Episode[] => latest.all(limit).map(parse),
  };
}
export type EpisodeStore = ReturnType<typeof episodeStore>;
