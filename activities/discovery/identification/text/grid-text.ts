import type { Finding, TextSample } from './sample.ts';

/** Models of grids in the formats of planning programs, and dumps of databases. */
export function findGridText(sample: TextSample): Finding | undefined {
  const { lines, text } = sample;
  const head = lines.find((line) => !line.startsWith('@!')) ?? '';
  // PSS/E: case identification, base power, revision; later sections each end in a line with 0 and the name of what ends.
  if (/^\s*[01]\s*,\s*\d+(?:\.\d*)?\s*(?:,|\/)/.test(head)) {
    const ends = text.match(/^\s*(?:0|Q)\s*\/\s*(?:END OF|BEGIN)\b/gim)?.length ?? 0;
    const isPlausible =
      /\/.*(?:psse|pss\/e|pss\(r\)e|raw)/i.test(head) || /^\s*0\s*,\s*\d+(?:\.\d*)?\s*,\s*(?:2\d|3\d)\s*,/.test(head);
    if (ends >= 1 || (isPlausible && lines.length > 3)) {
      return {
        detector: 'psse-raw',
        found: `a case identification${ends > 0 ? ` and ${ends} ends of sections` : ''}`,
        weight: ends >= 1 ? 0.97 : 0.75,
        format: 'psse-raw',
      };
    }
  }
  if (/^\s*mpc\.(?:bus|branch|gen|baseMVA)\s*=/m.test(text)) {
    return { detector: 'matpower', found: 'tables mpc.bus and the like', weight: 0.97, format: 'matpower' };
  }
  if (/^\s*(?:Clear\s+)?New\s+(?:object=)?Circuit\./im.test(text) && /^\s*New\s+\S+/im.test(text)) {
    return { detector: 'opendss', found: 'a circuit of OpenDSS', weight: 0.95, format: 'opendss' };
  }
  return undefined;
}

const STATEMENT =
  /^\s*(?:CREATE\s+(?:OR REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:TABLE|DATABASE|SCHEMA|INDEX|UNIQUE INDEX|VIEW|SEQUENCE|TYPE|FUNCTION|PROCEDURE|TRIGGER)|INSERT\s+INTO|DROP\s+TABLE|ALTER\s+TABLE|COPY\s+\S{1,100}\s*\(.{0,2000}FROM\s+stdin|LOCK TABLES|SET\s+\w+\s*=|UPDATE\s+\S+\s+SET|DELETE\s+FROM|SELECT\s+(?:\S.*)?\bFROM|GRANT\s)\b/im;

export function findSql(sample: TextSample): Finding | undefined {
  const matches = sample.text
    .slice(0, 120_000)
    .split(/;\s*\n|\n(?=CREATE|INSERT|DROP|ALTER|COPY|SET|LOCK)/i)
    .slice(0, 2_000)
    .filter((statement) =>
      STATEMENT.test(statement.replace(/^\s*(?:--[^\n]*\n\s*|\/\*[^]*?\*\/;?\s*)*/, '').slice(0, 300)),
    );
  // Other languages set and select too.
  if (matches.every((statement) => /^\s*(?:SET|SELECT|COPY)\b/i.test(statement)) && matches.length < 3)
    return undefined;
  const creates = matches.filter((statement) => /^\s*(?:--[^\n]*\n\s*)*CREATE\s+TABLE/i.test(statement)).length;
  const inserts = matches.filter((statement) =>
    /^\s*(?:--[^\n]*\n\s*)*(?:INSERT\s+INTO|COPY\s+\S{1,100}\s*\()/i.test(statement.slice(0, 2_000)),
  ).length;
  const share = matches.join('').length / Math.min(120_000, sample.text.length);
  const isMarked =
    /^(?:-- (?:MySQL dump|PostgreSQL database dump|phpMyAdmin|Dumping)|PRAGMA foreign_keys|BEGIN TRANSACTION;|\/\*!\d{5})/m.test(
      sample.text.slice(0, 2_000),
    );
  const isDump = isMarked || inserts > 0;
  if (share < 0.4 && !isMarked) return undefined;
  return {
    detector: isDump ? 'sql-dump' : 'sql-script',
    found: `${matches.length} statements, ${creates} tables, ${inserts} with rows`,
    weight: isMarked ? 0.97 : Math.min(0.95, 0.6 + share * 0.3 + matches.length * 0.02),
    format: 'application/sql',
    facts: { statements: matches.length },
  };
}
