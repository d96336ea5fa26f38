import { SaxesParser } from 'saxes';
import type { Finding, TextSample } from './sample.ts';

const MOST_EVENTS = 5_000;
const DEEPEST = 2_000;

/** What a document of XML is, by its root and namespaces. */
const KINDS: readonly {
  readonly detector: string;
  readonly format: string;
  readonly is: (root: string, names: string) => boolean;
}[] = [
  {
    detector: 'xml-scl',
    format: 'application/x-scl+xml',
    is: (root, names) => root === 'SCL' || names.includes('iec.ch/61850'),
  },
  {
    detector: 'xml-cim',
    format: 'application/x-cim+xml',
    is: (root, names) => root === 'RDF' && /CIM-schema|iec\.ch\/TC57|cim\d*#/i.test(names),
  },
  { detector: 'xml-svg', format: 'image/svg+xml', is: (root) => root === 'svg' },
  { detector: 'html', format: 'application/xhtml+xml', is: (root) => root.toLowerCase() === 'html' },
  {
    detector: 'xml-events',
    format: 'application/xml',
    is: (root) => /^(?:Events?|log4j.*|LogEntries|testsuites?)$/.test(root),
  },
  {
    detector: 'xml-settings',
    format: 'application/xml',
    is: (root) =>
      /^(?:configuration|config|settings|plist|beans|web-app|server|persistence|project|properties|assembly|component|Package|coreProperties|Types|Relationships)$/i.test(
        root,
      ),
  },
  {
    detector: 'xml-document',
    format: 'application/xml',
    is: (root) => /^(?:book|article|chapter|section|document|FictionBook|feed|rss|TEI)$/i.test(root),
  },
];

/** XML, confirmed by a strict parser that expands no entities; of a beginning, as far as it goes. */
export function findXml(sample: TextSample): Finding | undefined {
  const { text } = sample;
  const start = text.trimStart().slice(0, 200);
  if (!start.startsWith('<')) return undefined;
  if (/^<(?:!doctype html|html[\s>])/i.test(start)) return html(text);
  const parser = new SaxesParser({ xmlns: false });
  let root: string | undefined;
  let names = '';
  let elements = 0;
  let depth = 0;
  let closed = 0;
  let fault: string | undefined;
  parser.on('error', (error) => {
    fault ??= error.message.slice(0, 120);
  });
  parser.on('opentag', ({ name, attributes }) => {
    elements++;
    depth++;
    if (root === undefined) {
      root = name.replace(/^.*:/, '').slice(0, 64);
      names = Object.values(attributes).join(' ').slice(0, 4_000);
    }
  });
  parser.on('closetag', () => {
    depth--;
    closed++;
  });
  for (let at = 0; at < text.length && fault === undefined && elements < MOST_EVENTS && depth < DEEPEST; at += 16_384)
    parser.write(text.slice(at, at + 16_384));
  const isRead = elements >= MOST_EVENTS || depth >= DEEPEST;
  if (sample.isWhole && !isRead && fault === undefined) parser.close();
  if (root === undefined) return undefined;
  const warnings = [
    ...(fault === undefined ? [] : [`the XML is not well-formed: ${fault}`]),
    ...(/<!ENTITY/.test(text.slice(0, 8_192)) ? ['it declares entities of its own, which are not expanded'] : []),
    ...(depth >= DEEPEST ? [`elements lie more than ${DEEPEST} deep`] : []),
  ];
  const kind = KINDS.find(({ is }) => is(root ?? '', names));
  if (fault !== undefined && elements < 20 && kind === undefined && closed === 0)
    return isMarkup(text) ? html(text) : undefined;
  return {
    detector: kind?.detector ?? 'xml',
    found: `${elements} elements below <${root}>`,
    weight: fault === undefined ? 0.98 : 0.75,
    format: kind?.format ?? 'application/xml',
    facts: { root, elements },
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

const isMarkup = (text: string): boolean =>
  (text.slice(0, 20_000).match(/<\/?(?:p|div|span|table|tr|td|body|head|h[1-6]|ul|li|br|a)[\s>]/gi)?.length ?? 0) > 5;

function html(text: string): Finding | undefined {
  if (!isMarkup(text) && !/<(?:head|body|title)[\s>]/i.test(text.slice(0, 20_000))) return undefined;
  return { detector: 'html', found: 'elements of HTML', weight: 0.95, format: 'text/html' };
}
