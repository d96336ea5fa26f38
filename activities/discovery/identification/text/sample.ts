/** The beginning of a text, decoded, as the detectors of structure see it. */
export interface TextSample {
  readonly text: string;
  /** Whole lines of it: of a text that goes on, the last one, which is cut, is left out. */
  readonly lines: readonly string[];
  /** The sample is all of the text. */
  readonly isWhole: boolean;
}

const MOST_LINES = 20_000;

/** @param isWhole whether nothing follows */
export function sampleOf(text: string, isWhole: boolean): TextSample {
  const lines = text.split(/\r\n|\n|\r/, MOST_LINES + 1);
  const isCut = lines.length > MOST_LINES;
  if (isCut || !isWhole || lines.at(-1) === '') lines.pop();
  return { text, lines, isWhole: isWhole && !isCut };
}

/** What a detector of structure has to say; a file may be several things, of which the rules choose. */
export interface Finding {
  /** Name of the detector; the rules know it by this. */
  readonly detector: string;
  readonly found: string;
  /** −1 to 1. */
  readonly weight: number;
  /** Media type or format name, if it is this. */
  readonly format?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly string[];
}
