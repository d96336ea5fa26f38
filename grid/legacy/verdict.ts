import { z } from 'zod';

/** What a legacy file can be. `unknown` is an honest answer; a wrong class is the worst. */
export const LEGACY_CLASSES = [
  'telemetry',
  'comtrade',
  'grid-model',
  'event-log',
  'table',
  'document',
  'correspondence',
  'source-code',
  'configuration',
  'spreadsheet',
  'image',
  'database',
  'executable',
  'archive',
  'encrypted',
  'corrupt',
  'empty',
  'unknown',
] as const;
export type LegacyClass = (typeof LEGACY_CLASSES)[number];

/** One observation that speaks for or against a class. */
export const evidence = z
  .object({
    /** What looked: a detector's name, as `csv-dialect` or `signature`. */
    detector: z.string(),
    /** What it saw, a clause for people. */
    found: z.string(),
    /** How much it says, −1 (against) to 1 (proof). */
    weight: z.number(),
  })
  .readonly();
export type Evidence = z.output<typeof evidence>;

/** What a file is, how sure that is, and why. */
export const verdict = z
  .object({
    class: z.enum(LEGACY_CLASSES),
    /** Media type or format name, as `text/csv`, `comtrade-1999/cfg`, `application/zip`. */
    format: z.string(),
    /** 0 to 1. */
    confidence: z.number(),
    evidence: z.array(evidence).readonly(),
    /** Version of the rules that decided. */
    ruleVersion: z.string(),
    runnerUp: z
      .object({ class: z.enum(LEGACY_CLASSES), confidence: z.number() })
      .readonly()
      .exactOptional(),
    /** Of text: its charset as the WHATWG names it, or as IANA does where that has none. */
    charset: z.string().exactOptional(),
    /** Contradictions between name and content, and other remarks for people. */
    warnings: z.array(z.string()).readonly(),
    /** What a class says beyond that: dialect and columns of a table, channels of a COMTRADE set, quality of telemetry. */
    facts: z.record(z.string(), z.json()).readonly(),
  })
  .readonly();
export type Verdict = z.output<typeof verdict>;
