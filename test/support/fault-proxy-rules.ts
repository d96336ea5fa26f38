/** Which server a request is for. */
export type Role = 'namenode' | 'datanode';

/** What happens to a request that a rule matches. */
export type Fault =
  /** Answered by the proxy, the request's body read or (with `early`) not; the real server never sees it. */
  | { readonly kind: 'status'; readonly status: number; readonly body?: string; readonly early?: boolean }
  /** Done by the real server, whose reply is then replaced by this one. */
  | { readonly kind: 'status-afterwards'; readonly status: number; readonly body?: string }
  /** Taken and never answered; the real server never sees it. */
  | { readonly kind: 'hang' }
  /** Done by the real server, and the reply withheld for ever. */
  | { readonly kind: 'hang-afterwards' }
  /** The client's connection is reset before the real server sees anything. */
  | { readonly kind: 'cut' }
  /** Done by the real server; then the client's connection is reset instead of a reply. */
  | { readonly kind: 'cut-afterwards' }
  /** Both connections are reset after so many bytes of the request's body were passed on. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
  /** After so many bytes of the request's body nothing is read or passed on any more. */
  | { readonly kind: 'stall-request'; readonly afterBytes: number }
  /** One bit of this byte of the request's body is turned over on the way. */
  | { readonly kind: 'corrupt-request'; readonly atByte: number }
  /** So many bytes of the request's body are dropped from its end on the way, the rest stays well formed. */
  | { readonly kind: 'shorten-request'; readonly toBytes: number }
  /** The client's connection is reset after so many bytes of the reply's body (0: after its head). */
  | { readonly kind: 'cut-reply'; readonly afterBytes: number }
  /** After so many bytes of the reply's body nothing more comes, and the connection stays. */
  | { readonly kind: 'stall-reply'; readonly afterBytes: number }
  /** The reply's body ends early and looks whole: well-formed, without a length. */
  | { readonly kind: 'truncate-reply'; readonly toBytes: number }
  /** Passed on after a while. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** `100 Continue` is not passed to the client. */
  | { readonly kind: 'swallow-continue' };

/** Requests that a rule means; what is left out matches all. */
export interface Match {
  readonly role?: Role;
  /** WebHDFS operation, `CREATE`. */
  readonly op?: string;
  readonly method?: string;
  /** Part of the decoded path, or a pattern for it. */
  readonly path?: string | RegExp;
}

export interface Rule extends Match {
  readonly fault: Fault;
  /** Leave the first so many matching requests alone. Default 0. */
  readonly skip?: number;
  /** Then do it so many times. Default: always. */
  readonly times?: number;
}

/** A request that came by. */
export interface SeenRequest {
  readonly role: Role;
  readonly op: string;
  readonly method: string;
  /** Decoded, without `/webhdfs/v1`. */
  readonly path: string;
  /** Whether it came on a connection that had carried another request before. */
  readonly reusedConnection: boolean;
  /** The fault that was done to it, if any. */
  readonly fault: Fault['kind'] | undefined;
}
