import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { sized } from '../support/test-size.ts';

/** Rows that are there before anything is written; ids 1 to this. */
export const FIRST_ROWS = sized(600_000, 2_000_000);
/** Ids never pass this. */
export const MOST_IDS = 2 * FIRST_ROWS;

/**
 * A table whose every change is kept beside it, with the transaction that made it: so what the table held at any snapshot can
 * be told afterwards, by the snapshot's text alone.
 */
const SCHEMA = `
  CREATE TABLE public.readings (
    id bigint PRIMARY KEY,
    sensor_id text NOT NULL,
    measured_at timestamptz NOT NULL,
    value numeric(12,4),
    note text
  );
  INSERT INTO public.readings
    SELECT g, 'sensor-' || g % 500, timestamptz '2016-01-01' + g * interval '1 second', (g % 100000) / 7.0,
           CASE g % 1000 WHEN 0 THEN E'tab\\there\\nand \\\\ there' WHEN 1 THEN NULL WHEN 2 THEN '' ELSE 'quarter-hour' END
    FROM generate_series(1, ${FIRST_ROWS}) g;
  CREATE TABLE public.no_key (sensor_id text, value double precision);
  INSERT INTO public.no_key SELECT 'sensor-' || g % 10, g / 3.0 FROM generate_series(1, 20000) g;
  CREATE TABLE public.nothing (id int PRIMARY KEY);
  CREATE SCHEMA trace;
  CREATE TABLE trace.changes (
    seq bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint NOT NULL,
    line text -- NULL: deleted
  );
  CREATE FUNCTION trace.line(r public.readings) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT r.id || '|' || r.sensor_id || '|' || (r.measured_at AT TIME ZONE 'UTC')::text || '|' || coalesce(r.value::text, '-') || '|' || coalesce(md5(r.note), '-') $$;
  CREATE FUNCTION trace.record() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'DELETE' THEN INSERT INTO trace.changes (id, line) VALUES (OLD.id, NULL);
    ELSE INSERT INTO trace.changes (id, line) VALUES (NEW.id, trace.line(NEW)); END IF;
    RETURN NULL;
  END $$;
  CREATE TABLE trace.first AS SELECT id, trace.line(r) AS line FROM public.readings r;
  CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON public.readings FOR EACH ROW EXECUTE FUNCTION trace.record();
  ANALYZE public.readings;
`;

/** What the table held at a snapshot: each row as a line, in no order. */
const AT_SNAPSHOT = `
  WITH newest AS (
    SELECT DISTINCT ON (id) id, line FROM trace.changes
    WHERE pg_visible_in_snapshot(xid, $1::pg_snapshot) ORDER BY id, seq DESC
  )
  SELECT line FROM newest WHERE line IS NOT NULL
  UNION ALL
  SELECT line FROM trace.first f WHERE NOT EXISTS (SELECT FROM newest n WHERE n.id = f.id)`;

export async function createHistory(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  await client.end();
}

/** Calls `take` with each row that the table held at the snapshot. */
export async function readAtSnapshot(url: string, snapshot: string, take: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query({ text: `DECLARE c NO SCROLL CURSOR FOR ${AT_SNAPSHOT}`, values: [snapshot] });
  for (;;) {
    const { rows } = await client.query<{ line: string }>('FETCH 20000 FROM c');
    if (rows.length === 0) break;
    for (const { line } of rows) take(line);
  }
  await client.end();
}

/** Inserts, updates and deletes rows until it is stopped, over restarts of the server; some transactions stay open for seconds. */
export class Writers {
  readonly #url: string;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[];
  #next = FIRST_ROWS + 1;
  transactions = 0;

  constructor(url: string) {
    this.#url = url;
    this.#running = [this.#write(0), this.#write(1_500)];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  /** A method, so that the compiler does not take the state for what it was before an await. */
  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #write(openForMs: number): Promise<void> {
    while (!this.#isStopping()) {
      const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 2_000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        while (!this.#isStopping()) {
          await this.#transaction(client, openForMs);
          this.transactions++;
          await delay(20);
        }
      } catch {
        // The server is being restarted; what was not committed was never there.
        await delay(300);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  async #transaction(client: pg.Client, openForMs: number): Promise<void> {
    const first = this.#next;
    this.#next += 20;
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO public.readings SELECT g, 'late-' || g % 7, now(), NULL, 'written meanwhile' FROM generate_series($1::bigint, $1::bigint + 19) g`,
      [first],
    );
    const changed = 1 + randomInt(FIRST_ROWS - 100);
    await client.query('UPDATE public.readings SET value = value + 1 WHERE id BETWEEN $1 AND $1 + 9', [changed]);
    await client.query('DELETE FROM public.readings WHERE id = $1', [1 + randomInt(FIRST_ROWS)]);
    if (openForMs > 0) await delay(openForMs);
    await client.query(randomInt(5) === 0 ? 'ROLLBACK' : 'COMMIT');
  }
}
