import { setCurrentDetails, setHandler } from '@temporalio/workflow';
import { markdown } from './markdown.ts';
import { progressQuery } from './messages.ts';
import type { JobText } from './told.ts';

/** A job's progress where people and programs look for it: the answer to the query `progress`, and the details in the Web UI. */
export class JobProgress<Progress> {
  readonly #text: Pick<JobText<Progress, never>, 'progress'>;
  readonly #now: () => Progress;

  /** @param now how the job stands at the moment */
  constructor(text: Pick<JobText<Progress, never>, 'progress'>, now: () => Progress) {
    this.#text = text;
    this.#now = now;
    setHandler(progressQuery, now);
  }

  /** To be called when something has changed. */
  show(): void {
    setCurrentDetails(markdown(this.#text.progress(this.#now())));
  }
}
