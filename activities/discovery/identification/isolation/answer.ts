import { z } from 'zod';
import { verdict } from '../../../../grid/legacy/verdict.ts';
import { QUARANTINE_REASONS, REFUSALS } from '../identifier.ts';

const count = z.number().nonnegative();
const budget = z.object({ depth: count, bytes: count, entries: count }).readonly();

const member = z
  .object({
    name: z.string(),
    path: z.string().exactOptional(),
    refused: z.enum(REFUSALS).exactOptional(),
    detail: z.string().exactOptional(),
    modifiedMs: z.number().exactOptional(),
  })
  .readonly();

/** What a child says, which has touched hostile bytes: outside input as any other. */
export const answerOfChild = z.discriminatedUnion('state', [
  z
    .object({
      state: z.literal('identified'),
      verdict,
      textPath: z.string().exactOptional(),
      telemetryPath: z.string().exactOptional(),
      members: z.array(member).readonly(),
      used: budget,
      contentKey: z.string().exactOptional(),
    })
    .readonly(),
  z
    .object({
      state: z.literal('quarantined'),
      reason: z.enum(QUARANTINE_REASONS),
      detail: z.string(),
      members: z.array(member).readonly(),
      used: budget,
    })
    .readonly(),
  // What the machine lacks, by the system's code.
  z.object({ state: z.literal('failed'), code: z.string(), detail: z.string() }).readonly(),
]);
