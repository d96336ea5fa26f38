import { mayBeCalled } from './functions.ts';
import { placeOf, tokensOf, type Token } from './tokens.ts';

/** Longest statement, bytes of UTF-8. */
export const MOST_SQL_BYTES = 100_000;

/** A statement that may be run. */
export interface Admitted {
  /** What is run: the statement without its comments and the semicolon at its end, every other character where it was. */
  readonly sql: string;
  /** `query`: SELECT and VALUES in all forms; `told`: SHOW, DESCRIBE, EXPLAIN; `write`: whatever changes data or tables. */
  readonly kind: 'query' | 'told' | 'write';
  /** All names in it, in lower case: of tables, columns, aliases; also keywords. */
  readonly names: ReadonlySet<string>;
}

/** Why a statement may not be run, to follow a colon. */
export interface Refused {
  readonly reason: string;
}

const QUERY = new Set(['SELECT', 'WITH', 'FROM', 'VALUES', '(']);
const TOLD = new Set(['SHOW', 'DESCRIBE', 'DESC']);
/** EXPLAIN ANALYZE is not among them: it runs what it explains. */
const EXPLAINED = new Set(
  'EXTENDED FORMATTED DEPENDENCY AUTHORIZATION CBO COST JOINCOST AST LOGICAL DEBUG LOCKS VECTORIZATION ONLY SUMMARY OPERATOR EXPRESSION DETAIL'.split(
    ' ',
  ),
);
const WRITES = new Set('INSERT CREATE DROP ALTER TRUNCATE MERGE UPDATE DELETE LOAD ANALYZE MSCK'.split(' '));
/** What makes of a query something that changes data. All are reserved in Hive: as a name they stand in backquotes. */
const WRITES_WITHIN = new Set(['INSERT', 'MERGE', 'UPDATE', 'DELETE', 'TRUNCATE', 'ALTER', 'DROP', 'CREATE']);
/** Words before a parenthesis that call nothing. */
const BEFORE_PARENTHESIS = new Set(
  `ALL AND ANY AS BETWEEN BY CASE CUBE DISTINCT DIV ELSE EXCEPT EXISTS FILTER FOR FROM GROUP HAVING IN INTERSECT IS JOIN LIKE LIMIT MINUS NOT OFFSET ON OR OVER
  PARTITION QUALIFY REGEXP RLIKE ROLLUP ROW SELECT SETS SOME TABLE TABLESAMPLE THEN UNION USING VALUES WHEN WHERE WITH`.split(
    /\s+/,
  ),
);
/** Of statements that write besides. */
const BEFORE_PARENTHESIS_OF_WRITES = new Set(
  `BUCKETS CHECK COLUMNS CLUSTERED DBPROPERTIES DEFAULT FOREIGN KEY MATCHED PARTITIONED PROPERTIES REFERENCES SERDEPROPERTIES SET SKEWED SORTED SPEC STORED
  TBLPROPERTIES UNIQUE`.split(/\s+/),
);

/**
 * Whether a statement may be run, told from its tokens. Everything is refused that is not known to be harmless: statements by their first
 * word, functions by their names. What is admitted is one statement, and Hive is sent nothing but the tokens that were judged.
 *
 * @param mayWrite admit statements that change data and tables too; never those that run programs, change the session or reach other files
 */
export function admitStatement(sql: string, { mayWrite }: { readonly mayWrite: boolean }): Admitted | Refused {
  const bytes = Buffer.byteLength(sql);
  if (bytes > MOST_SQL_BYTES) return { reason: `it has ${bytes} bytes, and may have ${MOST_SQL_BYTES}` };
  const tokenized = tokensOf(sql);
  if ('problem' in tokenized) return { reason: tokenized.problem };
  let { tokens } = tokenized;
  let text = tokenized.withoutComments;
  const last = tokens.at(-1);
  if (last !== undefined && isSymbol(last, ';')) {
    text = text.slice(0, last.at);
    tokens = tokens.slice(0, -1);
  }
  if (tokens.length === 0) return { reason: 'it is empty' };
  const semicolon = tokens.find((token) => isSymbol(token, ';'));
  if (semicolon !== undefined) {
    return { reason: `${placeOf(sql, semicolon.at)}: a semicolon begins a second statement; run one at a time` };
  }
  const kind = kindOf(tokens, mayWrite);
  if (typeof kind !== 'string') return kind;
  const refused = refusedWithin(sql, tokens, kind);
  if (refused !== undefined) return { reason: refused };
  const names = tokens
    .filter((token) => token.kind === 'word' || token.kind === 'name')
    .map((token) => token.text.toLowerCase());
  return { sql: text.trim(), kind, names: new Set(names) };
}

