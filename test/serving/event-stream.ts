import http from 'node:http';

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** A client of /api/events that can stop taking what it is sent. */
export class EventStream {
  readonly events: ReceivedEvent[] = [];
  readonly #request: http.ClientRequest;
  #response: http.IncomingMessage | undefined;
  status: number | undefined;
  isEnded = false;
  receivedBytes = 0;
  #rest = '';

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#request = http.get(url, { headers, agent: false }, (response) => {
      this.#response = response;
      this.status = response.statusCode;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        this.receivedBytes += chunk.length;
        this.#take(chunk);
      });
      response.on('close', () => {
        this.isEnded = true;
      });
      response.on('error', () => undefined);
    });
    this.#request.on('error', () => {
      this.isEnded = true;
    });
  }

  get lastId(): string {
    return this.events.at(-1)?.id ?? '';
  }

  of(event: string): ReceivedEvent[] {
    return this.events.filter((each) => each.event === event);
  }

  /** Takes nothing more from the connection. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#request.destroy();
  }

  #take(chunk: string): void {
    const parts = (this.#rest + chunk).split('\n\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const fields = new Map(
        part.split('\n').map((line): [string, string] => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
      );
      if (fields.has('event')) {
        this.events.push({
          id: fields.get('id') ?? '',
          event: fields.get('event') ?? '',
          data: fields.get('data') ?? '',
        });
      }
    }
  }
}
