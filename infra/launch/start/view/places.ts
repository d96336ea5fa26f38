import { withoutPassword, type Config } from '../../../../runtime/config.ts';
import { isThisMachine, parseAddress, type ServerName } from '../../../native/settings.ts';
import type { WorkerSet } from '../workers/worker-set.ts';

/** The addresses that a person can open, as the configuration names them. */
export interface Places {
  /** Title and URL of pages for a browser. */
  readonly pages: readonly (readonly [title: string, url: string])[];
  /** Where readings are posted to. */
  readonly ingestUrl: string;
  readonly metricsUrls: readonly string[];
  /** The namespace's pages in Temporal's Web UI; undefined without Temporal. */
  readonly temporalUrl: string | undefined;
  /** Where imported history is queried, and the database that it is in. */
  readonly hive: { readonly url: string; readonly database: string };
  /** The share of legacy files that is crawled when no other is named, where what was found lies in HDFS, and the database of its catalogue. */
  readonly legacy: { readonly share: string; readonly directory: string; readonly database: string };
}

export function placesOf(config: Config, servers: readonly ServerName[], workers: WorkerSet): Places {
  const temporalHost = parseAddress(config.TEMPORAL_ADDRESS[0] ?? 'localhost:7233').host;
  const nameNodeUrl = new URL(config.WEBHDFS_URL[0] ?? 'http://localhost:9870').origin;
  const urls = new Map(workers.all.map(([name, { spec }]) => [name, named(spec.operationsUrl)]));
  const temporal = servers.includes('temporal')
    ? `http://${hostText(temporalHost)}:${config.TEMPORAL_UI_PORT}`
    : undefined;
  return {
    pages: [
      ['Dashboard', urls.get('serving') ?? ''],
      ...(temporal === undefined ? [] : [['Temporal', temporal] as const]),
      ['HDFS', nameNodeUrl],
    ],
    ingestUrl: `${urls.get('ingest') ?? ''}/ingest`,
    metricsUrls: [...urls.values()].map((url) => `${url}/metrics`),
    temporalUrl:
      temporal === undefined ? undefined : `${temporal}/namespaces/${encodeURIComponent(config.TEMPORAL_NAMESPACE)}`,
    hive: { url: withoutPassword(config.HIVE_URL), database: `${config.HIVE_DATABASE_PREFIX}_postgres` },
    legacy: {
      share: config.LEGACY_SHARE,
      directory: config.HDFS_UNORGANIZED_DIRECTORY,
      database: config.MONGODB_LEGACY_DATABASE,
    },
  };
}

/** People know this machine by one name. */
function hostText(host: string): string {
  if (isThisMachine(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function named(url: string): string {
  return url.replace('//127.0.0.1:', '//localhost:');
}
