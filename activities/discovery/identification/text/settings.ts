import type { Finding, TextSample } from './sample.ts';

const SECTION = /^\s{0,99}\[[^\]\n]{1,120}\]\s{0,99}(?:[#;].{0,300})?$/;
const PAIR = /^\s{0,99}(?:export\s{1,99})?["']?[\w.$@/ -]{1,80}["']?\s{0,99}=(?!=)\s{0,99}\S?/;
const YAML_PAIR = /^\s{0,99}(?:- )?["']?[\w.$@/-]{1,80}["']?:(?:\s{1,99}\S|\s{0,99}$)/;
const YAML_ITEM = /^\s{0,99}-\s{1,99}\S/;
const COMMENT = /^\s{0,99}(?:[#;!]|\/\/)/;
const DIRECTIVE = /^\s{0,99}[A-Za-z][\w-]{2,40}\s{1,99}[\w./:"'*+-]{1,100}$/;

/** Settings of programs: INI, properties, YAML, TOML, and files of directives. */
export function findSettings(sample: TextSample): Finding | undefined {
  const lines = sample.lines.filter((line) => line.trim() !== '').slice(0, 1_000);
  const comments = lines.filter((line) => COMMENT.test(line) && !SECTION.test(line)).length;
  const body = lines.length - comments;
  if (body < 2) return undefined;
  const count = (...patterns: RegExp[]): number =>
    lines.filter((line) => !COMMENT.test(line) && patterns.some((pattern) => pattern.test(line))).length;
  const sections = lines.filter((line) => SECTION.test(line)).length;
  const pairs = count(PAIR);
  const share = (sections + pairs) / body;
  // Code assigns too, but ends in semicolons and has brackets.
  const code =
    count(
      /[;{}]\s{0,99}$/,
      /^\s{0,99}(?:const|let|var|int|def|function|if|for|return|import|class|public|private)\b/,
      /\w\(.{0,300}\)/,
    ) / body;
  if (sections > 0 && pairs >= 1 && share > 0.85 && code < 0.2) {
    return {
      detector: 'ini',
      found: `${sections} sections with ${pairs} settings`,
      weight: 0.5 + share * 0.45,
      format: 'text/x-ini',
      facts: { sections, pairs },
    };
  }
  if (pairs >= 3 && share > 0.9 && code < 0.1) {
    return {
      detector: 'properties',
      found: `${pairs} settings of ${body} lines`,
      weight: share * 0.85,
      format: 'text/x-java-properties',
      facts: { pairs },
    };
  }
  const yaml = count(YAML_PAIR);
  const items = count(YAML_ITEM);
  const isMarked = lines[0]?.trim() === '---' || lines.some((line) => /^\s{2,}[\w-]+:\s/.test(line));
  if (
    yaml >= 3 &&
    (yaml + items) / body > 0.9 &&
    isMarked &&
    code < 0.3 &&
    count(/[,{]\s{0,9}(?:#.{0,300})?$/) < body * 0.1
  ) {
    return {
      detector: 'yaml',
      found: `${yaml} keys of ${body} lines, indented`,
      weight: 0.8,
      format: 'application/yaml',
      facts: { pairs: yaml },
    };
  }
  const directives = count(DIRECTIVE);
  if (
    comments >= 2 &&
    body >= 3 &&
    directives / body > 0.9 &&
    lines.every((line) => line.length < 160) &&
    comments / lines.length > 0.15
  ) {
    return {
      detector: 'directives',
      found: `${directives} directives among ${comments} comments`,
      weight: 0.62,
      format: 'text/plain',
    };
  }
  return undefined;
}
