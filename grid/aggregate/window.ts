/** Windows of event time: by the UTC clock, each as long as its resolution, beginning with its first millisecond. */
export const RESOLUTIONS = ['minute', 'hour', 'day'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export function isResolution(text: string): text is Resolution {
  return (RESOLUTIONS as readonly string[]).includes(text);
}

const LENGTHS_MS: Readonly<Record<Resolution, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** How long a window is, ms. */
export function windowLengthMs(resolution: Resolution): number {
  return LENGTHS_MS[resolution];
}

/** The first millisecond of the window that a moment is in, epoch ms. */
export function windowStartMs(eventTimeMs: number, resolution: Resolution): number {
  const lengthMs = LENGTHS_MS[resolution];
  return Math.floor(eventTimeMs / lengthMs) * lengthMs;
}
