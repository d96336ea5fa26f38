import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../../runtime/config.ts';

/** A row of the speed view, added up over segments and partitions; decimals without needless zeros. */
export interface WindowFigures {
  readonly count: number;
  readonly inexact: number;
  readonly unsquared: number;
  readonly sum: string;
  readonly sumOfSquares: string;
  readonly min: string | null;
  readonly max: string | null;
  readonly first: string;
  readonly last: string;
}

/** A schema of its own in the serving database. */
export class WindowsBed {
  readonly schema: string;
  readonly database: ServingDatabase;

  constructor(schema: string, url = loadConfig().SERVING_DATABASE_URL) {
    this.schema = schema;
    this.database = new ServingDatabase({
      url,
      schema,
      maxConnections: 4,
      timeoutMs: 60_000,
      applicationName: 'test',
    });
  }

  async makeSchema(): Promise<void> {
    await this.dropSchema();
    await this.database.migrate();
  }

  async dropSchema(): Promise<void> {
    await this.database.query(`DROP SCHEMA IF EXISTS ${this.schema} CASCADE`);
  }

  /** All windows of the speed view: `sensor aspect unit resolution start` → what its segments come to together. */
  async windows(): Promise<Map<string, WindowFigures>> {
    const rows = await this.database.query<{ key: string } & WindowFigures>(
      `SELECT concat_ws(' ', sensor_id, aspect, unit, resolution, (extract(epoch FROM window_start))::bigint) AS key,
         sum(reading_count)::float8 AS count, sum(inexact_count)::float8 AS inexact, sum(unsquared_count)::float8 AS unsquared,
         trim_scale(sum(value_sum))::text AS sum, trim_scale(sum(value_sum_of_squares))::text AS "sumOfSquares",
         trim_scale(min(value_min))::text AS min, trim_scale(max(value_max))::text AS max,
         (array_agg(first_order || ' ' || first_value ORDER BY first_order, first_value))[1] AS first,
         (array_agg(last_order || ' ' || last_value ORDER BY last_order DESC, last_value DESC))[1] AS last
       FROM ${this.schema}.speed_view GROUP BY sensor_id, aspect, unit, resolution, window_start`,
    );
    return new Map(rows.map(({ key, ...figures }) => [key, figures]));
  }

  async close(): Promise<void> {
    await this.dropSchema();
    await this.database.close();
  }
}
