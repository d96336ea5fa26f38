/**
 * Compaction of readings: the workflow `compactReadings` over files as the HDFS sink leaves them, then the same rows written as ORC, Parquet and text by
 * one statement each, with their sizes and what two queries cost: a sum over all, and one over one sensor.
 *
 *   npm run bench -- compaction [readings, default 300000] [readings a file, default 2000]
 */
import { encodeEnvelope } from '../grid/envelope.ts';
import { CompactionBed } from '../test/compaction/compaction-bed.ts';

const readings = Number(process.argv[2] ?? 300_000);
const readingsAFile = Number(process.argv[3] ?? 2_000);
const SENSORS = 1_000;
const FIRST_SECOND = Date.parse('2024-03-01T00:00:00Z') / 1_000;

/** A thousand sensors, as often as fills a day evenly. */
function envelope(index: number): string {
  const periodMs = 86_400_000 / Math.ceil(readings / SENSORS);
  const ms = Math.floor(Math.floor(index / SENSORS) * periodMs) + (index % SENSORS);
  return encodeEnvelope({
    sensorId: String(index % SENSORS),
    modality: (((index * 7_919) % 1_000_000) / 1_000).toFixed(3),
    unit: 'MW',
    aspect: 'real_time',
    correlationId: `${String((index * 7_919) % 99_999_989).padStart(8, '0')}-1111-4111-8111-${String(index).padStart(12, '0')}`,
    createdAt: (FIRST_SECOND + ms / 1_000).toFixed(3),
  });
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, string]> {
  const began = performance.now();
  const result = await work();
  return [result, `${((performance.now() - began) / 1_000).toFixed(1)} s`];
}

const bed = await CompactionBed.open();
try {
  for (let at = 0; at < readings; at += readingsAFile) {
    const count = Math.min(readingsAFile, readings - at);
    await bed.commit(Array.from({ length: count }, (_, index) => envelope(at + index)));
  }
  const [result, seconds] = await timed(() => bed.compact());
  const { files, bytes, rewritten } = result;
  console.log(
    `compactReadings: ${files} files, ${bytes} bytes → ${rewritten.files} files, ${rewritten.bytes} bytes: ${seconds}`,
  );
  const sum = async (table: string, condition = ''): Promise<string> =>
    (await timed(() => bed.hive.rows(`SELECT SUM(value), COUNT(*) FROM ${bed.database}.${table} ${condition}`)))[1];
  console.log(`readings_raw: sum ${await sum('readings_raw')}`);
  console.log(
    `readings_all: sum ${await sum('readings_all')}, one sensor ${await sum('readings_all', `WHERE sensor_id = '7'`)}`,
  );
  for (const [name, stored] of [
    ['orc', `STORED AS ORC`],
    ['orc_zstd', `STORED AS ORC TBLPROPERTIES ('orc.compress'='ZSTD')`],
    ['parquet', `STORED AS PARQUET TBLPROPERTIES ('parquet.compression'='SNAPPY')`],
    ['parquet_gzip', `STORED AS PARQUET TBLPROPERTIES ('parquet.compression'='GZIP')`],
    ['text', `STORED AS TEXTFILE`],
  ] as const) {
    const directory = `${bed.deps.analysisDirectory}/bench/${name}`;
    const [, writing] = await timed(() =>
      bed.hive.execute(
        `CREATE EXTERNAL TABLE ${bed.database}.${name} ${stored.replace(/ TBL|$/, ` LOCATION '${directory}'$&`)} AS SELECT * FROM ${bed.database}.readings_all SORT BY sensor_id, event_ms`,
      ),
    );
    let size = 0;
    for await (const { lengthBytes } of bed.hdfs.list(directory)) size += lengthBytes;
    console.log(
      `${name}: ${size} bytes, written in ${writing}; sum ${await sum(name)}, one sensor ${await sum(name, `WHERE sensor_id = '7'`)}`,
    );
  }
} finally {
  await bed.close();
}
