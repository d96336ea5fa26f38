// @ts-check
import { h } from '../lib/dom.js';

/** Says whether what is shown goes on by itself. */
export function liveBadge() {
  const element = h('span', { class: 'badge', role: 'status', 'data-live': 'connecting' }, 'Connecting');
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  return {
    element,
    /**
     * @param {import('../lib/live.js').LiveState} state
     * @param {number | undefined} retryAtMs
     */
    show(state, retryAtMs) {
      clearInterval(timer);
      element.dataset['live'] = state;
      element.className = `badge ${state === 'live' ? 'good live' : state === 'away' ? 'bad' : ''}`;
      element.title =
        state === 'live'
          ? 'Readings and windows are shown as they come'
          : 'The stream of events is interrupted; it is taken up by itself, and nothing of it is missed';
      if (state !== 'away') {
        element.textContent = state === 'live' ? 'Live' : 'Connecting';
        return;
      }
      element.textContent = 'Reconnecting';
      // Short waits would only flicker.
      if (retryAtMs !== undefined && retryAtMs - Date.now() > 3_000) {
        const tell = () => {
          element.textContent = `Retry in ${Math.max(0, Math.round((retryAtMs - Date.now()) / 1_000))} s`;
        };
        tell();
        timer = setInterval(tell, 1_000);
      }
    },
  };
}
