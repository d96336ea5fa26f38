import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { LEGACY_CLASSES, type Evidence, type LegacyClass, type Verdict } from '../../../../grid/legacy/verdict.ts';

const legacyClass = z.enum(LEGACY_CLASSES);

/** How evidence becomes a class. A file with a version, so that what is catalogued can be judged anew by another one. */
export const classRules = z.strictObject({
  version: z.string().min(1),
  /** Less sure than this, and the class is unknown. */
  leastConfidence: z.number().min(0).max(1),
  /** Less ahead of the runner-up than this, and the class is unknown. */
  leastLead: z.number().min(0).max(1),
  rules: z
    .array(
      z.strictObject({
        detector: z.string().min(1),
        class: legacyClass,
        /** What the detector's weight is multiplied by. */
        says: z.number().min(-1).max(1),
      }),
    )
    .readonly(),
  /** The first is a kind of the second, so the second does not speak against it. */
  specialises: z.array(z.tuple([legacyClass, legacyClass])).readonly(),
});
export type ClassRules = z.output<typeof classRules>;

/** The rules that come with the program. */
export const RULES: ClassRules = classRules.parse(
  JSON.parse(readFileSync(new URL('rules.json', import.meta.url), 'utf8')),
);

export type Classification = Pick<Verdict, 'class' | 'confidence' | 'ruleVersion'> & Pick<Partial<Verdict>, 'runnerUp'>;

/**
 * The class that evidence speaks for, by rules alone: nothing is read. Each piece of evidence takes away a part of the doubt; evidence
 * against takes away a part of the confidence.
 */
export function reclassify(evidence: readonly Evidence[], rules: ClassRules = RULES): Classification {
  const doubts = new Map<LegacyClass, number>();
  const against = new Map<LegacyClass, number>();
  const byDetector = new Map(rules.rules.map((rule) => [rule.detector, rule]));
  for (const { detector, weight } of evidence) {
    const rule = byDetector.get(detector);
    if (rule === undefined) continue;
    const says = Math.max(-1, Math.min(1, weight * rule.says));
    if (says >= 0) doubts.set(rule.class, (doubts.get(rule.class) ?? 1) * (1 - says));
    else against.set(rule.class, (against.get(rule.class) ?? 1) * (1 + says));
  }
  const ranked = [...doubts]
    .map(([name, doubt]) => ({ class: name, confidence: round((1 - doubt) * (against.get(name) ?? 1)) }))
    .sort((one, other) => other.confidence - one.confidence);
  // A special class that is sure enough goes before the general one, which is sure of the same lines.
  const isKind = (one: LegacyClass, other: LegacyClass): boolean =>
    rules.specialises.some(([special, general]) => special === one && general === other);
  const sure = ranked.filter(({ confidence }) => confidence >= rules.leastConfidence);
  const best = sure.find((one) => !sure.some((other) => other !== one && isKind(other.class, one.class)));
  const rival = ranked.find((one) => one !== best && (best === undefined || !isKind(best.class, one.class)));
  const ruleVersion = rules.version;
  if (best === undefined || (rival !== undefined && best.confidence - rival.confidence < rules.leastLead)) {
    const [first] = ranked;
    return {
      class: 'unknown',
      confidence: round(1 - (first?.confidence ?? 0)),
      ruleVersion,
      ...(first === undefined ? {} : { runnerUp: first }),
    };
  }
  const runnerUp = ranked.find((one) => one !== best);
  return { ...best, ruleVersion, ...(runnerUp === undefined ? {} : { runnerUp }) };
}

const round = (share: number): number => Math.round(share * 1_000) / 1_000;
