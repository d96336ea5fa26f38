import type { Finding, TextSample } from './sample.ts';

const STAMPS = [
  [
    'syslog',
    /^(?:<\d{1,3}>)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d:\d\d \S{1,100} \S/,
  ],
  ['syslog', /^<\d{1,3}>1 \d{4}-\d\d-\d\dT\S{8,40} \S/],
  ['web-log', /^\S{1,64} \S{1,64} \S{1,64} \[\d{1,2}\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "/],
  [
    'stamped-lines',
    /^\s*[[(]?\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T ,]{1,2}\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?[\])]?[\s,;|:-]/,
  ],
  [
    'stamped-lines',
    /^\s*[[(]?\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}[T ,]{1,2}\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?[AP]M)?[\])]?[\s,;|:-]/,
  ],
  [
    'stamped-lines',
    /^\s*[[(]?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\w{3} {1,2}\d{1,2}|\d{1,2} \w{3}) (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: \d{4})?[\])]?\s/,
  ],
  ['stamped-lines', /^\s*[[(]?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?[\])]?[\s,;|-]{1,3}.{0,80}[A-Za-z]{3}/],
] as const;

const LEVEL =
  /\b(?:trace|debug|info|notice|warn(?:ing)?|error|err|fatal|crit(?:ical)?|alarm|alert|trip(?:ped)?|event|fault|störung|warnung|fehler|meldung)\b/i;

/** A journal: lines that begin with a moment and go on in words. */
export function findJournal(sample: TextSample): Finding | undefined {
  const lines = sample.lines.filter((line) => line.trim() !== '').slice(0, 1_000);
  if (lines.length < 2) return undefined;
  for (const [kind, pattern] of STAMPS) {
    const stamped = lines.filter((line) => pattern.test(line.slice(0, 400)));
    const share = stamped.length / lines.length;
    // Stack traces and continuations come between.
    if (stamped.length < 2 || share < 0.35) continue;
    const wordy =
      stamped.filter(
        (line) =>
          (line
            .slice(0, 400)
            .replace(pattern, '')
            .match(/\p{L}{3,}/gu)?.length ?? 0) >= 2,
      ).length / stamped.length;
    if (wordy < 0.6) continue;
    const levels = stamped.filter((line) => LEVEL.test(line.slice(0, 400))).length / stamped.length;
    const isKnown = kind !== 'stamped-lines';
    return {
      detector: kind,
      found: `${stamped.length} of ${lines.length} lines begin with a moment${levels > 0.3 ? ', many with a level' : ''}`,
      weight: Math.min(
        0.97,
        (isKnown ? 0.75 : 0.5) + share * 0.2 + (levels > 0.3 ? 0.2 : 0) + (wordy > 0.9 ? 0.07 : 0),
      ),
      format: 'text/x-log',
      facts: { stampedShare: Math.round(share * 100) / 100 },
    };
  }
  return undefined;
}
