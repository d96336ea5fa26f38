import type http from 'node:http';
import { pipeline, Transform, type TransformCallback } from 'node:stream';
import type { Fault } from './fault-proxy-rules.ts';

/** Passes a request's body to the real server, harmed as `fault` says. */
export function applyRequestFault(
  fault: Fault | undefined,
  request: http.IncomingMessage,
  upstream: http.ClientRequest,
  cutBoth: () => void,
): void {
  const done = (): void => {
    // Errors show on the request and the reply.
  };
  if (fault?.kind === 'cut-request' && fault.afterBytes === 0) {
    cutBoth();
    return;
  }
  // The head goes first: a DataNode acts on it before any byte of the body comes.
  upstream.flushHeaders();
  if (fault?.kind === 'cut-request') pipeline(request, limited(fault.afterBytes, cutBoth), upstream, done);
  else if (fault?.kind === 'stall-request') pipeline(request, limited(fault.afterBytes, done), upstream, done);
  else if (fault?.kind === 'corrupt-request') pipeline(request, corrupting(fault.atByte), upstream, done);
  else if (fault?.kind === 'shorten-request') pipeline(request, shortened(fault.toBytes), upstream, done);
  else pipeline(request, upstream, done);
}

/** Passes a reply to the client, harmed as `fault` says. */
export function applyReplyFault(
  fault: Fault | undefined,
  reply: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  // Whether the client's connection is kept is between it and the proxy.
  const { connection: _connection, 'keep-alive': _keepAlive, ...headers } = reply.headers;
  const done = (): void => {
    // Errors show on the client's side.
  };
  const { 'content-length': length, ...others } = headers;
  // A reply that is to end early and look whole must not tell its length.
  const tellsLength = length !== undefined && fault?.kind !== 'truncate-reply';
  response.writeHead(reply.statusCode ?? 502, tellsLength ? headers : others);
  response.flushHeaders();
  if (fault?.kind === 'cut-reply') {
    // Ended, not reset: a reset would also take from the client what it has not read yet.
    const cut = (): void => {
      response.socket?.end();
    };
    if (fault.afterBytes === 0) setTimeout(cut, 10);
    else pipeline(reply, limited(fault.afterBytes, cut), response, done);
  } else if (fault?.kind === 'stall-reply') {
    if (fault.afterBytes > 0) pipeline(reply, limited(fault.afterBytes, done), response, done);
  } else if (fault?.kind === 'truncate-reply') {
    pipeline(reply, shortened(fault.toBytes), response, done);
  } else {
    pipeline(reply, response, done);
  }
}

/** Passes so many bytes, then calls `then` and takes no more: its source stands still. */
function limited(afterBytes: number, then: () => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      const rest = afterBytes - bytes;
      bytes += chunk.length;
      if (chunk.length < rest) {
        callback(null, chunk);
      } else {
        this.push(chunk.subarray(0, rest));
        // Time for what was pushed to leave; the callback is never called, so nothing follows.
        setTimeout(then, 20);
      }
    },
  });
}

/** Passes so many bytes, swallows the others, and ends as usual. */
function shortened(toBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      const rest = Math.max(0, toBytes - bytes);
      bytes += chunk.length;
      callback(null, chunk.subarray(0, rest));
    },
  });
}

/** Turns over the lowest bit of one byte. */
function corrupting(atByte: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      const index = atByte - bytes;
      bytes += chunk.length;
      if (index < 0 || index >= chunk.length) {
        callback(null, chunk);
        return;
      }
      const harmed = Buffer.from(chunk);
      harmed[index] = (harmed[index] ?? 0) ^ 1;
      callback(null, harmed);
    },
  });
}
