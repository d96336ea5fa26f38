import type { DiscoveryResult } from '../../../workflows/discovery/contract.ts';
import { discoveryText } from '../../../workflows/discovery/text.ts';
import type { Told, ToldTable } from '../../../workflows/job/told.ts';

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1.5rem 0;width:100%}th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
.figure{text-align:right;white-space:nowrap}h1{font-size:1.4rem}`;

/** The report of a crawl as a page that needs nothing else. Names of files are from outside: all text is escaped. */
export function reportPage(result: DiscoveryResult): string {
  const told: Told = discoveryText.result(result);
  const { title = '', headline, sentences = [], tables = [] } = told;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escaped(title)}</h1><p><strong>${escaped(headline)}</strong></p>`,
    ...sentences.map((sentence) => `<p>${escaped(sentence)}</p>`),
    `<p>Crawl ${escaped(result.crawl)}, begun ${escaped(result.startedAt)}.</p>`,
    ...tables.map(tableText),
    '</body></html>\n',
  ].join('\n');
}

function tableText({ columns, rows, more = 0 }: ToldTable): string {
  const cell = (tag: string, text: string, index: number): string =>
    `<${tag}${columns[index]?.isFigure === true ? ' class="figure"' : ''}>${escaped(text)}</${tag}>`;
  return [
    `<table><thead><tr>${columns.map(({ heading }, index) => cell('th', heading, index)).join('')}</tr></thead><tbody>`,
    ...rows.map((row) => `<tr>${row.map((text, index) => cell('td', text, index)).join('')}</tr>`),
    '</tbody></table>',
    ...(more === 0 ? [] : [`<p>and ${more} more</p>`]),
  ].join('\n');
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character);
}
