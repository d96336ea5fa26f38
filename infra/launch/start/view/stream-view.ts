import colors from 'picocolors';
import type { Config } from '../../../../runtime/config.ts';
import type { ImportState } from '../import/import-state.ts';
import type { Snapshot } from '../observe/observer.ts';
import { EXAMPLE_SENSOR_ID } from '../sources.ts';
import { importNews } from './import-text.ts';
import { liveLines } from './live-lines.ts';
import type { Places } from './places.ts';
import { plainLine } from './plain-line.ts';
import type { Screen } from '../../../../runtime/terminal/screen.ts';

/** What is shown while readings stream: drawn in place on a terminal, else a line now and then. */
export class StreamView {
  readonly #screen: Screen;
  readonly #places: Places;
  readonly #config: Config;
  #toldProblems = '';
  #toldOfImport: ImportState['kind'] = 'waiting';

  constructor(screen: Screen, places: Places, config: Config) {
    this.#screen = screen;
    this.#places = places;
    this.#config = config;
  }

  /** What stays above. */
  introduce(): void {
    const { ingestUrl, pages, metricsUrls } = this.#places;
    this.#screen.print(
      `\nSend a reading of your own; it appears as ${EXAMPLE_SENSOR_ID}:\n  curl -H 'content-type: text/plain' -d 'mine,sensor_id=${EXAMPLE_SENSOR_ID},unit=MW value=42' ${ingestUrl}\n`,
    );
    if (this.#screen.isLive) return;
    this.#screen.print(
      [...pages.map(([title, url]) => `${title}: ${url}`), `Metrics: ${metricsUrls.join(' ')}`].join('\n'),
    );
  }

  /** @param background what is going on besides, such as servers that are still being set up. */
  show(snapshot: Snapshot, importState: ImportState, background: readonly string[]): void {
    this.tellOfImport(importState);
    if (this.#screen.isLive) {
      this.#screen.draw(liveLines(snapshot, importState, this.#places, this.#config, background));
      return;
    }
    this.#screen.print(plainLine(snapshot, importState));
    const problems = snapshot.problems.map((problem) => `  ! ${problem}`).join('\n');
    if (problems !== '' && problems !== this.#toldProblems) this.#screen.print(problems);
    this.#toldProblems = problems;
  }

  /** What has come of the import stays above, once. */
  tellOfImport(state: ImportState): void {
    if (state.kind === this.#toldOfImport) return;
    this.#toldOfImport = state.kind;
    const news = importNews(state, this.#places);
    if (news === undefined) return;
    const isBad = state.kind === 'failed' || state.kind === 'off';
    this.#screen.print(isBad ? colors.yellow(news) : news);
  }
}
