/** The files that configure a Flume agent for one run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SideRun } from '../../hdfs-sink/compare/run.ts';
import { writeHadoopFiles } from '../hadoop.ts';

/** On two cores two of each carry more than twice what one of each does. */
const CHAINS = [1, 2];

/** Two chains of source, durable channel and sink in one agent, that share the partitions as one consumer group. */
function agentProperties(run: SideRun, hdfsUrl: string, stateDirectory: string): string {
  const names = (kind: string) => CHAINS.map((chain) => `${kind}${chain}`).join(' ');
  const lines = [`agent.sources = ${names('s')}`, `agent.channels = ${names('c')}`, `agent.sinks = ${names('k')}`];
  const groupId = `${run.topic}.flume-${Date.now()}`;
  for (const chain of CHAINS) {
    const [source, channel, sink] = [`agent.sources.s${chain}`, `agent.channels.c${chain}`, `agent.sinks.k${chain}`];
    lines.push(
      `${source}.type = org.apache.flume.source.kafka.KafkaSource`,
      `${source}.channels = c${chain}`,
      `${source}.kafka.bootstrap.servers = ${run.brokers.join(',')}`,
      `${source}.kafka.topics = ${run.topic}`,
      `${source}.kafka.consumer.group.id = ${groupId}`,
      `${source}.kafka.consumer.auto.offset.reset = earliest`,
      `${source}.kafka.consumer.max.partition.fetch.bytes = 4194304`,
      `${source}.batchSize = 10000`,
      `${channel}.type = file`,
      `${channel}.checkpointDir = ${stateDirectory}/c${chain}/checkpoint`,
      `${channel}.dataDirs = ${stateDirectory}/c${chain}/data`,
      `${channel}.capacity = 1000000`,
      `${channel}.transactionCapacity = 10000`,
      `${sink}.type = hdfs`,
      `${sink}.channel = c${chain}`,
      `${sink}.hdfs.path = ${hdfsUrl}${run.directory}`,
      `${sink}.hdfs.filePrefix = k${chain}`,
      `${sink}.hdfs.fileType = DataStream`,
      `${sink}.hdfs.writeFormat = Text`,
      `${sink}.hdfs.batchSize = 10000`,
      `${sink}.hdfs.rollSize = 134217728`,
      `${sink}.hdfs.rollCount = 0`,
      `${sink}.hdfs.rollInterval = 0`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Writes agent.properties and Hadoop's files.
 *
 * @param hdfsUrl the NameNode's RPC address, `hdfs://host:port`.
 */
export async function writeAgentFiles(
  confDirectory: string,
  stateDirectory: string,
  run: SideRun,
  hdfsUrl: string,
): Promise<void> {
  await mkdir(stateDirectory, { recursive: true });
  await writeHadoopFiles(confDirectory, { hdfsUrl, temporaryDirectory: join(stateDirectory, 'tmp'), logLevel: 'WARN' });
  await writeFile(join(confDirectory, 'agent.properties'), agentProperties(run, hdfsUrl, stateDirectory));
}
