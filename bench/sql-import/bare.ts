/**
 * The limit that the import is measured beside: one process that pipes COPY through gzip into one PUT to HDFS, with no snapshot
 * kept, nothing verified, no splits and no second try.
 */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { machineCpuSeconds } from '../compare/process-usage.ts';
import { report } from '../compare/result.ts';
import type { BareRun } from './run.ts';

const run = JSON.parse(process.argv[2] ?? '{}') as BareRun;
const client = new Client({ connectionString: run.databaseUrl });
await client.connect();

const begunMs = performance.now();
const cpuAtStart = process.cpuUsage();
const machineCpuBefore = machineCpuSeconds();
const create = `${run.webHdfsUrl}/webhdfs/v1${run.directory}/bare.tsv.gz?op=CREATE&user.name=${run.hdfsUser}&noredirect=true`;
const reply = (await (await fetch(create, { method: 'PUT' })).json()) as { Location: string };
const put = request(reply.Location, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' } });
const answered = once(put, 'response').then(async ([response]) => {
  const incoming = response as IncomingMessage;
  incoming.resume();
  if (incoming.statusCode !== 201) throw new Error(`PUT answered ${incoming.statusCode ?? 0}`);
  await once(incoming, 'end');
});
const rows = client.query(copyTo(`COPY ${run.table} TO STDOUT`));
await pipeline(rows, createGzip({ level: 1, chunkSize: 262_144 }), put);
await answered;
report(rows.rowCount, performance.now() - begunMs, cpuAtStart, {
  machineCpuSecondsPerMillion: (machineCpuSeconds() - machineCpuBefore) / (run.records / 1e6),
});
await client.end();
