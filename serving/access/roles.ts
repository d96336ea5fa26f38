/** What somebody may do: each role may do all that those before it may. */
export const ROLES = ['read', 'ingest', 'operate'] as const;
export type Role = (typeof ROLES)[number];

/** Who sends a request. */
export interface Identity {
  /** The name of a token, of a proxy's user, or `local`; undefined for nobody known. */
  readonly name: string | undefined;
  /** Undefined: nothing may be done. */
  readonly role: Role | undefined;
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** Whether `role` may do what is let to `needed`. */
export function mayDo(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
