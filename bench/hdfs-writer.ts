/**
 * Writing one file to HDFS: `HdfsWriter` (verified) beside a bare chunked PUT over node:http and the webhdfs driver's write
 * stream, neither of which checks anything. Rate, and CPU seconds of this process per GB.
 *
 *   npx tsx bench/hdfs-writer.ts [MB per file, default 512] [runs, default 3]
 */
import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import webhdfs from 'webhdfs';
import { HdfsClient } from '../connectors/hdfs/hdfs.ts';
import { loadConfig } from '../runtime/config.ts';

const megabytes = Number(process.argv[2] ?? 512);
const runs = Number(process.argv[3] ?? 3);
const totalBytes = megabytes * 1_000_000;
const config = loadConfig();
const nameNodeUrl = config.WEBHDFS_URL[0] ?? '';
const user = config.HDFS_USER;
const directory = `/bench-hdfs-writer-${process.pid}`;
const client = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user });

/** Telemetry-like bytes, made once, so that making them is not measured. */
const sample = Buffer.alloc(1 << 20);
for (let index = 0; index < sample.length; index++) sample[index] = 32 + (((index * 2_654_435_761) >>> 24) % 90);

function* chunks(chunkBytes: number): Generator<Buffer> {
  for (let sent = 0; sent < totalBytes; sent += chunkBytes) {
    yield sample.subarray(0, Math.min(chunkBytes, totalBytes - sent));
  }
}

async function verifiedWriter(path: string, chunkBytes: number): Promise<void> {
  const writer = await client.create(path, { overwrite: true });
  for (const chunk of chunks(chunkBytes)) await writer.write(chunk);
  await writer.close();
}

async function bareRequest(path: string, chunkBytes: number): Promise<void> {
  const query = `op=CREATE&overwrite=true&noredirect=true&user.name=${user}`;
  const reply = await fetch(`${nameNodeUrl}/webhdfs/v1${path}?${query}`, { method: 'PUT' });
  const { Location } = (await reply.json()) as { Location: string };
  const request = http.request(Location, { method: 'PUT', agent: false });
  const status = new Promise<number | undefined>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode);
      });
    });
  });
  await pipeline(Readable.from(chunks(chunkBytes), { objectMode: true }), request);
  if ((await status) !== 201) throw new Error(`bare PUT answered ${await status}`);
}

async function driverStream(path: string, chunkBytes: number): Promise<void> {
  const { hostname, port } = new URL(nameNodeUrl);
  const driver = webhdfs.createClient({
    protocol: 'http',
    host: hostname,
    port: Number(port),
    path: '/webhdfs/v1',
    user,
  });
  const stream = driver.createWriteStream(path);
  const finished = new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('finish', () => {
      resolve();
    });
  });
  Readable.from(chunks(chunkBytes), { objectMode: true }).pipe(stream);
  await finished;
}

interface Result {
  readonly megabytesPerSecond: number;
  readonly cpuSecondsPerGb: number;
}

async function measure(run: () => Promise<void>): Promise<Result> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user: userMicros, system } = process.cpuUsage(cpuBefore);
  return {
    megabytesPerSecond: totalBytes / 1e6 / seconds,
    cpuSecondsPerGb: (userMicros + system) / 1e6 / (totalBytes / 1e9),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

const ways = {
  'HdfsWriter (verified)': verifiedWriter,
  'bare node:http PUT': bareRequest,
  'webhdfs stream': driverStream,
};

await client.makeDirectory(directory);
try {
  console.log(`${megabytes} MB a file, medians of ${runs}, ${nameNodeUrl}`);
  for (const chunkBytes of [1 << 20, 128 << 10]) {
    const results = new Map<string, Result[]>();
    for (let run = 0; run <= runs; run++) {
      for (const [name, write] of Object.entries(ways)) {
        const path = `${directory}/file`;
        const result = await measure(() => write(path, chunkBytes));
        await client.delete(path);
        // The first round warms up servers and compilers.
        if (run > 0) results.set(name, [...(results.get(name) ?? []), result]);
      }
    }
    console.log(`chunks of ${chunkBytes / 1024} KiB`);
    for (const [name, list] of results) {
      const rate = median(list.map((result) => result.megabytesPerSecond));
      const cpu = median(list.map((result) => result.cpuSecondsPerGb));
      console.log(`  ${name.padEnd(24)} ${rate.toFixed(0).padStart(5)} MB/s  ${cpu.toFixed(2)} CPU s/GB`);
    }
  }
} finally {
  await client.delete(directory, { recursive: true });
  await client.close();
}
