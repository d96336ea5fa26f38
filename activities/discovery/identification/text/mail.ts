import type { Finding, TextSample } from './sample.ts';

const HEADER =
  /^(From|To|Cc|Bcc|Subject|Date|Message-ID|MIME-Version|Received|Return-Path|Reply-To|In-Reply-To|References|Content-Type|X-Mailer|Delivered-To|Sender|Von|An|Betreff|Datum|Gesendet|De|À|Objet|Sent):\s?(.*)$/i;
const FOLDED = /^[ \t]\S|^[A-Za-z][\w-]{1,60}:/;

/** A mail with its headers, or several in a box. */
export function findMail(sample: TextSample): Finding | undefined {
  const { lines } = sample;
  const isBox = /^From \S{1,200} .{10,60}\d{4}/.test(lines[0] ?? '');
  const names = new Set<string>();
  let header = 0;
  for (const line of lines.slice(isBox ? 1 : 0, 200)) {
    const name = HEADER.exec(line)?.[1]?.toLowerCase();
    if (name !== undefined) names.add(name);
    else if (!FOLDED.test(line)) break;
    header++;
  }
  const has = (...any: string[]): boolean => any.some((name) => names.has(name));
  const envelope = [
    has('from', 'von', 'de', 'sender', 'return-path'),
    has('to', 'an', 'à', 'delivered-to', 'cc'),
    has('subject', 'betreff', 'objet'),
    has('date', 'datum', 'sent', 'gesendet', 'received'),
    has('message-id', 'mime-version'),
  ].filter(Boolean).length;
  if (envelope < 3 || header === 0) return undefined;
  const format = isBox ? 'application/mbox' : 'message/rfc822';
  return {
    detector: 'mail-headers',
    found: `headers ${[...names].slice(0, 6).join(', ')}`,
    weight: envelope >= 4 ? 0.97 : 0.85,
    format,
    facts: { headers: [...names] },
  };
}
