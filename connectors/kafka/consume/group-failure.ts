import { GridError } from '../../../grid/errors.ts';
import { failureText, protocolErrorType } from '../failure.ts';

/** Kafka's answers to a member that somebody has to put right, by Kafka's name for them: what to do. All others pass by themselves. */
const ADVICE: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    INCONSISTENT_GROUP_PROTOCOL:
      'Another program is a member of the group and divides partitions in another way: stop it, or give one of the two another group (CONSUMER_GROUP_PREFIX).',
    INVALID_SESSION_TIMEOUT:
      'Set KAFKA_SESSION_TIMEOUT_MS between the group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
    INVALID_GROUP_ID: 'Correct CONSUMER_GROUP_PREFIX.',
    GROUP_MAX_SIZE_REACHED: 'Run fewer members, or raise group.max.size of the brokers.',
    GROUP_AUTHORIZATION_FAILED: 'Give its user the right to read in the group.',
    TOPIC_AUTHORIZATION_FAILED: 'Give its user the right to read the topics.',
    CLUSTER_AUTHORIZATION_FAILED: 'Give its user the rights on the cluster.',
    SASL_AUTHENTICATION_FAILED: 'Correct its credentials.',
    UNSUPPORTED_VERSION: 'Check the version of the brokers.',
  }),
);

/** Why a consumer is not a member of its group: `kafka-refused` when somebody has to do something, else `kafka-unavailable`. */
export function groupFailure(groupId: string, topics: readonly string[], cause: unknown): GridError {
  const type = protocolErrorType(cause);
  const advice = type === undefined ? undefined : ADVICE.get(type);
  return new GridError(
    advice === undefined ? 'kafka-unavailable' : 'kafka-refused',
    `Reading ${topics.join(', ')} as a member of group ${groupId}: ${failureText(cause)}. ${advice ?? 'Check that Kafka runs and has the topics.'} It is tried again until it succeeds.`,
    { cause },
  );
}