function kindOf(tokens: readonly Token[], mayWrite: boolean): Admitted['kind'] | Refused {
  const [first] = tokens;
  const verb = first?.kind === 'word' || first?.kind === 'symbol' ? first.text : '';
  if (TOLD.has(verb)) return 'told';
  if (verb === 'EXPLAIN') {
    let at = 1;
    while (tokens[at]?.kind === 'word' && EXPLAINED.has(tokens[at]?.text ?? '')) at++;
    const explained = tokens[at];
    if (explained?.text === 'ANALYZE') return { reason: 'EXPLAIN ANALYZE runs what it explains; leave out ANALYZE' };
    const isQuery = explained !== undefined && explained.kind !== 'name' && QUERY.has(explained.text);
    if (!isQuery || writeWithin(tokens.slice(at)) !== undefined) {
      return { reason: 'EXPLAIN is for queries here: SELECT, WITH, FROM … SELECT or VALUES' };
    }
    return 'told';
  }
  const isQuery = QUERY.has(verb) && first?.kind !== 'name';
  const write = isQuery ? writeWithin(tokens) : tokens[0];
  if (isQuery && write === undefined) return 'query';
  if (isQuery || WRITES.has(verb)) {
    if (mayWrite) return verb === 'DELETE' && tokens[1]?.text !== 'FROM' ? unknown(verb) : 'write';
    return { reason: `${write?.text ?? verb} changes data or tables, and this only reads` };
  }
  return unknown(verb);
}

function unknown(verb: string): Refused {
  const named = verb === '' ? 'It' : verb.slice(0, 40);
  return {
    reason: `${named} begins no statement that is run here; SELECT, WITH, FROM … SELECT, VALUES, SHOW, DESCRIBE and EXPLAIN do`,
  };
}

/** The word that makes a write of a query. */
function writeWithin(tokens: readonly Token[]): Token | undefined {
  return tokens.find((token) => token.kind === 'word' && WRITES_WITHIN.has(token.text));
}

/** What must not stand in any statement. */
function refusedWithin(sql: string, tokens: readonly Token[], kind: Admitted['kind']): string | undefined {
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    const next = tokens[index + 1];
    // Told of few tokens: it reads the statement from its beginning.
    const at = (): string => placeOf(sql, token.at);
    if (token.kind === 'word') {
      if (token.text === 'USING' && next?.kind === 'string') {
        return `${at()}: USING with a program runs it on the servers`;
      }
      if (token.text === 'TRANSFORM') return `${at()}: TRANSFORM runs a program on the servers`;
      if (kind === 'write') {
        if (['FUNCTION', 'MACRO', 'ROLE', 'CONNECTOR', 'SCHEDULED'].includes(token.text) && index < 5)
          return `${at()}: CREATE, DROP and ALTER ${token.text} are not for here`;
        if (token.text === 'DIRECTORY' || token.text === 'LOCAL')
          return `${at()}: ${token.text} reaches files beyond Hive's tables`;
      }
    }
    if (next === undefined || !isSymbol(next, '(') || token.kind === 'string' || token.kind === 'symbol') continue;
    if (callsNothing(token, before, kind)) continue;
    const isOfDatabase = isSymbol(before, '.');
    if (!isOfDatabase && mayBeCalled(token.text.toLowerCase())) continue;
    if (kind === 'write' && isTableBefore(tokens, index)) continue;
    if (isOfDatabase) return `${at()}: functions of a database are not called here`;
    return `${at()}: ${token.text.toLowerCase().slice(0, 100)}(…) is none of the functions of Hive that may be called here`;
  }
  return undefined;
}

/** A word before a parenthesis, or a name that is being given: `AS t (a, b)`, `WITH q (a) AS …`. */
function callsNothing(token: Token, before: Token | undefined, kind: Admitted['kind']): boolean {
  if (token.kind === 'word' && BEFORE_PARENTHESIS.has(token.text)) return true;
  if (token.kind === 'word' && kind === 'write' && BEFORE_PARENTHESIS_OF_WRITES.has(token.text)) return true;
  return before?.kind === 'word' && (before.text === 'AS' || before.text === 'WITH');
}

/** The columns of the table that is written or made stand in parentheses behind its name: `INSERT INTO a.b (c)`, `CREATE TABLE IF NOT EXISTS b (c INT)`. */
function isTableBefore(tokens: readonly Token[], index: number): boolean {
  let at = index - 1;
  while (isSymbol(tokens[at], '.')) at -= 2;
  const before = tokens[at];
  if (before?.kind !== 'word' || tokens[at - 1]?.text === 'LATERAL') return false;
  return ['TABLE', 'VIEW', 'INTO', 'EXISTS'].includes(before.text);
}

function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.text === symbol;
}
