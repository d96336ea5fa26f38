import type { ServingDatabase } from './serving-database.ts';

/** An answer to a question about words, as the serving database keeps it. */
export interface KeptWordCount {
  /** Names the question about the very versions of the files. */
  readonly question: string;
  /** The path that was counted. */
  readonly subject: string;
  /** ISO 8601. */
  readonly countedAt: string;
  readonly total: number;
  readonly distinct: number;
  /** The whole answer. */
  readonly answer: unknown;
}

/**
 * Puts an answer in the place of what was there; makes the table when it is not there yet.
 *
 * @throws GridError `serving-database-unavailable`, `serving-database-refused`
 */
export async function keepWordCount(database: ServingDatabase, kept: KeptWordCount): Promise<void> {
  await database.migrate();
  // What PostgreSQL's text cannot hold stands escaped in the answer, and is left out of the path beside it.
  const subject = kept.subject.toWellFormed().replaceAll('\0', '');
  await database.query(
    `INSERT INTO ${database.schema}.word_count (question, subject, counted_at, total, distinct_words, answer)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (question) DO UPDATE SET subject = excluded.subject, counted_at = excluded.counted_at,
       total = excluded.total, distinct_words = excluded.distinct_words, answer = excluded.answer`,
    [kept.question, subject, kept.countedAt, kept.total, kept.distinct, JSON.stringify(kept.answer)],
  );
}
