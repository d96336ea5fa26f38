import { afterAll, describe, expect, it } from 'vitest';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../../runtime/config.ts';

const SCHEMA = 'test_migrations';
const databases = Array.from(
  { length: 4 },
  () =>
    new ServingDatabase({
      url: loadConfig().SERVING_DATABASE_URL,
      schema: SCHEMA,
      maxConnections: 2,
      timeoutMs: 30_000,
      applicationName: 'test',
    }),
);
const [database] = databases as [ServingDatabase];

afterAll(async () => {
  await database.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await Promise.all(databases.map((each) => each.close()));
});

describe('the schema of the views', () => {
  it('is made once, by however many start at the same time, and left alone afterwards', async () => {
    await database.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
    await Promise.all(databases.map((each) => each.migrate()));
    await database.query(
      `INSERT INTO ${SCHEMA}.batch_build (run_id, boundary, is_rebuild, reading_count, changed_windows) VALUES ('a', '{}', false, 0, 0)`,
    );
    await database.migrate();
    expect(await database.query(`SELECT run_id FROM ${SCHEMA}.batch_build`)).toEqual([{ run_id: 'a' }]);
  });

  it('undoes a transaction that throws, and goes on with the connection', async () => {
    await database.migrate();
    const insert = `INSERT INTO ${SCHEMA}.speed_segment VALUES ('T', 0, 0, 9)`;
    await expect(
      database.inTransaction('Testing', async (transaction) => {
        await transaction.query(insert);
        await transaction.query(insert);
      }),
    ).rejects.toMatchObject({ code: 'serving-database-refused' });
    expect(await database.query(`SELECT * FROM ${SCHEMA}.speed_segment`)).toEqual([]);
  });
});
