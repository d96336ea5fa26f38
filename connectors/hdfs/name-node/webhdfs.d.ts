/**
 * The part of the `webhdfs` 1.2.0 driver that is used. Its public methods drop the reply (so a RENAME that answered false looks
 * done, an error loses its class) and do not bound themselves in time; the two functions they are built of do neither.
 */
declare module 'webhdfs' {
  import type { EventEmitter } from 'node:events';
  import type { Agent, IncomingMessage } from 'node:http';
  import type { Readable, Writable } from 'node:stream';

  /** A request under way. Events: `complete` (response, parsed body) whatever the status, `error` (Error). */
  export interface DriverRequest extends EventEmitter {
    abort(): void;
  }

  export interface DriverOptions {
    readonly protocol: 'http' | 'https';
    readonly host: string;
    readonly port: number;
    /** Prefix of every operation's path, `/webhdfs/v1`. */
    readonly path: string;
    readonly user: string;
  }

  /** Given on to `request` with each call. */
  export interface DriverRequestOptions {
    readonly agent?: Agent;
    /** False: a connection of its own for this request, whatever `agent` says. */
    readonly pool?: false;
    readonly followRedirect?: boolean;
    /** Null: straight to the server, whatever the environment says. */
    readonly proxy?: null;
    readonly headers?: Readonly<Record<string, string>>;
  }

  export interface Driver {
    /** The URL of an operation; `path` has to be percent-encoded already. */
    _getOperationEndpoint(operation: string, path: string, parameters: Readonly<Record<string, string>>): string;
    _sendRequest(
      method: string,
      url: string,
      options: DriverRequestOptions,
      callback: (error: Error | null, response?: IncomingMessage, body?: unknown) => void,
    ): DriverRequest;
    createWriteStream(path: string, append?: boolean, options?: Readonly<Record<string, string>>): Writable;
    createReadStream(path: string, options?: Readonly<Record<string, string>>): Readable;
  }

  const webhdfs: {
    createClient(options: DriverOptions, requestOptions?: DriverRequestOptions): Driver;
  };
  export default webhdfs;
}
