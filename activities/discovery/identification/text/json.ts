import type { Finding, TextSample } from './sample.ts';

/** JSON and lines of JSON, confirmed by parsing. */
export function findJson(sample: TextSample): Finding | undefined {
  const start = sample.text.trimStart().slice(0, 1);
  if (start !== '{' && start !== '[') return undefined;
  return findLines(sample) ?? findDocument(sample);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function findLines(sample: TextSample): Finding | undefined {
  const lines = sample.lines.filter((line) => line.trim() !== '').slice(0, 200);
  if (lines.length < 2) return undefined;
  const rows = lines.map(parsed);
  const good = rows.filter((row) => typeof row === 'object' && row !== null).length;
  if (good < lines.length * 0.95) return undefined;
  const keys = keysOf(rows);
  const isLog = LOG_KEYS.some(([one, other]) => keys.includes(one) && keys.includes(other));
  return {
    detector: isLog ? 'ndjson-log' : 'ndjson',
    found: `${good} of ${lines.length} lines are JSON${keys.length === 0 ? '' : ` with ${keys.slice(0, 6).join(', ')}`}`,
    weight: good === lines.length ? 0.98 : 0.8,
    format: 'application/x-ndjson',
    facts: { keys },
    ...(good < lines.length ? { warnings: ['some lines are no JSON'] } : {}),
  };
}

const LOG_KEYS = [
  ['level', 'msg'],
  ['level', 'message'],
  ['severity', 'message'],
  ['timestamp', 'message'],
  ['@timestamp', 'message'],
] as const;

function keysOf(rows: readonly unknown[]): readonly string[] {
  const keys = new Set<string>();
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) continue;
    for (const key of Object.keys(row)) if (keys.size < 64) keys.add(key.slice(0, 64));
  }
  return [...keys];
}

function findDocument(sample: TextSample): Finding | undefined {
  const { text } = sample;
  if (!sample.isWhole) {
    // A beginning cannot be parsed; names and values where they have to be say enough.
    const pairs = text.match(/"(?:[^"\\\n]|\\.){0,200}"\s{0,20}:\s{0,20}["{[\dtfn-]/g)?.length ?? 0;
    const numbers = /^\s*\[[\s\d.,eE+[\]-]{200,}/.test(text);
    if (pairs < 5 && !numbers) return undefined;
    return {
      detector: 'json',
      found: `${pairs} names with values in its beginning`,
      weight: 0.7,
      format: 'application/json',
    };
  }
  const value = parsed(text);
  if (value === undefined) return undefined;
  if (Array.isArray(value)) {
    const rows = value.slice(0, 200) as readonly unknown[];
    const flat = rows.length > 1 && rows.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row));
    const keys = keysOf(rows);
    if (flat)
      return {
        detector: 'json-rows',
        found: `an array of ${value.length} objects`,
        weight: 0.9,
        format: 'application/json',
        facts: { keys },
      };
    return { detector: 'json', found: `an array of ${value.length}`, weight: 0.95, format: 'application/json' };
  }
  const keys = keysOf([value]);
  const type = keys.includes('type') ? String((value as Readonly<Record<'type', unknown>>).type) : '';
  if (type === 'FeatureCollection' && keys.includes('features')) {
    return {
      detector: 'json-geo',
      found: 'a feature collection',
      weight: 0.95,
      format: 'application/geo+json',
      facts: { keys },
    };
  }
  const settings = SETTINGS.find((names) => names.every((name) => keys.includes(name)));
  const facts = { keys };
  if (settings !== undefined) {
    return {
      detector: 'json-settings',
      found: `settings ${settings.join(', ')}`,
      weight: 0.9,
      format: 'application/json',
      facts,
    };
  }
  return {
    detector: 'json',
    found: `an object with ${keys.slice(0, 6).join(', ')}`,
    weight: 0.95,
    format: 'application/json',
    facts,
  };
}

/** Names that stand together in settings of programs. */
const SETTINGS = [
  ['name', 'version'],
  ['compilerOptions'],
  ['extends', 'rules'],
  ['scripts'],
  ['lockfileVersion'],
  ['settings'],
  ['config'],
  ['host', 'port'],
  ['plugins', 'presets'],
] as const;
