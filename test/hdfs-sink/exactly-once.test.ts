import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { freePorts } from '../../infra/native/ports.ts';
import { environmentOf, settingsFromConfig, type StackPlace } from '../../infra/native/settings.ts';
import { bringUp, kill, takeDown } from '../../infra/native/stack.ts';
import { COMMIT_POINTS } from '../../streaming/sinks/hdfs/commit-point.ts';
import { eventually } from '../support/eventually.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { filesBelow, readCommits, readMasterData } from './master-data.ts';

const TOPIC = 'EXACTLY_ONCE';
const PARTITIONS = 4;
const TOPICS_DIRECTORY = '/topics';
const GROUP_PREFIX = 'exactly-once';
const RANDOM_KILLS = sized(4, 8);
/** Readings that are written every 50 ms; each is read back twice in the end, and compared. */
const READINGS_AT_A_TIME = sized(50, 200);

/** A stack of its own, since its servers are killed. */
const settings = settingsFromConfig();
const STACK_HOME = join(settings.home, 'test-exactly-once');
const place: StackPlace = { stackHome: STACK_HOME, installHome: settings.installHome };
let feed: KafkaFeed;
let hdfs: HdfsClient;

const environment = (extra: Record<string, string> = {}): Record<string, string> => ({
  ...environmentOf(place),
  TOPIC_INGESTION: TOPIC,
  SPEED_SINKS: 'hdfs',
  CONSUMER_GROUP_PREFIX: GROUP_PREFIX,
  KAFKA_SESSION_TIMEOUT_MS: '6000',
  HDFS_ROTATE_BYTES: '10000',
  HDFS_ROTATE_SECONDS: '1',
  HDFS_CHECKPOINT_COMMITS: '4',
  HDFS_BUFFER_BYTES: '4194304',
  SINK_RETRY_MAX_DELAY_MS: '1000',
  LOG_LEVEL: 'info',
  ...extra,
});

beforeAll(async () => {
  place.ports = await freePorts();
  await takeDown(['kafka', 'hdfs'], place);
  await rm(STACK_HOME, { recursive: true, force: true });
  await bringUp(['kafka', 'hdfs'], place);
  feed = new KafkaFeed([`localhost:${place.ports.kafka ?? 0}`]);
  hdfs = new HdfsClient({ nameNodeUrls: [`http://localhost:${place.ports['hdfs-http'] ?? 0}`], user: 'powergrid' });
  await feed.createTopic(TOPIC, PARTITIONS);
});

afterAll(async () => {
  await feed.stopFeeding();
  await feed.close();
  await hdfs.close();
  await takeDown(['kafka', 'hdfs'], place);
});

describe('the HDFS sink, killed again and again', () => {
  it('has every record in exactly one published file, byte for byte, and leaves no temporary', async () => {
    feed.startFeeding(TOPIC, READINGS_AT_A_TIME);

    // At each named point of the commit protocol, the first or a later time that it is passed. Each run has a group of its
    // own, so the next need not wait for the dead member's session: the log in HDFS alone says where to go on.
    for (const [run, point] of COMMIT_POINTS.entries()) {
      const worker = new WorkerProcess(
        'test/hdfs-sink/sink-process.ts',
        environment({ CRASH_AT: `${point}:${1 + randomInt(3)}`, CONSUMER_GROUP_PREFIX: `${GROUP_PREFIX}-${run}` }),
      );
      const late = delay(240_000, 'late' as const, { ref: false });
      const ended = await Promise.race([worker.ended, late]);
      expect(ended, `killed at ${point}; it wrote: ${worker.output}`).toEqual({ code: null, signal: 'SIGKILL' });
    }

    // At random, with a second worker that comes and goes, while the servers are killed as well.
    const servers = restartServers();
    let workers = [
      new WorkerProcess('workers/speed.ts', environment()),
      new WorkerProcess('workers/speed.ts', environment()),
    ];
    for (let kills = 0; kills < RANDOM_KILLS; kills++) {
      await delay(500 + randomInt(2_500));
      const victim = workers[randomInt(workers.length)];
      await victim?.kill();
      workers = workers.filter((worker) => worker !== victim);
      workers.push(new WorkerProcess('workers/speed.ts', environment()));
    }
    await servers;
    await feed.stopFeeding();
    const [taken] = workers.splice(0, 1);
    expect(await taken?.stop()).toEqual({ code: 0, signal: null });
    const lagGone = eventually('no lag', async () => (await feed.lag(`${GROUP_PREFIX}.hdfs`, TOPIC)) === 0, 300_000);
    await lagGone.catch((error: unknown) => {
      throw new Error(`the last worker did not catch up; it wrote: ${workers[0]?.output ?? ''}`, { cause: error });
    });
    for (const worker of workers) expect(await worker.stop()).toEqual({ code: 0, signal: null });

    const inKafka = [...(await feed.readTopic(TOPIC)).values()].sort();
    const { lines, files } = await readMasterData(hdfs, TOPICS_DIRECTORY, TOPIC);
    expect(inKafka.length).toBeGreaterThan(5_000);
    expect([...lines].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...lines.keys()].sort()).toEqual(inKafka);
    expect([...feed.acknowledged].filter((value) => !lines.has(value))).toEqual([]);

    // The log tells the same: ranges without a hole, and just the files that are there.
    const logs = await readCommits(hdfs, TOPICS_DIRECTORY, TOPIC, PARTITIONS);
    for (const log of logs) {
      expect(log.map((record) => record.firstOffset)).toEqual([
        0,
        ...log.slice(0, -1).map((record) => record.lastOffset + 1),
      ]);
      expect(log.every((record) => record.expired === 0 && record.missing === 0)).toBe(true);
    }
    expect(
      logs
        .flat()
        .flatMap((record) => record.files.map((file) => file.path))
        .sort(),
    ).toEqual([...files.keys()].sort());
    expect(await filesBelow(hdfs, `${TOPICS_DIRECTORY}/.tmp`)).toEqual([]);

    // Late readings lie under their own event day.
    for (const [path, fileLines] of files) {
      const day = /dt=(\d{4}-\d\d-\d\d)/.exec(path)?.[1];
      for (const line of fileLines) {
        const { created_at: createdAt } = JSON.parse(line) as { created_at: number };
        expect(new Date(createdAt * 1_000).toISOString().slice(0, 10)).toBe(day);
      }
    }
  }, 1_200_000);
});

/** Kills broker, NameNode and DataNode one after the other, and mends each. */
async function restartServers(): Promise<void> {
  for (const processName of ['datanode', 'namenode', 'kafka']) {
    await delay(2_000);
    kill(processName, 'SIGKILL', place);
    await delay(1_000);
    await bringUp(['kafka', 'hdfs'], place);
  }
}
