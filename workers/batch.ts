import { runProcess } from '../runtime/process.ts';
import { startBatchWorker } from './batch/start-batch-worker.ts';

runProcess('batch', startBatchWorker);
