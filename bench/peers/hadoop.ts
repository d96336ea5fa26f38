/** What peers that write by Hadoop's own client are configured with. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The NameNode's RPC address, which only its own status tells. */
export async function nameNodeRpcUrl(webHdfsUrl: string): Promise<string> {
  const reply = await fetch(`${webHdfsUrl}/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus`);
  const { beans } = (await reply.json()) as { beans: { HostAndPort?: string }[] };
  const address = beans[0]?.HostAndPort;
  if (address === undefined) throw new Error(`the NameNode at ${webHdfsUrl} does not tell its RPC address`);
  return `hdfs://${address}`;
}

const site = (properties: Readonly<Record<string, string>>) =>
  `<configuration>${Object.entries(properties)
    .map(([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`)
    .join('')}</configuration>\n`;

/**
 * Writes core-site.xml, hdfs-site.xml and log4j.properties (to standard error) into a directory for the class path.
 *
 * @param hdfsUrl the NameNode's RPC address, `hdfs://host:port`.
 * @param temporaryDirectory where Hadoop's local jobs keep their files
 */
export async function writeHadoopFiles(
  directory: string,
  options: { readonly hdfsUrl: string; readonly temporaryDirectory: string; readonly logLevel: 'WARN' | 'INFO' },
): Promise<void> {
  const files = {
    'core-site.xml': site({ 'fs.defaultFS': options.hdfsUrl, 'hadoop.tmp.dir': options.temporaryDirectory }),
    // With the default of three replicas Flume's sink sees too few of them, and starts a new file at every batch.
    'hdfs-site.xml': site({ 'dfs.replication': '1', 'dfs.client.use.datanode.hostname': 'true' }),
    'log4j.properties': [
      `log4j.rootLogger = ${options.logLevel}, stderr`,
      'log4j.appender.stderr = org.apache.log4j.ConsoleAppender',
      'log4j.appender.stderr.target = System.err',
      'log4j.appender.stderr.layout = org.apache.log4j.PatternLayout',
      'log4j.appender.stderr.layout.ConversionPattern = %d{ISO8601} %p %c: %m%n',
      '',
    ].join('\n'),
  };
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
}
