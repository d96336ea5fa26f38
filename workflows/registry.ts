import { compactionContract } from './compaction/contract.ts';
import { compactionText } from './compaction/text.ts';
import { discoveryContract } from './discovery/contract.ts';
import { discoveryText } from './discovery/text.ts';
import { fetchContract } from './fetch/contract.ts';
import { fetchText } from './fetch/text.ts';
import { importContract } from './import/contract.ts';
import { importText } from './import/text.ts';
import { job, type Job } from './job/job-contract.ts';
import { queryContract } from './query/contract.ts';
import { queryText } from './query/text.ts';
import { replayContract } from './replay/contract.ts';
import { replayText } from './replay/text.ts';
import { reportContract } from './report/contract.ts';
import { reportText } from './report/text.ts';
import { retryContract } from './retry/contract.ts';
import { retryText } from './retry/text.ts';
import { tablesContract } from './tables/contract.ts';
import { tablesText } from './tables/text.ts';
import { viewsContract } from './views/contract.ts';
import { viewsText } from './views/text.ts';
import { wordsContract } from './words/contract.ts';
import { wordsText } from './words/text.ts';

/** The batch jobs, each by its contract and how it is told. A new one is a folder here and in `activities/`, and a line in the lists of both. */
export const JOBS: readonly Job[] = [
  job(importContract, importText),
  job(retryContract, retryText),
  job(wordsContract, wordsText),
  job(viewsContract, viewsText),
  job(compactionContract, compactionText),
  job(tablesContract, tablesText),
  job(discoveryContract, discoveryText),
  job(fetchContract, fetchText),
  job(replayContract, replayText),
  job(queryContract, queryText),
  job(reportContract, reportText),
];

/** Undefined for a workflow that is no job, such as a part of one. */
export function jobOf(workflowType: string): Job | undefined {
  return JOBS.find(({ contract }) => contract.workflowType === workflowType);
}
