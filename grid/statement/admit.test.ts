import { describe, expect, it } from 'vitest';
import { admitStatement, MOST_SQL_BYTES, type Admitted } from './admit.ts';

function admitted(sql: string, mayWrite = false): Admitted {
  const found = admitStatement(sql, { mayWrite });
  if ('reason' in found) throw new Error(`${sql}: ${found.reason}`);
  return found;
}

function reason(sql: string, mayWrite = false): string {
  const found = admitStatement(sql, { mayWrite });
  return 'reason' in found ? found.reason : '';
}

describe('a statement that reads', () => {
  it.each([
    'SELECT 1',
    'select count(*), `select` from t where a in (1, 2) and not (b = 1)',
    "SELECT 'DROP TABLE x; INSERT', \"it's ; -- no comment\", 'a\\'; b' FROM t;",
    'WITH q AS (SELECT a FROM t), r AS (SELECT 1) SELECT * FROM q JOIN r USING (a)',
    'WITH q (a, b) AS (SELECT 1, 2) SELECT * FROM q',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'FROM t SELECT a',
    'VALUES (1, 2), (3, 4)',
    'SELECT * FROM TABLE(VALUES (1, 2)) AS t (a, b)',
    'SELECT sum(x) OVER (PARTITION BY a ORDER BY b), percentile_approx(x, 0.5) FROM t GROUP BY a GROUPING SETS ((a), ())',
    'SELECT CAST(a AS DECIMAL(10,2)), CAST(b AS VARCHAR(3)), map(1, 2), IF(a, b, c) FROM t LATERAL VIEW OUTER explode(m) e AS k, v',
    "SELECT * FROM t TABLESAMPLE(10 ROWS) WHERE EXISTS (SELECT 1 FROM u) AND x LIKE ANY ('a')",
    'SELECT extract(year FROM d), floor(d TO month), INTERVAL (1) DAY, ds_hll_sketch(x), count(DISTINCT a), current_timestamp() FROM t',
    '-- DROP TABLE x\nSELECT /* ; INSERT */ 1 /*+ hint */ -- end',
    'SELECT `insert`, `reflect` FROM `drop`',
  ])('is a query: %s', (sql) => {
    expect(admitted(sql)).toMatchObject({ kind: 'query' });
  });

  it.each([
    'SHOW TABLES',
    'show create table t',
    'DESCRIBE FORMATTED t',
    'desc t',
    'SHOW PARTITIONS t PARTITION(a=1)',
    'EXPLAIN SELECT 1',
    'EXPLAIN FORMATTED CBO WITH q AS (SELECT 1) SELECT * FROM q',
    'EXPLAIN AUTHORIZATION FROM t SELECT 1',
  ])('tells something: %s', (sql) => {
    expect(admitted(sql)).toMatchObject({ kind: 'told' });
  });

  it('is sent without comments and without the semicolon, all else in its place', () => {
    const sql = "SELECT a, -- the first ; one\n '--no', /* x\n; */ `/*b*/` FROM t ; -- end";
    const blanked = sql.replace('-- the first ; one', ' '.repeat(18)).replace('/* x\n; */', '    \n    ');
    expect(admitted(sql).sql).toBe(blanked.slice(0, blanked.indexOf(' ; -- end')));
  });

  it('says which names stand in it', () => {
    const { names } = admitted("SELECT 'readings_raw' FROM `Readings_All` r JOIN db.other o");
    expect([...names]).toEqual(['select', 'from', 'readings_all', 'r', 'join', 'db', 'other', 'o']);
  });
});

