import { describe, expect, test } from 'vitest';
import { durabilityWarnings } from './durability.ts';
import { redisFailure } from './failure.ts';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

describe('a failure of Redis', () => {
  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'maxmemory'],
    ['MISCONF Redis is configured to save RDB snapshots, but is currently unable to persist to disk.', 'disk'],
    ["READONLY You can't write against a read only replica.", 'replica'],
    ['NOAUTH Authentication required.', 'password'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'password'],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'rights'],
    ['MOVED 3999 127.0.0.1:6381', 'Cluster'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'Cluster'],
    ["ERR unknown command 'EVALSHA'", 'correct the cause'],
    ['ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed', 'maxmemory'],
  ])('is refused, with a remedy: %s', (message, remedy) => {
    const failure = redisFailure(reply(message), 'Writing');
    expect(failure.code).toBe('redis-refused');
    expect(failure.message).toContain(remedy);
  });

  test.each([
    reply('LOADING Redis is loading the dataset in memory'),
    reply('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
    reply('MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.'),
    reply('NOREPLICAS Not enough good replicas to write.'),
    reply('ERR max number of clients reached'),
    new Error('connect ECONNREFUSED 127.0.0.1:6379'),
    new Error('Command timed out'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  ])('is passing: %s', (error) => {
    const failure = redisFailure(error, 'Writing');
    expect(failure.code).toBe('redis-unavailable');
    expect(failure.retryable).toBe(true);
  });

  test('for want of a connection has the reason why there is none', () => {
    const noConnection = new Error("Stream isn't writeable and enableOfflineQueue options is false");
    const why = new Error('Ready check failed: NOAUTH Authentication required.');
    const failure = redisFailure(noConnection, 'Writing', why);
    expect(failure.code).toBe('redis-refused');
    expect(failure.message).toContain('REDIS_URL');
  });
});

test('a failure does not drag the command along, which holds all the envelopes of a batch', () => {
  const error = Object.assign(reply('OOM command not allowed'), {
    command: { name: 'evalsha', args: ['x'.repeat(9_999)] },
  });
  const { cause } = redisFailure(error, 'Writing');
  expect(cause).toMatchObject({ name: 'ReplyError', message: 'OOM command not allowed' });
  expect(JSON.stringify(cause)).not.toContain('xxx');
});

describe('warnings of the settings of Redis', () => {
  test('are none for a durable server that evicts nothing', () => {
    expect(durabilityWarnings('# Persistence\r\naof_enabled:1\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n')).toEqual(
      [],
    );
  });

  test('tell of values that a restart or a full memory would lose', () => {
    const warnings = durabilityWarnings('aof_enabled:0\r\nmaxmemory_policy:allkeys-lru\r\n');
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('appendonly yes');
    expect(warnings[1]).toContain('noeviction');
  });
});
