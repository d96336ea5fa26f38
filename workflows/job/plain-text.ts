import { countText } from '../../grid/figures.ts';
import type { PlainProgress } from './job-contract.ts';
import type { Told } from './told.ts';

/** Progress of a job that has no more than a text. */
export function plainProgressTold({ text, done, of }: PlainProgress): Told {
  if (done === undefined) return { headline: text };
  const share = of === undefined || of === 0 ? '' : ` of ${countText(of)} (${Math.floor((done / of) * 100)} %)`;
  return { headline: `${text}: ${countText(done)}${share}` };
}
