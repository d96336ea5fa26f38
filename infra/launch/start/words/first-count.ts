import { join } from 'node:path';
import { HdfsClient } from '../../../../connectors/hdfs/hdfs.ts';
import type { TemporalClient } from '../../../../connectors/temporal/client.ts';
import { startOrTakeUp } from '../../../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../../../connectors/temporal/followed-workflow.ts';
import { asGridError } from '../../../../grid/errors.ts';
import type { Config } from '../../../../runtime/config.ts';
import { wordsContract, type WordsResult } from '../../../../workflows/words/contract.ts';
import { provideTexts } from '../../../datasets/texts.ts';
import { PROJECT_DIRECTORY } from '../../../native/settings.ts';
import { openTemporal } from '../open-temporal.ts';

/** The count of words of the sample texts, the same for every start: unchanged texts are answered at once. */
export const FIRST_COUNT = 'first-count';
const ASKED = ['the', 'license', 'MIT', 'warranty'];

export type FirstCountEnd =
  | { readonly kind: 'done'; readonly result: WordsResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** It was to stop; the workflow stays in Temporal and goes on next time. */
  | { readonly kind: 'interrupted' };

/**
 * Puts the sample texts into HDFS, and counts their words by the workflow `countWords`, as an operator would. HDFS, Hive, MongoDB,
 * Temporal and the batch worker are up. Never rejects.
 */
export async function countSampleTexts(config: Config, signal: AbortSignal): Promise<FirstCountEnd> {
  const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
  let client: TemporalClient | undefined;
  try {
    await provideTexts(hdfs, join(PROJECT_DIRECTORY, 'node_modules'), config.HDFS_SAMPLE_TEXTS_DIRECTORY, signal);
    client = await openTemporal(config);
    const { workflowType } = wordsContract;
    const taskQueue = config.TEMPORAL_TASK_QUEUE;
    const input = { words: ASKED, top: 5 };
    await startOrTakeUp(client, { workflowType, workflowId: FIRST_COUNT, taskQueue, input }, signal);
    const end = await new FollowedWorkflow(client, FIRST_COUNT).end(signal);
    if (!end.completed) return { kind: 'failed', message: end.failure.message };
    const result = wordsContract.result.safeParse(end.result);
    return result.success
      ? { kind: 'done', result: result.data }
      : { kind: 'failed', message: 'It ended with a result that this version does not understand.' };
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return { kind: 'failed', message: asGridError(error, 'Counting the words of the sample texts').message };
  } finally {
    await Promise.all([hdfs.close(), client?.close()]);
  }
}
