import { Counter, Gauge, Histogram, type Registry } from '../../../runtime/metrics.ts';
import type { BodyFormat } from './body-format.ts';
import type { ReadBody } from './accept.ts';

/** What the gateway tells of itself. */
export interface GatewayMetrics {
  answered(status: number, durationS: number): void;
  read(format: BodyFormat, bodyBytes: number): void;
  stored(format: BodyFormat, body: ReadBody): void;
  memory(bytes: number): void;
}

/** Registers the gateway's metrics; once in a process. */
export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'powergrid_ingest_requests_total',
    help: 'Requests to the ingest gateway by the status they were answered with',
    labelNames: ['status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'powergrid_ingest_request_seconds',
    help: 'Time from the arrival of a request to its reply, Kafka acknowledgement included',
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const bytes = new Counter({
    name: 'powergrid_ingest_body_bytes_total',
    help: 'Bytes of bodies, decompressed',
    labelNames: ['format'],
    registers,
  });
  const records = new Counter({
    name: 'powergrid_ingest_records_total',
    help: 'Records by what became of them: accepted, duplicate, rejected',
    labelNames: ['format', 'result'],
    registers,
  });
  const rejections = new Counter({
    name: 'powergrid_ingest_rejected_records_total',
    help: 'Rejected records by error code',
    labelNames: ['code'],
    registers,
  });
  const memory = new Gauge({
    name: 'powergrid_ingest_memory_bytes',
    help: 'Bytes of bodies and rejections that requests under way hold',
    registers,
  });
  return {
    answered: (status, durationS) => {
      requests.inc({ status });
      seconds.observe(durationS);
    },
    read: (format, bodyBytes) => {
      bytes.inc({ format }, bodyBytes);
    },
    stored: (format, body) => {
      records.inc({ format, result: 'accepted' }, body.records.length);
      records.inc({ format, result: 'duplicate' }, body.duplicates);
      records.inc({ format, result: 'rejected' }, body.rejected.length);
      for (const { code } of body.rejected) rejections.inc({ code });
    },
    memory: (held) => {
      memory.set(held);
    },
  };
}
