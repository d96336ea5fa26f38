import type { ServerResponse } from 'node:http';
import type { EventTable, NumberedEvent } from './event-table.ts';

/** A client that has not taken so many bytes yet is sent nothing more until it has. */
const MOST_UNSENT_BYTES = 64 * 1_024;
/** Events of one round; a client that has missed much catches up in several. */
const EVENTS_PER_ROUND = 1_000;

/** One client of /api/events: what it wants, and how far it is. */
export class EventClient {
  readonly #response: ServerResponse;
  readonly #sensors: ReadonlySet<string> | undefined;
  readonly #kinds: ReadonlySet<NumberedEvent['kind']>;
  /** It has all events up to this number. */
  #at: number;
  #sentAtMs = Date.now();

  /** @param sensors undefined: all */
  constructor(
    response: ServerResponse,
    wanted: { readonly sensors: ReadonlySet<string> | undefined; readonly kinds: ReadonlySet<NumberedEvent['kind']> },
    at: number,
  ) {
    this.#response = response;
    this.#sensors = wanted.sensors;
    this.#kinds = wanted.kinds;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  /**
   * Sends what is new, if the client has taken what it was sent before: one that is slow gets the newest of each key later, and nothing is kept
   * for it.
   *
   * @param fresh what came since the last round, for those who are up to that; `since` its beginning
   */
  send(table: EventTable, fresh: FreshEvents, epoch: string): void {
    if (this.#at === table.last || this.#response.writableLength > MOST_UNSENT_BYTES) return;
    if (this.#at === fresh.since && fresh.size <= EVENTS_PER_ROUND) {
      const events = this.#sensors === undefined ? fresh.all() : fresh.of(this.#sensors);
      const text = events
        .filter((event) => this.#kinds.has(event.kind))
        .map((event) => fresh.text(event))
        .join('');
      this.#at = table.last;
      if (text !== '') this.write(text);
      return;
    }
    if (!table.reachesBackTo(this.#at)) {
      this.#at = table.last;
      this.write(resetText(epoch, this.#at));
      return;
    }
    const isWanted = (event: NumberedEvent): boolean =>
      this.#kinds.has(event.kind) && (this.#sensors === undefined || this.#sensors.has(event.sensorId));
    const { events, upTo } = table.after(this.#at, isWanted, EVENTS_PER_ROUND);
    this.#at = upTo;
    if (events.length > 0) this.write(events.map((event) => eventText(event, epoch)).join(''));
  }

  /** Numbers begin anew. */
  startAgain(epoch: string): void {
    this.#at = 0;
    this.write(resetText(epoch, 0));
  }

  /** Something to show that the connection stands, when there was nothing else for a while. */
  beat(nowMs: number, everyMs: number, epoch: string): void {
    if (nowMs - this.#sentAtMs < everyMs || this.#response.writableLength > MOST_UNSENT_BYTES) return;
    // With an id: a client whose sensors are silent must not fall behind what is remembered.
    this.write(`id: ${epoch}-${this.#at}\nevent: heartbeat\ndata: {}\n\n`);
  }

  write(text: string): void {
    this.#sentAtMs = Date.now();
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }
}

/** The events of one round, ordered for clients of all wishes; texts are made once. */
export class FreshEvents {
  /** Whoever has all events up to this number lacks just these. */
  readonly since: number;
  readonly #events: readonly NumberedEvent[];
  readonly #epoch: string;
  readonly #texts = new Map<number, string>();
  #bySensor: ReadonlyMap<string, readonly NumberedEvent[]> | undefined;

  constructor(since: number, events: readonly NumberedEvent[], epoch: string) {
    this.since = since;
    this.#events = events;
    this.#epoch = epoch;
  }

  get size(): number {
    return this.#events.length;
  }

  all(): readonly NumberedEvent[] {
    return this.#events;
  }

  of(sensors: ReadonlySet<string>): readonly NumberedEvent[] {
    this.#bySensor ??= grouped(this.#events);
    const found: NumberedEvent[] = [];
    for (const sensor of sensors) found.push(...(this.#bySensor.get(sensor) ?? []));
    return found.sort((a, b) => a.number - b.number);
  }

  text(event: NumberedEvent): string {
    let text = this.#texts.get(event.number);
    if (text === undefined) {
      text = eventText(event, this.#epoch);
      this.#texts.set(event.number, text);
    }
    return text;
  }
}

function grouped(events: readonly NumberedEvent[]): Map<string, NumberedEvent[]> {
  const groups = new Map<string, NumberedEvent[]>();
  for (const event of events) {
    const group = groups.get(event.sensorId);
    if (group === undefined) groups.set(event.sensorId, [event]);
    else group.push(event);
  }
  return groups;
}

function eventText({ number, kind, data }: NumberedEvent, epoch: string): string {
  return `id: ${epoch}-${number}\nevent: ${kind}\ndata: ${data}\n\n`;
}

/** Tells a client that what it missed is not known here: it has to ask for the whole anew. */
export function resetText(epoch: string, at: number): string {
  return `id: ${epoch}-${at}\nevent: reset\ndata: {}\n\n`;
}
