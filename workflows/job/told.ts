/** What is told of a job at one moment, for whatever shows it: see `markdown.ts`, `plain-lines.ts`. Text from outside as it is. */
export interface Told {
  /** What it is about, where the place does not say so. */
  readonly title?: string;
  /** How it stands as a whole, in one line. */
  readonly headline: string;
  readonly sentences?: readonly string[];
  readonly tables?: readonly ToldTable[];
}

export interface ToldTable {
  readonly columns: readonly { readonly heading: string; readonly isFigure?: boolean }[];
  /** Those that matter most first. */
  readonly rows: readonly (readonly string[])[];
  /** What is not among the rows, since there is so much of it. */
  readonly more?: number;
}

/** The shortest account of a job, for a row among others. */
export interface Brief {
  /** How much is done: `500,000 of 1,600,000 rows`. */
  readonly amount: string;
  readonly rest: string;
}

/** How a job is told to people: one description of its progress and of its result, from which all places take theirs. */
export interface JobText<Progress, Result> {
  progress(progress: Progress): Told;
  result(result: Result): Told;
  /** Default: the headline. */
  brief?(progress: Progress): Brief;
  /** Whether a result counts as a failure for whoever waits, though the workflow has completed. Default: it does not. */
  isFailure?(result: Result): boolean;
  /** Why a run waits for the signal `retryFailed`; undefined when it does not. Default: it never waits. */
  waitsForRetry?(progress: Progress): string | undefined;
}
