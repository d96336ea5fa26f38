import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { hiveFailure, hiveTimeout, sentenceOf } from './failure.ts';

/** As the driver throws what a status holds: no Error. */
const status = (message: string): unknown => ({ name: 'Status Error', message, code: 10_001 });
/** As it throws what became of an operation. */
const operation = (errorMessage: string): unknown =>
  Object.assign(new Error('The operation failed due to an error'), { response: { errorMessage } });

describe('an error of Hive', () => {
  it.each([
    [
      status('Error while compiling statement: FAILED: ParseException line 1:0 cannot recognize input'),
      'hive-refused',
      'ParseException line 1:0 cannot recognize input',
    ],
    [
      operation('FAILED: Execution Error, return code 2.\n\tat org.apache.X'),
      'hive-refused',
      'Execution Error, return code 2',
    ],
    [
      operation(
        'MetaException(message:Got exception: java.net.ConnectException Call From vm to nn failed on connection exception)',
      ),
      'hive-unavailable',
      'ConnectException',
    ],
    [
      operation(
        'Execution Error, return code 40000 from org.apache.hadoop.hive.ql.ddl.DDLTask. MetaException(message:Unable to create database managed directory hdfs://nn:9000/warehouse/d.db, failed to create database d)',
      ),
      'hive-unavailable',
      'Unable to create database',
    ],
    [
      status('SemanticException Error creating /tmp/hive/_resultscache_/results-1/2'),
      'hive-unavailable',
      'Error creating /tmp/hive',
    ],
    [
      operation('MetaException(message:Got exception: AccessControlException Permission denied: user=x, access=WRITE)'),
      'hive-refused',
      'Permission denied',
    ],
    [
      operation('SemanticException [Error 10001]: Line 1:14 Table not found nowhere'),
      'hive-not-found',
      'Table not found nowhere',
    ],
    [status('SemanticException [Error 10072]: Database does not exist: nodb'), 'hive-not-found', 'Error 10072'],
    [operation('Execution Error, return code 40000. NoSuchObjectException(message:x)'), 'hive-not-found', 'NoSuch'],
    [
      operation('Execution Error, return code 1. AlreadyExistsException(message:Table t already exists)'),
      'hive-conflict',
      't already exists',
    ],
    [
      operation(`MetaException(message:Exception thrown when executing query)${' at x'.repeat(100)} duplicate key`),
      'hive-conflict',
      'Exception thrown',
    ],
    [status('Cannot create file/x. Name node is in safe mode.'), 'hive-unavailable', 'safe mode'],
    [new Error('connect ECONNREFUSED 127.0.0.1:10000'), 'hive-unavailable', 'ECONNREFUSED'],
    [status(''), 'hive-refused', 'no reason given'],
  ])('%# is told by its own sentence and code', (error, code, sentence) => {
    const failure = hiveFailure(error, 'SELECT 1 (Hive at hive2://h:1)');
    expect(failure).toMatchObject({ code, retryable: code === 'hive-unavailable' || code === 'hive-conflict' });
    expect(failure.message).toMatch(/^SELECT 1 \(Hive at hive2:\/\/h:1\): /);
    expect(failure.message).toContain(sentence);
  });

  it('is one line, and not longer than a line', () => {
    const sentence = sentenceOf(operation(`Something\nvery ${'long '.repeat(1_000)}`));
    expect(sentence).not.toContain('\n');
    expect(sentence.length).toBeLessThan(410);
  });

  it('of ours stays what it is', () => {
    const own = hiveTimeout('SELECT 1', 5);
    expect(own).toBeInstanceOf(GridError);
    expect(own.code).toBe('hive-timeout');
    expect(hiveFailure(own, 'x')).toBe(own);
  });
});
