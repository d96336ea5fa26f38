import { randomUUID } from 'node:crypto';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  AssignerProtocol,
  Kafka,
  logLevel,
  ResourcePatternTypes,
  type Consumer,
} from 'kafkajs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createKafka } from '../../connectors/kafka/client.ts';
import { PartitionConsumer } from '../../connectors/kafka/consume/partition-consumer.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { Recorder } from '../support/partition-recorder.ts';
import { SILENT } from '../support/partitions.ts';

const brokers = loadConfig().KAFKA_BROKERS;
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const feed = new KafkaFeed(brokers);
const topics: string[] = [];
const running: PartitionConsumer[] = [];
let topic = '';
let group = '';

afterEach(async () => {
  await Promise.all(running.splice(0).map((consumer) => consumer.stop(2_000)));
});
afterAll(async () => {
  await feed.deleteTopics(topics);
  await feed.close();
});

async function makeTopic(): Promise<void> {
  topic = `membership-${randomUUID()}`;
  group = `group-${randomUUID()}`;
  topics.push(topic);
  await feed.createTopic(topic, 1);
}

function start(recorder: Recorder, sessionTimeoutMs = 6_000): PartitionConsumer {
  const consumer = new PartitionConsumer({
    kafka: createKafka({ brokers, clientId: 'test', logger: SILENT }),
    groupId: group,
    topics: [topic],
    createProcessor: recorder.create,
    logger: SILENT,
    sessionTimeoutMs,
    maxBytesPerPartition: 1_048_576,
    maxBytesPerFetch: 2_097_152,
    maxRetryDelayMs: 500,
  });
  running.push(consumer);
  consumer.start();
  return consumer;
}

/** A member that divides partitions in a way that ours does not know, as other programs do. */
async function joinAsForeigner(): Promise<Consumer> {
  const { MemberMetadata, MemberAssignment } = AssignerProtocol;
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 6_000,
    partitionAssigners: [
      () => ({
        name: 'foreign',
        version: 0,
        protocol: ({ topics: subscribed }) => ({
          name: 'foreign',
          metadata: MemberMetadata.encode({ version: 0, topics: subscribed, userData: Buffer.alloc(0) }),
        }),
        assign: ({ members }) =>
          Promise.resolve(
            members.map(({ memberId }) => ({
              memberId,
              memberAssignment: MemberAssignment.encode({ version: 0, assignment: {}, userData: Buffer.alloc(0) }),
            })),
          ),
      }),
    ],
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  const joined = new Promise<void>((resolve) => {
    consumer.on('consumer.group_join', () => {
      resolve();
    });
  });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  await joined;
  return consumer;
}

describe('a consumer that Kafka does not let into its group', () => {
  it('because of a foreign member says so, claims no lag, and joins by itself once that is gone', async () => {
    await makeTopic();
    await feed.send(topic, [{ value: '0' }]);
    const foreigner = await joinAsForeigner();
    const recorder = new Recorder();
    const consumer = start(recorder);
    await eventually('it says why', () =>
      consumer.problems().some((problem) => problem.includes('INCONSISTENT_GROUP_PROTOCOL')),
    );
    expect(consumer.isMember).toBe(false);
    expect(consumer.status()).toEqual([]);
    expect(recorder.count(0)).toBe(0);

    await foreigner.disconnect();
    await eventually('it reads', () => recorder.count(0) === 1);
    await eventually('all is well', () => consumer.isMember && consumer.problems().length === 0);
  });

  it('because of its session time-out keeps trying, says so, and can be stopped', async () => {
    await makeTopic();
    await feed.send(topic, [{ value: '0' }]);
    // More than any broker allows, unless told otherwise.
    const consumer = start(new Recorder(), 2_000_000);
    await eventually('it says why', () =>
      consumer.problems().some((problem) => problem.includes('KAFKA_SESSION_TIMEOUT_MS')),
    );
    await consumer.stop(5_000);
    // The group is free for who may join.
    const recorder = new Recorder();
    start(recorder);
    await eventually('another reads', () => recorder.count(0) === 1);
  });

  it.each([
    ['its group', AclResourceTypes.GROUP, 'GROUP_AUTHORIZATION_FAILED'],
    ['its topic', AclResourceTypes.TOPIC, 'TOPIC_AUTHORIZATION_FAILED'],
  ] as const)('because it may not read %s any more says so, and goes on once it may', async (_what, type, answer) => {
    await makeTopic();
    await feed.send(topic, [{ value: '0' }]);
    const recorder = new Recorder();
    const consumer = start(recorder);
    await eventually('it reads', () => recorder.count(0) === 1);
    const admin = kafka.admin();
    await admin.connect();
    const denied = {
      resourceType: type,
      resourceName: type === AclResourceTypes.GROUP ? group : topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.DENY,
    };
    try {
      await admin.createAcls({ acl: [denied] });
      await eventually('it says why', () => consumer.problems().some((problem) => problem.includes(answer)));
    } finally {
      await admin.deleteAcls({ filters: [denied] });
      await admin.disconnect();
    }
    await feed.send(topic, [{ value: '1' }]);
    await eventually('it reads on', () => recorder.count(0) === 2);
    await eventually('all is well', () => consumer.isMember && consumer.problems().length === 0);
  });
});
