/**
 * The door to HDFS, for everything outside of this folder: the client, and the types of its port. What the client promises stands in
 * `port.ts`.
 */
export { HdfsClient } from './client.ts';
export type * from './port.ts';