describe('a statement that is refused', () => {
  it.each([
    ['', 'it is empty'],
    [' -- nothing\n;', 'it is empty'],
    ['SELECT 1; SELECT 2', 'line 1, column 9: a semicolon begins a second statement'],
    ['SELECT 1;;', 'a semicolon'],
    ['SELECT 1 /* ; */; DROP TABLE x', 'a semicolon'],
    ["SELECT 'open", "line 1, column 8: ' is not closed"],
    ["SELECT 'a\\' FROM t", 'is not closed'],
    ['SELECT `open', '` is not closed'],
    ['SELECT /* open', 'a comment is not closed'],
    ['SELECT /* /* */ 1', 'a comment stands within a comment'],
    ["SELECT '${hiveconf:a}'", 'Hive would substitute'],
    ['SELECT ${env:PATH}', 'Hive would substitute'],
    ['SELECT\u00a01', 'the character U+00A0'],
    ['ＳELECT 1', 'the character U+FF33'],
    ['SELECT \u0000', 'the character U+0000'],
    ["SELECT '\ud800'", 'half of a character'],
    ['INSERT INTO t VALUES (1)', 'INSERT changes data or tables'],
    ['FROM t INSERT INTO u SELECT a', 'INSERT changes'],
    ["FROM t INSERT OVERWRITE DIRECTORY '/x' SELECT a", 'INSERT changes'],
    ['WITH q AS (SELECT 1) INSERT INTO t SELECT * FROM q', 'INSERT changes'],
    ['(SELECT 1) ; insert into t values (1)', 'a semicolon'],
    ['EXPLAIN INSERT INTO t VALUES (1)', 'EXPLAIN is for queries'],
    ['EXPLAIN ANALYZE SELECT 1', 'EXPLAIN ANALYZE runs'],
    ['EXPLAIN FORMATTED FROM t INSERT INTO u SELECT a', 'EXPLAIN is for queries'],
    ['EXPLAIN EXPLAIN SELECT 1', 'EXPLAIN is for queries'],
    ['CREATE TABLE t AS SELECT 1', 'CREATE changes'],
    ['DROP TABLE t', 'DROP changes'],
    ['UPDATE t SET a = 1', 'UPDATE changes'],
    ['MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE', 'MERGE changes'],
    ["LOAD DATA INPATH '/x' INTO TABLE t", 'LOAD changes'],
    ['SET hive.exec.parallel=true', 'SET begins no statement'],
    ['RESET', 'RESET begins'],
    ['ADD JAR /tmp/x.jar', 'ADD begins'],
    ['dfs -rm -r /', 'DFS begins'],
    ['!ls', '! begins'],
    ['USE other', 'USE begins'],
    ["EXPORT TABLE t TO '/x'", 'EXPORT begins'],
    ["IMPORT FROM '/x'", 'IMPORT begins'],
    ['RELOAD FUNCTION', 'RELOAD begins'],
    ["KILL QUERY 'x'", 'KILL begins'],
    ['GRANT ALL ON t TO USER x', 'GRANT begins'],
    ['`SELECT` 1', 'It begins no statement'],
    ["'SELECT'", 'It begins'],
    ["SELECT reflect('java.lang.Runtime', 'x')", 'reflect(…) is none of the functions'],
    ["SELECT `reflect`('a', 'b')", 'reflect(…) is none'],
    ["SELECT REFLECT2 /* x */ ('a', 'b')", 'reflect2(…) is none'],
    ["SELECT java_method('a', 'b')", 'java_method(…) is none'],
    ["SELECT in_file('a', '/etc/passwd')", 'in_file(…) is none'],
    ["SELECT get_sql_schema('x')", 'get_sql_schema(…) is none'],
    ['SELECT my_function(1)', 'my_function(…) is none'],
    ['SELECT default.abs(1)', 'functions of a database'],
    ['SELECT `a.b`(1)', 'a.b(…) is none'],
    ["SELECT TRANSFORM (a) USING 'cat' FROM t", 'TRANSFORM runs a program'],
    ["SELECT * FROM (FROM t MAP a USING 'cat' AS b) q", 'USING with a program'],
    ["FROM t REDUCE a USING '/bin/sh'", 'USING with a program'],
    ['SELECT 1 FROM noop(ON t)', 'noop(…) is none'],
    ['SELECT * FROM t LATERAL VIEW reflect(1) x', 'reflect(…) is none'],
  ])('%j: %s', (sql, why) => {
    expect(reason(sql)).toContain(why);
  });

  it('is one that is too long, and is not read for it', () => {
    expect(reason(`SELECT '${'x'.repeat(MOST_SQL_BYTES)}'`)).toContain('it has 100009 bytes');
  });

  it.each([
    ['ADD JAR /tmp/x.jar', 'ADD begins'],
    ['SET a=b', 'SET begins'],
    ["CREATE TEMPORARY FUNCTION f AS 'x'", 'FUNCTION are not for here'],
    ["CREATE FUNCTION a.f AS 'x'", 'FUNCTION are not for here'],
    ["INSERT OVERWRITE LOCAL DIRECTORY '/x' SELECT 1", 'LOCAL reaches files'],
    ["INSERT OVERWRITE DIRECTORY '/x' SELECT 1", 'DIRECTORY reaches files'],
    ["LOAD DATA LOCAL INPATH '/etc/passwd' INTO TABLE t", 'LOCAL reaches files'],
    ['DELETE JAR x', 'DELETE begins no statement'],
    ["INSERT INTO t SELECT reflect('a', 'b')", 'reflect(…) is none'],
    ["INSERT INTO t SELECT x FROM u LATERAL VIEW reflect('a') v AS x", 'reflect(…) is none'],
    ["INSERT INTO t SELECT a.reflect('a')", 'functions of a database'],
    ["INSERT INTO t SELECT TRANSFORM (a) USING 'x' FROM u", 'TRANSFORM runs'],
  ])('even where writes are allowed: %s', (sql, why) => {
    expect(reason(sql, true)).toContain(why);
  });
});

it('admits writes where they are allowed', () => {
  for (const sql of [
    'INSERT INTO a.t (x, y) VALUES (1, 2)',
    "CREATE TABLE IF NOT EXISTS a.t (x INT, y DECIMAL(3,2)) PARTITIONED BY (d STRING) STORED AS ORC TBLPROPERTIES ('a'='b')",
    'CREATE VIEW v (a) AS SELECT 1',
    'FROM t INSERT INTO u SELECT a',
    'DELETE FROM t WHERE a = 1',
    'MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET a = 1',
    'DROP TABLE t',
    'ALTER TABLE t ADD COLUMNS (b INT)',
  ]) {
    expect(admitted(sql, true), sql).toMatchObject({ kind: 'write' });
  }
  expect(admitted('SELECT 1', true)).toMatchObject({ kind: 'query' });
});

it('takes time in proportion to the length', () => {
  const began = performance.now();
  for (const part of ['(', "''", '``', '/* */', '--\n', 'a.', 'f(', '"\\""', '/*']) {
    const sql = `SELECT ${part.repeat(Math.floor((MOST_SQL_BYTES - 10) / part.length))}`;
    admitStatement(sql, { mayWrite: true });
  }
  // Milliseconds; in proportion to the square it would be minutes.
  expect(performance.now() - began).toBeLessThan(20_000);
});
