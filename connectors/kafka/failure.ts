/** The protocol error's name somewhere in the chain of causes; undefined when Kafka itself did not answer with one. */
export function protocolErrorType(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if ('type' in at && typeof at.type === 'string') return at.type;
  }
  return undefined;
}

/** The deepest message, which says what really happened, with Kafka's name for it where it has one. */
export function failureText(error: unknown): string {
  const type = protocolErrorType(error);
  const text = error instanceof Error ? error.message : String(error);
  return type === undefined || text.includes(type) ? text : `${text} (${type})`;
}
