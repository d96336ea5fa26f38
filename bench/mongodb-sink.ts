/**
 * The document sink: documents per second beside bare `bulkWrite` by `_id` of the same documents, made before the clock
 * starts, with the same write concern. Both get batches of 5,000 records from six partitions at once; the sink decodes,
 * checks and converts each record as well. Afterwards every record must be one document.
 *
 *   npx tsx bench/mongodb-sink.ts [records, default 60000] [runs, default 3]
 */
import { Double, MongoClient, type AnyBulkWriteOperation } from 'mongodb';
import { pino } from 'pino';
import { MongodbConnection } from '../connectors/mongodb/connection.ts';
import type { ConsumedBatch } from '../connectors/kafka/consume/consumed.ts';
import { encodeEnvelope } from '../grid/envelope.ts';
import { createRouteTable } from '../grid/route.ts';
import { loadConfig } from '../runtime/config.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { createMongodbSink } from '../streaming/sinks/mongodb/mongodb-sink.ts';

const records = Number(process.argv[2] ?? 60_000);
const runs = Number(process.argv[3] ?? 3);
const PARTITIONS = 6;
const BATCH = 5_000;

const config = loadConfig();
const limits = { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: 3_600_000 };
const table = createRouteTable({
  default: {
    hdfsPath: 'dt={event_day}',
    sinks: { hdfs: true, redis: true, mongodb: true, windows: true, alarms: true },
  },
  routes: [],
});
const databaseName = `bench_documents_${process.pid}`;
const client = new MongoClient(config.MONGODB_URL, { writeConcern: { w: 'majority', journal: true } });
const database = client.db(databaseName);
const connection = new MongodbConnection({
  url: config.MONGODB_URL,
  database: databaseName,
  logger: pino({ level: 'silent' }),
  applicationName: 'bench',
  replyTimeoutMs: 60_000,
});

/** The records as six partitions would deliver them. */
const partitions = Array.from({ length: PARTITIONS }, (_, partition): ConsumedBatch[] => {
  const own = Array.from({ length: Math.floor(records / PARTITIONS) }, (__, offset) => {
    const value = encodeEnvelope({
      sensorId: String((offset * 7_919) % 10_000),
      modality: '421.25',
      unit: 'MW',
      aspect: 'real_time',
      correlationId: `6f1b5c1e-8d5a-4b57-9c43-${String(offset * PARTITIONS + partition).padStart(12, '0')}`,
      createdAt: `${1_700_000_000 + offset}.122458`,
    });
    return { offset, key: null, value: Buffer.from(value), timestampMs: Date.now(), headers: {} };
  });
  const batches: ConsumedBatch[] = [];
  for (let at = 0; at < own.length; at += BATCH) {
    const part = own.slice(at, at + BATCH);
    const nextOffset = at + part.length;
    batches.push({ topic: '', partition, records: part, nextOffset, highWatermark: own.length, expiredOffsets: 0 });
  }
  return batches;
});

interface Envelope {
  payload: string;
  correlation_id: string;
  created_at: number;
  schema_version: number;
}
type Row = Omit<Envelope, 'created_at'> & { _id: string; created_at: Double };

/** The same documents, made ahead. */
const ready = (collection: string) =>
  partitions.map((batches) =>
    batches.map((batch) =>
      Array.from(batch.records, ({ offset, value }): Row => {
        const envelope = JSON.parse(String(value)) as Envelope;
        return {
          _id: `${collection}+${batch.partition}+${offset}`,
          ...envelope,
          created_at: new Double(envelope.created_at),
        };
      }),
    ),
  );

const bare =
  (operation: (row: Row) => AnyBulkWriteOperation<Row>) =>
  (collection: string): (() => Promise<unknown>) => {
    const rows = ready(collection);
    const target = database.collection<Row>(collection);
    return () =>
      Promise.all(
        rows.map(async (batches) => {
          for (const batch of batches) await target.bulkWrite(batch.map(operation), { ordered: false });
        }),
      );
  };

const ways: Readonly<Record<string, (collection: string) => () => Promise<unknown>>> = {
  'the sink': (collection) => {
    const create = createMongodbSink({
      connection,
      routes: { current: () => table },
      limits,
      metrics: createMetrics('bench'),
    });
    return () =>
      Promise.all(
        partitions.map(async (batches, partition) => {
          const processor = create({
            groupId: 'bench',
            topic: collection,
            partition,
            commitOffset: () => Promise.resolve(),
            fail: (error) => {
              throw error;
            },
          });
          await processor.open();
          for (const batch of batches) await processor.process({ ...batch, topic: collection });
        }),
      );
  },
  'bulkWrite insertOne': bare((document) => ({ insertOne: { document } })),
  'bulkWrite replaceOne upsert': bare((row) => ({
    replaceOne: { filter: { _id: row._id }, replacement: row, upsert: true },
  })),
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

try {
  console.log(`${records} records, medians of ${runs}`);
  const rates = new Map<string, number[]>();
  for (let run = 0; run <= runs; run++) {
    for (const [name, prepare] of Object.entries(ways)) {
      const collection = `run${run}`;
      const write = prepare(collection);
      const startedAt = performance.now();
      await write();
      const rate = records / ((performance.now() - startedAt) / 1_000);
      const found = await database.collection(collection).countDocuments();
      if (found !== PARTITIONS * Math.floor(records / PARTITIONS)) throw new Error(`${found} documents by ${name}`);
      await database.collection(collection).drop();
      // The first run warms up.
      if (run > 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
  }
  const own = median(rates.get('the sink') ?? []);
  for (const [name, list] of rates) {
    const middle = median(list);
    const spread = [...list].sort((a, b) => a - b).map((rate) => Math.round(rate / 100) / 10);
    const ratio = name === 'the sink' ? '' : `sink / this: ${(own / middle).toFixed(2)}`;
    console.log(`  ${name.padEnd(28)} ${(middle / 1_000).toFixed(1).padStart(6)}k/s  (${spread.join(', ')})  ${ratio}`);
  }
} finally {
  await database.dropDatabase();
  await client.close();
  await connection.close();
}
