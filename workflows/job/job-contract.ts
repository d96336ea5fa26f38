import { z } from 'zod';
import type { QueueName } from './task-queues.ts';
import type { Brief, JobText, Told } from './told.ts';

/** Variables that configure schedules: `<prefix>` (on, paused, off), `<prefix>_CRON`, `_TIME_ZONE`, `_CATCHUP_SECONDS`, `_INPUT`, `_SCHEDULE_ID`. */
export type SchedulePrefix = 'NIGHTLY_IMPORT' | 'NIGHTLY_VIEWS' | 'NIGHTLY_COMPACTION';

/** The schedule that starts a job by itself. */
export interface JobSchedule {
  readonly variables: SchedulePrefix;
  /** Memo by which its runs learn the schedule's time zone. */
  readonly timeZoneMemo: string;
}

/**
 * All that others may know of a batch job. Each job has its own in `workflows/<job>/contract.ts`, and a line in `workflows/registry.ts`; from these the
 * worker, the command line, schedules and whatever shows jobs take what they need.
 */
export interface JobContract<
  Input extends z.ZodType = z.ZodType,
  Progress extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly workflowType: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** One object, all of whose fields have defaults where that is possible. */
  readonly input: Input;
  /** An input that shows what can be asked for, for the command line's help. */
  readonly example: z.input<Input>;
  /** Answer to the query `progress`. */
  readonly progress: Progress;
  /** Also the detail of the failure of a run that has done a part. */
  readonly result: Result;
  /** Its activities, and the task queue of each. */
  readonly activities: Readonly<Record<string, QueueName>>;
  readonly schedule?: JobSchedule;
}

/** Progress of jobs that have no figures but a text. */
export const plainProgress = z.object({
  text: z.string(),
  done: z.number().exactOptional(),
  /** What `done` comes to in the end. */
  of: z.number().exactOptional(),
});
export type PlainProgress = z.output<typeof plainProgress>;

/** A contract and its text, for whoever has answers of which only the workflow type is known. */
export interface Job {
  readonly contract: JobContract;
  /** Whether heartbeats say more of its progress than its own answer. */
  readonly hasHeartbeats: boolean;
  /**
   * @param heartbeats of its activities and those of its parts
   * @returns undefined when the answer is of another shape, such as a later version's
   */
  progressTold(answer: unknown, heartbeats?: readonly unknown[]): Told | undefined;
  brief(answer: unknown, heartbeats?: readonly unknown[]): Brief | undefined;
  resultTold(result: unknown): Told | undefined;
  isFailure(result: unknown): boolean;
  waitsForRetry(answer: unknown): string | undefined;
}

/** Puts a contract and its text together, for the registry. */
export function job<Input extends z.ZodType, Progress extends z.ZodType, Result extends z.ZodType>(
  contract: JobContract<Input, Progress, Result>,
  text: JobText<z.output<Progress>, z.output<Result>>,
): Job {
  const progress = <T>(
    answer: unknown,
    tell: (progress: z.output<Progress>) => T,
    heartbeats: readonly unknown[] = [],
  ): T | undefined => {
    const parsed = contract.progress.safeParse(answer);
    if (!parsed.success) return undefined;
    return tell(text.withHeartbeats?.(parsed.data, heartbeats) ?? parsed.data);
  };
  const result = <T>(answer: unknown, tell: (result: z.output<Result>) => T): T | undefined => {
    const parsed = contract.result.safeParse(answer);
    return parsed.success ? tell(parsed.data) : undefined;
  };
  return {
    contract,
    hasHeartbeats: text.withHeartbeats !== undefined,
    progressTold: (answer, heartbeats) => progress(answer, (known) => text.progress(known), heartbeats),
    brief: (answer, heartbeats) =>
      progress(
        answer,
        (known) => text.brief?.(known) ?? { amount: text.progress(known).headline, rest: '' },
        heartbeats,
      ),
    resultTold: (answer) => result(answer, (known) => text.result(known)),
    isFailure: (answer) => result(answer, (known) => text.isFailure?.(known) ?? false) ?? false,
    waitsForRetry: (answer) => progress(answer, (known) => text.waitsForRetry?.(known)),
  };
}
