/** The workflow types of the batch worker: the jobs of `registry.ts`, and the parts that jobs start. */
export { compactReadings } from './compaction/workflow.ts';
export { discoverLegacyFiles } from './discovery/workflow.ts';
export { fetchLegacyFile } from './fetch/workflow.ts';
export { copyTables } from './import/copy-tables.ts';
export { publishTables } from './import/publish-tables.ts';
export { importSqlHistory } from './import/workflow.ts';
export { runHiveQuery } from './query/workflow.ts';
export { replayLegacyTelemetry } from './replay/workflow.ts';
export { runReport } from './report/workflow.ts';
export { retryFailedBackfills } from './retry/workflow.ts';
export { buildHiveTables } from './tables/workflow.ts';
export { buildBatchViews } from './views/workflow.ts';
export { countWords } from './words/workflow.ts';
