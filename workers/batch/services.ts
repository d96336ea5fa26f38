import type { Identifier } from '../../activities/discovery/identification/identifier.ts';
import { openIdentifier } from '../../activities/discovery/identification/isolation/isolated-identifier.ts';
import { limitsFromConfig } from '../../activities/discovery/identification/isolation/limits.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { createKafka, type KafkaClient } from '../../connectors/kafka/client.ts';
import { TopicDirectory } from '../../connectors/kafka/topics/topic-directory.ts';
import { TopicLimits } from '../../connectors/kafka/topics/topic-limits.ts';
import { LegacyCatalogue } from '../../connectors/mongodb/legacy-catalogue.ts';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Registry } from '../../runtime/metrics.ts';

const MONGODB_TIMEOUT_MS = 30_000;
/** Views of years are swapped in by one statement. */
const SERVING_TIMEOUT_MS = 30 * 60_000;
const SERVING_CONNECTIONS = 4;
const KAFKA_TIMEOUT_MS = 10_000;

/** What the activities of all jobs share. */
export interface BatchServices {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly temporal: TemporalClient;
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** The same Hive, for statements that somebody gives. */
  readonly queries: HiveClient;
  /** An entry for each of them. */
  readonly queryAudit: KeptDocuments;
  /** What reports have said. */
  readonly reports: KeptDocuments;
  /** Answers to questions about words. */
  readonly answers: KeptDocuments;
  /** The database of the views. */
  readonly serving: ServingDatabase;
  /** Of legacy files. */
  readonly catalogue: LegacyCatalogue;
  /** Says what files are. */
  readonly identifier: Identifier;
  /** For replays; connected with the first of them. */
  readonly kafka: { readonly client: KafkaClient; readonly directory: TopicDirectory; readonly limits: TopicLimits };
  close(): Promise<void>;
}

/** Connects to nothing yet. @throws GridError `invalid-configuration` */
export function openServices(
  config: Config,
  temporal: TemporalClient,
  logger: Logger,
  metrics: Registry,
): BatchServices {
  const hdfs = new HdfsClient({
    nameNodeUrls: config.WEBHDFS_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HDFS_CALL_TIMEOUT_MS,
    onRetry: ({ operation, path, retry, error }) => {
      logger.debug({ operation, path, retry, code: error.code }, 'HDFS call repeated');
    },
  });
  const toHive = {
    url: config.HIVE_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HIVE_CALL_TIMEOUT_MS,
    logger,
  };
  const hive = new HiveClient(toHive);
  const queries = new HiveClient(toHive);
  const kept = (collection: string): KeptDocuments =>
    new KeptDocuments({
      url: config.MONGODB_URL,
      database: config.MONGODB_ANALYSIS_DATABASE,
      collection,
      timeoutMs: MONGODB_TIMEOUT_MS,
    });
  const answers = kept('wordCounts');
  const queryAudit = kept('queryAudit');
  const reports = kept('reports');
  const serving = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: config.SERVING_SCHEMA,
    maxConnections: SERVING_CONNECTIONS,
    timeoutMs: SERVING_TIMEOUT_MS,
    applicationName: 'powergrid batch',
  });
  const catalogue = new LegacyCatalogue({
    url: config.MONGODB_URL,
    database: config.MONGODB_LEGACY_DATABASE,
    timeoutMs: MONGODB_TIMEOUT_MS,
  });
  const identifier = openIdentifier(limitsFromConfig(config));
  const client = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'powergrid-batch', logger });
  const kafka = { client, directory: new TopicDirectory(client, KAFKA_TIMEOUT_MS), limits: new TopicLimits(client) };
  return {
    config,
    logger,
    metrics,
    temporal,
    hdfs,
    hive,
    queries,
    queryAudit,
    reports,
    answers,
    serving,
    catalogue,
    identifier,
    kafka,
    async close() {
      await Promise.allSettled([
        hdfs.close(),
        hive.close(),
        queries.close(),
        queryAudit.close(),
        reports.close(),
        answers.close(),
        serving.close(),
        catalogue.close(),
        identifier.close(),
        kafka.directory.close(),
      ]);
    },
  };
}
