/**
 * The limit that the HDFS sink is measured beside: a bare kafkajs consumer that parses each record twice and writes the same
 * bytes to HDFS, one open PUT per partition, with no guarantees at all.
 */
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Kafka, logLevel } from 'kafkajs';
import { report } from '../../compare/result.ts';
import type { SideRun } from './run.ts';

interface Put {
  readonly request: ClientRequest;
  readonly done: Promise<unknown>;
}

const LINE_FEED = Buffer.from('\n');
const run = JSON.parse(process.argv[2] ?? '{}') as SideRun;
const kafka = new Kafka({ brokers: run.brokers, logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `${run.topic}.bare-${Date.now()}`, maxBytesPerPartition: 1_048_576 });
const puts = new Map<number, Put>();
const begun = { atMs: 0, cpu: process.cpuUsage() };
let seen = 0;

async function openPut(partition: number): Promise<Put> {
  const path = `${run.directory}/bare-${partition}.json`;
  const create = `${run.webHdfsUrl}/webhdfs/v1${path}?op=CREATE&user.name=powergrid&noredirect=true`;
  const reply = (await (await fetch(create, { method: 'PUT' })).json()) as { Location: string };
  const put = request(reply.Location, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' } });
  const done = once(put, 'response').then(async ([response]) => {
    const incoming = response as IncomingMessage;
    incoming.resume();
    if (incoming.statusCode !== 201) throw new Error(`PUT answered ${incoming.statusCode ?? 0}`);
    await once(incoming, 'end');
  });
  return { request: put, done };
}

await consumer.connect();
await consumer.subscribe({ topic: run.topic, fromBeginning: true });
await new Promise<void>((resolve, reject) => {
  consumer
    .run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: async ({ batch }) => {
        if (begun.atMs === 0) {
          begun.atMs = performance.now();
          begun.cpu = process.cpuUsage();
        }
        let put = puts.get(batch.partition);
        if (put === undefined) {
          put = await openPut(batch.partition);
          puts.set(batch.partition, put);
        }
        const lines: Buffer[] = [];
        for (const { value } of batch.messages) {
          if (value === null) continue;
          const envelope = JSON.parse(value.toString('utf8')) as { payload: string };
          const payload = JSON.parse(envelope.payload) as { sensor_id: number };
          if (payload.sensor_id < 0) throw new Error('no such sensor');
          lines.push(value, LINE_FEED);
        }
        if (!put.request.write(Buffer.concat(lines))) await once(put.request, 'drain');
        seen += batch.messages.length;
        if (seen >= run.records) resolve();
      },
    })
    .catch(reject);
});
for (const put of puts.values()) put.request.end();
await Promise.all([...puts.values()].map((put) => put.done));
report(seen, performance.now() - begun.atMs, begun.cpu);
await consumer.disconnect();
