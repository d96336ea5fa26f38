/** The workflow types of the batch worker. `copyTables` and `publishTables` are started by `importSqlHistory` alone. */
export { copyTables } from './import/copy-tables.ts';
export { importSqlHistory } from './import/workflow.ts';
export { publishTables } from './import/publish-tables.ts';
export { retryFailedBackfills } from './retry/workflow.ts';
