/** A name as it stands in HiveQL, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `database.table`, each part quoted. */
export function qualifiedName(database: string, table: string): string {
  return `${quoteIdentifier(database)}.${quoteIdentifier(table)}`;
}

/**
 * A string as a HiveQL literal, all of it ASCII (a metastore's columns may hold no more). `$` is escaped, since Hive would
 * substitute `${…}` even in a literal.
 */
export function quoteString(text: string): string {
  const escaped = text.replace(/[\\']/g, '\\$&').replace(/[^\x20-\x7e]|\$/g, escapeUnit);
  return `'${escaped}'`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Words that Hive 4 takes for its own where they are not quoted (of non-ANSI ones those that fail as a table's name). */
const RESERVED = new Set(
  `all alter and any array as authorization between bigint binary boolean both by case cast char column compactionid conf
  connector constraint create cross cube current current_date current_timestamp cursor database date day dayofweek decimal
  delete describe distinct double drop else end except exchange exclusive exists extended external extract false fetch float
  floor following for foreign from full function grant group grouping having hour if import in inner insert int integer
  intersect interval into is join lateral leading left less like local macro map merge minus minute month more none not null
  numeric of offset on only or order out outer over partialscan partition percent preceding precision primary procedure
  qualify quarter range reads real reduce references regexp revoke right rlike rollup row rows second select set smallint
  snapshot some start sync table tablesample then time timestamp timestamplocaltz to trailing transform trigger true
  truncate unbounded union unionunique unique uniquejoin unknown update user using utc_tmestamp values varchar view views
  week when where window with year zone`.split(/\s+/),
);

/** A qualified name for people and for pasting into a query: quoted only where it has to be. */
export function readableName(database: string, table: string): string {
  const readable = (name: string): string =>
    /^[a-z0-9][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : quoteIdentifier(name);
  return `${readable(database)}.${readable(table)}`;
}
