import { GridError } from '../../../grid/errors.ts';
import type { Server } from '../server.ts';
import type { ServerName } from '../settings.ts';
import { hdfs } from './hdfs.ts';
import { hive } from './hive.ts';
import { kafka } from './kafka.ts';
import { mongodb } from './mongodb.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { spark } from './spark.ts';
import { temporal } from './temporal.ts';

const SERVERS: readonly Server[] = [kafka, hdfs, redis, mongodb, postgres, temporal, hive, spark];

/** The server of that name. */
export function serverOf(name: ServerName): Server {
  const server = SERVERS.find((candidate) => candidate.name === name);
  if (server === undefined) throw new GridError('defect', `No server is registered as ${name}.`);
  return server;
}
