import colors from 'picocolors';
import type { BroughtUp } from './stack.ts';
import { ALL_SERVER_NAMES, type ServerName, type StackSettings } from './settings.ts';
import type { ServerState, ServerStatus } from './status.ts';

const NAME_WIDTH = Math.max(...ALL_SERVER_NAMES.map((name) => name.length)) + 2;
const REPEAT_MS = 10_000;

/** Shows what each server is busy with: in place on a terminal, else a line at each change and every ten seconds. */
export class ProgressDisplay {
  readonly #texts = new Map<ServerName, string>();
  readonly #printed = new Map<ServerName, { phase: string; atMs: number }>();
  readonly #stream: NodeJS.WriteStream;
  #drawnLines = 0;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  readonly show = (name: ServerName, text: string): void => {
    if (this.#texts.get(name) === text) return;
    this.#texts.set(name, text);
    if (this.#stream.isTTY) this.#redraw();
    else this.#printChange(name, text);
  };

  /** Removes what was drawn in place. */
  clear(): void {
    if (this.#drawnLines > 0) this.#stream.write(`\x1b[${this.#drawnLines}A\x1b[J`);
    this.#drawnLines = 0;
  }

  #redraw(): void {
    this.clear();
    const width = Math.max(20, this.#stream.columns - 1);
    for (const [name, text] of this.#texts)
      this.#stream.write(`${`${name.padEnd(NAME_WIDTH)}${text}`.slice(0, width)}\n`);
    this.#drawnLines = this.#texts.size;
  }

  #printChange(name: ServerName, text: string): void {
    // Figures change all the time; a phase is what remains without them.
    const phase = text.replace(/[\d.]+/g, '#').replace(/, # s$/, '');
    const last = this.#printed.get(name);
    const now = Date.now();
    if (last !== undefined && last.phase === phase && now - last.atMs < REPEAT_MS) return;
    this.#printed.set(name, { phase, atMs: now });
    this.#stream.write(`${name.padEnd(NAME_WIDTH)}${text}\n`);
  }
}

/** One line a server: how it came to be up, from what, how long it took. */
export function describeResults(results: readonly BroughtUp[]): string {
  return results
    .map(({ name, outcome, seconds, from, version }) => {
      const what = {
        started: `${colors.green('started')} in ${seconds.toFixed(1)} s`,
        mended: `${colors.yellow('mended')} in ${seconds.toFixed(1)} s`,
        running: colors.green('running'),
        external: `${colors.cyan('external')}, not started by this stack`,
      }[outcome];
      return `${name.padEnd(NAME_WIDTH)}${what}${from === undefined ? '' : colors.dim(`  ${version ?? ''} from ${from}`)}`;
    })
    .join('\n');
}

/** The pages that a person can open. */
export function describePages(settings: StackSettings, names: readonly ServerName[]): string {
  const pages = [
    names.includes('hdfs') ? `HDFS      http://localhost:${settings.ports['hdfs-http']}` : '',
    names.includes('temporal') ? `Temporal  http://localhost:${settings.ports['temporal-ui']}` : '',
  ];
  return pages.filter((line) => line !== '').join('\n');
}

export function describeStatus(statuses: readonly ServerStatus[]): string {
  const paint: Record<ServerState, (text: string) => string> = {
    running: colors.green,
    starting: colors.yellow,
    stopped: colors.dim,
    external: colors.cyan,
    broken: colors.red,
  };
  const head = ['server', 'state', 'pid', 'address', 'memory', 'version', 'from', 'data', ''];
  const rows = statuses.map((status) => [
    status.name,
    status.state,
    status.pids.join(',') || '-',
    status.address,
    status.residentBytes === 0 ? '-' : `${Math.round(status.residentBytes / (1 << 20))} MiB`,
    status.version || '-',
    status.from || '-',
    status.dataBytes === 0 ? '-' : `${(status.dataBytes / (1 << 20)).toFixed(1)} MiB`,
    status.note,
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], state?: ServerState): string =>
    row
      .map((cell, column) => {
        const padded = cell.padEnd(widths[column] ?? 0);
        return column === 1 && state !== undefined ? paint[state](padded) : padded;
      })
      .join('  ')
      .trimEnd();
  const total = statuses.reduce((sum, status) => sum + status.residentBytes, 0);
  return [
    colors.bold(line(head)),
    ...rows.map((row, index) => line(row, statuses[index]?.state)),
    `resident memory together: ${Math.round(total / (1 << 20))} MiB`,
  ].join('\n');
}
