/** The table that every side imports. */
import { Client } from 'pg';

/** All of it, as the database has it: what a side leaves is checked against this. */
export interface TableContent {
  readonly rows: number;
  readonly idSum: number;
  /** Of `value_mw`, in ten-thousandths. */
  readonly valueSum: number;
}

export interface TelemetryTable {
  readonly schema: string;
  readonly name: string;
  readonly content: TableContent;
  /** Of its rows as `COPY … TO STDOUT` writes them. */
  readonly textBytes: number;
  /** Whether this run has made it, rather than found it. */
  readonly made: boolean;
}

const SCHEMA = 'bench';
const COLUMNS = 'id, sensor_id, measured_at, value_mw, load, unit';

/** One reading a second, 1,000 sensors in turn, from 2016 on; the same at every making. */
const FILL = (table: string) => `
  INSERT INTO ${table} (${COLUMNS})
  SELECT i, 'sensor-' || (i % 1000 + 1), timestamptz '2016-01-01 00:00:00+00' + i * interval '1 second',
         round((random() * 1000)::numeric, 4), random() * 500, 'MW'
  FROM generate_series(1, $1::bigint) AS i`;

function contentStatement(table: string): string {
  return `SELECT count(*) AS rows, coalesce(sum(id), 0) AS ids, coalesce(sum(value_mw) * 10000, 0)::bigint AS values FROM ${table}`;
}

async function withClient<T>(url: string, signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const client = new Client({ connectionString: url });
  // A connection that is cut ends its statement and rolls back.
  const cut = () => void client.end();
  await client.connect();
  signal.addEventListener('abort', cut, { once: true });
  try {
    return await work(client);
  } finally {
    signal.removeEventListener('abort', cut);
    await client.end();
  }
}

/**
 * Finds `bench.telemetry_<rows>`, or makes it. It is filled in one transaction, so there is never one that lacks rows because
 * its making was broken off.
 */
export function prepareTelemetry(url: string, rows: number, signal: AbortSignal): Promise<TelemetryTable> {
  const name = `telemetry_${rows}`;
  const table = `${SCHEMA}.${name}`;
  return withClient(url, signal, async (client) => {
    const found = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
    const made = found.rows[0]?.there !== true;
    if (made) {
      await client.query('BEGIN');
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
      await client.query(`CREATE TABLE ${table} (
        id bigint PRIMARY KEY, sensor_id text NOT NULL, measured_at timestamptz NOT NULL,
        value_mw numeric(12,4) NOT NULL, load double precision NOT NULL, unit text NOT NULL)`);
      await client.query('SELECT setseed(0.42)');
      await client.query(FILL(table), [rows]);
      await client.query('COMMIT');
    }
    await client.query(`VACUUM ANALYZE ${table}`);
    const counted = await client.query<{ rows: string; ids: string; values: string }>(contentStatement(table));
    const [first] = counted.rows;
    if (Number(first?.rows) !== rows) throw new Error(`${table} has ${first?.rows ?? 'no'} rows; drop it.`);
    const measured = await client.query<{ bytes: string }>(
      `SELECT sum(octet_length(concat_ws(E'\\t', ${COLUMNS})) + 1) AS bytes FROM ${table}`,
    );
    return {
      schema: SCHEMA,
      name,
      content: { rows, idSum: Number(first?.ids), valueSum: Number(first?.values) },
      textBytes: Number(measured.rows[0]?.bytes),
      made,
    };
  });
}

export async function dropTelemetry(url: string, { schema, name }: TelemetryTable): Promise<void> {
  await withClient(url, new AbortController().signal, (client) =>
    client.query(`DROP TABLE IF EXISTS ${schema}.${name}`),
  );
}
