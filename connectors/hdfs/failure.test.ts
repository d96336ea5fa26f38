import { describe, expect, it } from 'vitest';
import { errorOfConnection, errorOfReply, remoteExceptionIn, wasNeverSent, wasNotTried } from './failure.ts';

const attempt = { operation: 'CREATE', path: '/x', server: 'DataNode d:9864' };

function remote(exception: string, message: string): { RemoteException: { exception: string; message: string } } {
  return { RemoteException: { exception, message } };
}

describe('a reply with a RemoteException', () => {
  it.each([
    ['FileNotFoundException', 404, "Parent directory doesn't exist: /a", 'hdfs-not-found'],
    ['FileAlreadyExistsException', 403, '/x for client 127.0.0.1 already exists', 'hdfs-already-exists'],
    ['AlreadyBeingCreatedException', 403, 'Failed to CREATE_FILE /x', 'hdfs-already-exists'],
    ['AccessControlException', 403, 'Permission denied: user=bob', 'hdfs-denied'],
    ['SecurityException', 403, 'Failed to obtain user group information', 'hdfs-denied'],
    ['SafeModeException', 403, 'Cannot create file. Name node is in safe mode.', 'hdfs-safe-mode'],
    [
      'RetriableException',
      403,
      'org.apache.hadoop.hdfs.server.namenode.SafeModeException: in safe mode',
      'hdfs-safe-mode',
    ],
    ['RetriableException', 403, 'Namenode is in startup mode', 'hdfs-unavailable'],
    ['StandbyException', 403, 'Operation category READ is not supported in state standby', 'hdfs-unavailable'],
    ['DSQuotaExceededException', 403, 'The DiskSpace quota of /x is exceeded', 'hdfs-no-space'],
    ['IOException', 403, 'No space left on device', 'hdfs-no-space'],
    ['LeaseExpiredException', 403, 'No lease on /x (inode 3): File does not exist.', 'hdfs-not-found'],
    ['LeaseExpiredException', 403, 'Client (=a) is not the lease owner (=b)', 'fenced'],
    ['InvalidPathException', 400, 'Invalid path name', 'hdfs-refused'],
    ['PathIsNotEmptyDirectoryException', 403, 'Directory is not empty', 'hdfs-refused'],
    ['ParentNotDirectoryException', 403, '/a (is not a directory)', 'hdfs-refused'],
    ['IOException', 403, 'Failed to find datanode, suggest to check cluster health.', 'hdfs-unavailable'],
    ['ConnectException', 403, 'Call From a to b failed on connection exception', 'hdfs-unavailable'],
    ['NeverHeardOfException', 500, 'what', 'hdfs-unavailable'],
    ['NeverHeardOfException', 400, 'what', 'hdfs-refused'],
  ])('%s (%i, %s) is %s', (exception, status, message, code) => {
    expect(errorOfReply(attempt, status, remote(exception, message)).code).toBe(code);
  });

  it.each([
    ['There are 3 datanode(s) running and no node(s) are excluded in this operation.', 'hdfs-no-space'],
    ['There are 0 datanode(s) running and 0 node(s) are excluded in this operation.', 'hdfs-unavailable'],
    ['There are 1 datanode(s) running and 1 node(s) are excluded in this operation.', 'hdfs-unavailable'],
  ])('tells full DataNodes from dead ones: %s', (tail, code) => {
    const message = `File /x could only be written to 0 of the 1 minReplication nodes. ${tail}`;
    expect(errorOfReply(attempt, 403, remote('IOException', message)).code).toBe(code);
  });

  it('is read from text as well, and its stack trace left out', () => {
    const text = JSON.stringify(remote('IOException', 'sad\n\tat org.apache.X.y(X.java:1)\n\tat z'));
    expect(remoteExceptionIn(text)).toEqual({ exception: 'IOException', message: 'sad' });
  });

  it('is one line', () => {
    const { message } = errorOfReply(attempt, 403, remote('SafeModeException', 'In safe mode.\nTurned on manually.'));
    expect(message).toContain('SafeModeException: In safe mode. Turned on manually. The NameNode leaves');
  });

  it('says what was attempted, where, what came back and what to do', () => {
    const { message } = errorOfReply(attempt, 403, remote('AccessControlException', 'Permission denied: user=bob'));
    expect(message).toBe(
      'CREATE /x at DataNode d:9864 answered AccessControlException: Permission denied: user=bob. ' +
        'Give HDFS_USER the rights on this path (hdfs dfs -chown), or name another user.',
    );
  });
});

describe('a reply without a RemoteException', () => {
  it.each([
    [429, 'hdfs-unavailable'],
    [500, 'hdfs-unavailable'],
    [502, 'hdfs-unavailable'],
    [503, 'hdfs-unavailable'],
    [504, 'hdfs-timeout'],
    [507, 'hdfs-no-space'],
    [401, 'hdfs-denied'],
    [403, 'hdfs-denied'],
    [200, 'hdfs-refused'],
  ])('of status %i is %s', (status, code) => {
    expect(errorOfReply(attempt, status, 'text').code).toBe(code);
  });

  it('is never taken for a missing file: that is a fencing signal', () => {
    expect(errorOfReply(attempt, 404, '<html>Not Found</html>').code).toBe('hdfs-refused');
  });
});

describe('a broken connection', () => {
  const failure = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

  it('is unavailable, or a time-out when the system says so', () => {
    expect(errorOfConnection(attempt, failure('ECONNRESET')).code).toBe('hdfs-unavailable');
    expect(errorOfConnection(attempt, failure('ECONNREFUSED')).code).toBe('hdfs-unavailable');
    expect(errorOfConnection(attempt, failure('ETIMEDOUT')).code).toBe('hdfs-timeout');
  });

  it('means that nothing was sent only when no connection came about', () => {
    expect(wasNeverSent(failure('ECONNREFUSED'))).toBe(true);
    expect(wasNeverSent(failure('ENOTFOUND'))).toBe(true);
    expect(wasNeverSent(new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]))).toBe(true);
    expect(wasNeverSent(failure('ECONNRESET'))).toBe(false);
    expect(wasNeverSent(failure('EPIPE'))).toBe(false);
    expect(wasNeverSent(new AggregateError([failure('ECONNREFUSED'), failure('ECONNRESET')]))).toBe(false);
  });

  it('is told apart from a NameNode that did not try', () => {
    expect(wasNotTried(remote('StandbyException', ''))).toBe(true);
    expect(wasNotTried(remote('IOException', ''))).toBe(false);
    expect(wasNotTried('text')).toBe(false);
  });
});
