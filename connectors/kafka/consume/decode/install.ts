import { createRequire } from 'node:module';
import { decodeFetched } from './fetched-messages.ts';

interface DriverDecoder {
  readInt32(): number;
  canReadBytes(bytes: number): boolean;
  readBytes(bytes: number): Buffer;
}

let installed = false;

/**
 * Makes kafkajs decode what it fetches by {@link decodeFetched}, for all clients of this process. Its own decoding knows gzip only, and one
 * batch that it cannot decode makes it throw away the whole fetch, of all partitions, again and again. It offers no other way in than the
 * cache of modules: its module for this is loaded with the first fetch, so it is enough that this is called before.
 */
export function installFetchDecoding(): void {
  if (installed) return;
  installed = true;
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js');
  // Loads it, so that there is an entry to put ours into.
  require(path);
  const entry = require.cache[path];
  if (entry === undefined) throw new Error(`kafkajs keeps no module ${path} that could be replaced`);
  entry.exports = async (decoder: DriverDecoder): Promise<object[]> => {
    const bytes = decoder.readInt32();
    return bytes <= 0 || !decoder.canReadBytes(bytes) ? [] : decodeFetched(decoder.readBytes(bytes));
  };
}
