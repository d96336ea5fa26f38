import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { createMetrics, type Registry } from '../../runtime/metrics.ts';
import {
  startGateway,
  type Gateway,
  type GatewayOptions,
  type IngestReply,
} from '../../streaming/sources/gateway/gateway.ts';
import { loadConfig } from '../../runtime/config.ts';
import { SILENT } from './topic-bed.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: IngestReply & { readonly code?: string; readonly message?: string };
}

/** A gateway before the real Kafka, in this process, and a client for it. */
export class GatewayBed {
  readonly gateway: Gateway;
  readonly producer: KafkaProducer;
  readonly metrics: Registry;

  private constructor(gateway: Gateway, producer: KafkaProducer, metrics: Registry) {
    this.gateway = gateway;
    this.producer = producer;
    this.metrics = metrics;
  }

  static async start(topic: string, options: Partial<GatewayOptions> = {}): Promise<GatewayBed> {
    const producer = new KafkaProducer({
      brokers: loadConfig().KAFKA_BROKERS,
      clientId: 'test-gateway',
      logger: SILENT,
      queueBytes: 32 << 20,
    });
    const metrics = createMetrics('test');
    const gateway = await startGateway({
      host: '127.0.0.1',
      port: 0,
      producer,
      topic,
      logger: SILENT,
      metrics,
      envelopeMaxBytes: 65_536,
      maxAheadMs: 3_600_000,
      maxBodyBytes: 8 << 20,
      maxRecords: 50_000,
      memoryBytes: 64 << 20,
      replyTimeoutMs: 30_000,
      dedupReadings: 10_000,
      dedupAgeMs: 600_000,
      ...options,
    });
    return new GatewayBed(gateway, producer, metrics);
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.gateway.port}${path}`;
  }

  async post(
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
    path = '/ingest',
  ): Promise<Answer> {
    const response = await fetch(this.url(path), { method: 'POST', headers, body: Buffer.from(body as string) });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
    };
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.producer.close(5_000);
  }
}
