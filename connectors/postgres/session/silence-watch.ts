/** What a server, asked by another connection, says of a session. */
export type Vitality = { readonly kind: 'working' } | { readonly kind: 'dead'; readonly reason: string };

export interface SilenceWatchOptions {
  /** Silence after which the server is asked, milliseconds. */
  readonly silenceMs: number;
  /** Grows with whatever comes from the server. */
  readonly progress: () => number;
  /** Whether it is not the server that is waited for now. */
  readonly waitsForUs: () => boolean;
  readonly ask: () => Promise<Vitality>;
}

/**
 * Tells a long query from a dead server, which look alike on the wire: after each time of silence it asks the server by
 * another connection, and resolves `dead` with the reason when there is no hope. A `Promise` that never settles otherwise.
 */
export class SilenceWatch {
  readonly dead: Promise<string>;
  readonly #timer: NodeJS.Timeout;

  constructor({ silenceMs, progress, waitsForUs, ask }: SilenceWatchOptions) {
    let seen = progress();
    let asking = false;
    let tell: (reason: string) => void = () => undefined;
    this.dead = new Promise((resolve) => {
      tell = resolve;
    });
    const look = async (): Promise<void> => {
      const now = progress();
      if (now !== seen || waitsForUs() || asking) {
        seen = now;
        return;
      }
      asking = true;
      const vitality = await ask();
      asking = false;
      if (vitality.kind === 'dead' && progress() === seen && !waitsForUs()) tell(vitality.reason);
    };
    this.#timer = setInterval(() => void look(), silenceMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
