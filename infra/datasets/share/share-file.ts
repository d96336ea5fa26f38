/** A file of the share to be. */
export interface ShareFile {
  /** Below the root of the share; bytes where the name is no text. */
  readonly path: string | Buffer;
  readonly bytes: Buffer | string;
}

/** A symbolic link of it. */
export interface ShareLink {
  readonly path: string;
  readonly target: string;
}

export const two = (number: number): string => String(number).padStart(2, '0');
