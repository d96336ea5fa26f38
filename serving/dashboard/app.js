// @ts-check
import { addressOf, hashOf } from './lib/address.js';
import { setToken } from './lib/api.js';
import { announce, byId, fill, h } from './lib/dom.js';
import { useUtc } from './lib/format.js';
import { Live } from './lib/live.js';
import { confirmDialog, showDialog } from './parts/dialogs.js';
import { liveBadge } from './parts/live-badge.js';
import { failed, loading } from './parts/states.js';
import { PipelineStrip } from './parts/pipeline-strip.js';

/**
 * What a page is given.
 *
 * @typedef {object} PageContext
 * @property {HTMLElement} container
 * @property {import('./lib/address.js').Address} address
 * @property {Live} live
 * @property {PipelineStrip} pipeline
 * @property {AbortSignal} left when the page is left
 * @property {(settings: Record<string, string | undefined>) => void} set puts settings into the URL, without going anywhere
 *
 * @typedef {object} Page
 * @property {(settings: ReadonlyMap<string, string>) => void} [onSettings] the URL has changed, on the same page of the same subject
 *
 * @typedef {(context: PageContext) => Page | Promise<Page>} OpenPage
 */

/** @type {ReadonlyMap<string, { title: string, key?: string, load: () => Promise<{ open: OpenPage }> }>} */
const PAGES = new Map([
  ['sensors', { title: 'Sensors', key: 's', load: () => import('./pages/sensors.js') }],
  ['heat', { title: 'Heat map', key: 'h', load: () => import('./pages/heat.js') }],
  ['alarms', { title: 'Alarms', key: 'l', load: () => import('./pages/alarms.js') }],
  ['pipeline', { title: 'Pipeline', key: 'p', load: () => import('./pages/pipeline.js') }],
  ['jobs', { title: 'Jobs', key: 'j', load: () => import('./pages/jobs.js') }],
  ['dead-letters', { title: 'Dead letters', key: 'd', load: () => import('./pages/dead-letters.js') }],
  ['analyses', { title: 'Analyses', key: 'a', load: () => import('./pages/analyses.js') }],
  ['sql', { title: 'SQL', key: 'q', load: () => import('./pages/sql.js') }],
  ['files', { title: 'Files', key: 'f', load: () => import('./pages/files.js') }],
  ['sensor', { title: 'Sensor', load: () => import('./pages/sensor.js') }],
]);

const page = byId('page');
const badge = liveBadge();
const live = new Live(badge.show);
const pipeline = new PipelineStrip(byId('pipeline'));
/** @type {{ name: string, subject: string, leave: AbortController, page: Page | undefined } | undefined} */
let current;

byId('tools').append(badge.element, zoneButton(), themeButton());
fill(
  byId('pages'),
  [...PAGES]
    .filter(([, { key }]) => key !== undefined)
    .map(([name, { title }]) => h('a', { href: hashOf(name), 'data-page': name }, title)),
  h('a', { href: '/docs' }, 'API'),
);
addEventListener('hashchange', () => void show());
addEventListener('keydown', onKey);
addEventListener('powergrid:sign-in', signIn);
pipeline.start();
void show();

