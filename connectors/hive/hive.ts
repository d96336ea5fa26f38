/**
 * Hive: everything the project asks of HiveServer2 goes through {@link HiveClient}, where the quirks of the driver are contained.
 */
export { HiveClient, type HiveCallOptions, type HiveOptions, type HivePage } from './client.ts';
export { floatText, type HiveColumn } from './rows.ts';
export { qualifiedName, quoteIdentifier, quoteString, readableName } from './quoting.ts';
export { HIVE_DIALECT, SPARK_DIALECT, type ListedFiles, type SqlDialect } from './dialect.ts';
