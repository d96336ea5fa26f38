/** The limit that the import from SQL Server is measured beside: a streamed SELECT whose rows go nowhere. */
import { once } from 'node:events';
import sql from 'mssql';
import { serverAddress } from '../../connectors/sqlserver/address.ts';
import { machineCpuSeconds } from '../compare/process-usage.ts';
import { report } from '../compare/result.ts';
import type { BareSqlServerRun } from './run.ts';

const run = JSON.parse(process.argv[2] ?? '{}') as BareSqlServerRun;
const pool = new sql.ConnectionPool({ ...serverAddress(run.databaseUrl).config, requestTimeout: 0 });
await pool.connect();

const begunMs = performance.now();
const cpuAtStart = process.cpuUsage();
const machineCpuBefore = machineCpuSeconds();
let rows = 0;
const request = pool.request();
request.stream = true;
request.arrayRowMode = true;
request.on('row', () => rows++);
// A failure rejects: `once` listens to `error` as well.
const done = once(request, 'done');
void request.query(`SELECT * FROM ${run.table}`);
await done;
report(rows, performance.now() - begunMs, cpuAtStart, {
  machineCpuSecondsPerMillion: (machineCpuSeconds() - machineCpuBefore) / (run.records / 1e6),
});
await pool.close();
