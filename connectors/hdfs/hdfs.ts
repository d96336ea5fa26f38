/**
 * The door to HDFS, for everything outside of this folder: the client, the types of its port, and what to do with what is not there. What the client promises stands in
 * `port.ts`.
 */
export { HdfsClient } from './client.ts';
export { entriesIfThere, ifThere } from './if-there.ts';
export type * from './port.ts';
