/** The workflow types of the batch worker. `copyTables` and `publishTables` are started by `importSqlHistory` alone. */
export { copyTables } from './copy-tables.ts';
export { importSqlHistory } from './import-sql-history.ts';
export { publishTables } from './publish-tables.ts';
export { retryFailedBackfills } from './retry-failed-backfills.ts';
export { countWords } from './words/workflow.ts';
