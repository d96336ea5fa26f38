/**
 * Throughput of the ingest gateway: the real ingest worker as a process of its own, batches of envelopes as NDJSON over a few
 * connections, each batch waiting for its acknowledgement (acks=all) before the connection sends the next.
 *
 *   npx tsx bench/gateway.ts [readings, default 300000] [runs, default 3] [readings per batch, default 500] [connections, default 6]
 */
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createKafka } from '../connectors/kafka/client.ts';
import { encodeEnvelope } from '../grid/envelope.ts';
import { loadConfig } from '../runtime/config.ts';
import { createLogger } from '../runtime/logger.ts';

const [readings = 300_000, runs = 3, batchReadings = 500, connections = 6] = process.argv.slice(2).map(Number);
const SENSORS = 10_000;
const PORT = 18_190;
const CLOCK_TICKS_PER_SECOND = 100;

interface Run {
  readonly readingsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const config = loadConfig();
const logger = createLogger({ name: 'bench', level: 'error', format: 'json' });
const names = { TOPIC_INGESTION: '', TOPIC_DLQ: '', TOPIC_UNORGANIZED: '', TOPIC_AGGREGATES: '' };
const prefix = `bench-gateway-${process.pid}`;
for (const name of Object.keys(names) as (keyof typeof names)[]) names[name] = `${prefix}-${name}`;

/** Batches as they are sent, all readings distinct. */
function makeBatches(): Buffer[] {
  const now = Date.now() / 1_000;
  let made = 0;
  return Array.from({ length: Math.ceil(readings / batchReadings) }, () => {
    const lines: string[] = [];
    for (let index = 0; index < batchReadings; index++, made++) {
      lines.push(
        encodeEnvelope({
          sensorId: String((made * 7_919) % SENSORS),
          modality: (made % 1_000).toFixed(2),
          unit: 'MW',
          aspect: 'real_time',
          correlationId: randomUUID(),
          createdAt: (now - 60 + made / 1e6).toFixed(6),
        }),
      );
    }
    return Buffer.from(lines.join('\n'));
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: connections });

function post(body: Buffer): Promise<{ accepted: number }> {
  return new Promise((resolve, reject) => {
    const sending = request(
      {
        port: PORT,
        path: '/ingest',
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/x-ndjson', 'content-length': body.length },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 202) resolve(JSON.parse(text) as { accepted: number });
          else reject(new Error(`the gateway answered ${response.statusCode ?? 0}: ${text}`));
        });
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}

/** CPU seconds that a process has used. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function peakResidentMiB(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
}

async function measure(pid: number): Promise<Run> {
  const batches = makeBatches();
  const latenciesMs: number[] = [];
  let accepted = 0;
  const cpuBefore = cpuSeconds(pid);
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
        const sentMs = performance.now();
        const reply = await post(batch);
        accepted += reply.accepted;
        latenciesMs.push(performance.now() - sentMs);
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0;
  return {
    readingsPerSecond: Math.round(accepted / seconds),
    cpuSecondsPerMillion: (cpuSeconds(pid) - cpuBefore) / (accepted / 1e6),
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
  };
}

const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'bench', logger });
const project = fileURLToPath(new URL('..', import.meta.url));
const worker = spawn(
  process.execPath,
  [...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? []), '--import', 'tsx', 'workers/ingest.ts'],
  {
    cwd: project,
    env: { ...process.env, ...names, INGEST_PORT: String(PORT), RAW_TEXT_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
const pid = worker.pid ?? 0;
try {
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`http://localhost:${PORT}/readyz`).then(
      (response) => response.status,
      () => 0,
    );
    if (ready === 200) break;
    if (tries > 300 || worker.exitCode !== null) throw new Error('the ingest worker did not get ready');
    await sleep(100);
  }
  const results: Run[] = [];
  for (let run = 0; run < runs; run++) {
    const result = await measure(pid);
    results.push(result);
    process.stdout.write(
      `run ${run + 1}: ${result.readingsPerSecond} readings/s, ${result.cpuSecondsPerMillion.toFixed(1)} CPU s per million, batch p50 ${result.p50Ms.toFixed(0)} ms, p99 ${result.p99Ms.toFixed(0)} ms\n`,
    );
  }
  results.sort((a, b) => a.readingsPerSecond - b.readingsPerSecond);
  const median = results[Math.floor(results.length / 2)];
  process.stdout.write(
    `${JSON.stringify({ readings, batchReadings, connections, ...median, peakResidentMiB: peakResidentMiB(pid) })}\n`,
  );
} finally {
  agent.destroy();
  worker.kill('SIGTERM');
  await Promise.race([once(worker, 'exit'), sleep(15_000)]);
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: Object.values(names) }).catch(() => undefined);
  await admin.disconnect();
}