async function show() {
  const address = addressOf(location.hash);
  const { page: name, subject } = address;
  if (current?.name === name && current.subject === subject) {
    current.page?.onSettings?.(address.settings);
    return;
  }
  current?.leave.abort();
  const leave = new AbortController();
  const mine = { name, subject, leave, page: /** @type {Page | undefined} */ (undefined) };
  const isFirst = current === undefined;
  current = mine;
  const known = PAGES.get(name);
  for (const link of byId('pages').querySelectorAll('a')) {
    if (link.dataset['page'] === (name === 'sensor' ? 'sensors' : name)) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const title = subject === '' ? (known?.title ?? 'Not found') : `${known?.title ?? ''} ${subject}`;
  document.title = `${title} · PowerGrid Lambda`;
  fill(page, loading());
  scrollTo(0, 0);
  if (!isFirst) {
    announce(title);
    page.focus({ preventScroll: true });
  }
  try {
    if (known === undefined) throw new Error(`There is no page “${name}”. The pages are named at the top.`);
    const { open } = await known.load();
    if (leave.signal.aborted) return;
    const container = h('div');
    const opened = await open({
      container,
      address,
      live,
      pipeline,
      left: leave.signal,
      set(settings) {
        const now = addressOf(location.hash);
        history.replaceState(null, '', hashOf(name, subject, { ...Object.fromEntries(now.settings), ...settings }));
      },
    });
    mine.page = opened;
    if (!leave.signal.aborted) fill(page, container);
  } catch (error) {
    if (!leave.signal.aborted) {
      fill(
        page,
        failed(error, () => {
          current = undefined;
          void show();
        }),
      );
    }
  }
}

let isGoing = false;

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { target, key } = event;
  const isTyping =
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
    return;
  if (isGoing) {
    isGoing = false;
    const found = [...PAGES].find(([, { key: own }]) => own === key);
    if (found !== undefined) location.hash = hashOf(found[0]);
    return;
  }
  if (key === 'g') isGoing = true;
  else if (key === '?') showKeys();
  else if (key === '/') {
    const search = page.querySelector('input[type=search]');
    if (search instanceof HTMLInputElement) {
      event.preventDefault();
      search.focus();
    }
  }
}

function showKeys() {
  /** @type {[string, string][]} */
  const keys = [
    ...[...PAGES].flatMap(([, { title, key }]) =>
      key === undefined ? [] : [/** @type {[string, string]} */ ([`g ${key}`, title])],
    ),
    ['/', 'Search on this page'],
    ['↑ ↓', 'Next and previous sensor in the table'],
    ['Enter', 'Open the sensor; in a chart, the readings of a window'],
    ['← →', 'Move the cursor of a chart'],
    ['+ − 0', 'In a chart: closer, farther, the whole'],
  ];
  const dialog = showDialog(
    'Keys',
    h(
      'dl',
      { class: 'facts' },
      keys.flatMap(([key, text]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, text)]),
    ),
    h('div', { class: 'actions' }, h('button', { type: 'button', onclick: () => void dialog.close() }, 'Close')),
  );
}

function themeButton() {
  const saved = localStorage.getItem('theme');
  if (saved !== null) document.documentElement.dataset['theme'] = saved;
  const isDark = () =>
    (document.documentElement.dataset['theme'] ??
      (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark')) === 'dark';
  const button = h('button', {
    type: 'button',
    class: 'quiet',
    onclick: () => {
      const next = isDark() ? 'light' : 'dark';
      localStorage.setItem('theme', next);
      document.documentElement.dataset['theme'] = next;
      name();
      dispatchEvent(new CustomEvent('powergrid:look'));
    },
  });
  const name = () => {
    button.textContent = isDark() ? '☀' : '☾';
    button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
  };
  name();
  return button;
}

function zoneButton() {
  let isUtc = localStorage.getItem('zone') !== 'local';
  useUtc(isUtc);
  const button = h('button', {
    type: 'button',
    class: 'quiet',
    onclick: () => {
      isUtc = !isUtc;
      localStorage.setItem('zone', isUtc ? 'utc' : 'local');
      useUtc(isUtc);
      name();
      dispatchEvent(new CustomEvent('powergrid:look'));
    },
  });
  const name = () => {
    button.textContent = isUtc ? 'UTC' : 'Local';
    button.setAttribute(
      'aria-label',
      isUtc ? 'Times are in UTC; show them by your clock' : 'Times are by your clock; show them in UTC',
    );
  };
  name();
  return button;
}

let isSigningIn = false;

function signIn() {
  if (isSigningIn) return;
  isSigningIn = true;
  const input = h('input', { type: 'password', autocomplete: 'off', id: 'token' });
  const dialog = confirmDialog({
    title: 'Who are you?',
    content: [
      h(
        'p',
        { class: 'dim' },
        'This server asks for an access token. It is kept until this tab is closed. Whoever runs the server gives you one.',
      ),
      h('label', {}, h('span', {}, 'Access token'), input),
    ],
    action: 'Sign in',
    onConfirm: () => {
      setToken(input.value.trim());
      current = undefined;
      pipeline.start();
      void show();
      return Promise.resolve();
    },
  });
  dialog.addEventListener('close', () => {
    isSigningIn = false;
  });
}
