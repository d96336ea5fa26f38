// @ts-check
import { post } from '../lib/api.js';
import { hashOf } from '../lib/address.js';
import { h } from '../lib/dom.js';
import { dateTime, duration } from '../lib/format.js';
import { quantity } from './quantity.js';
import { confirmDialog } from './dialogs.js';

/** @type {Readonly<Record<string, string>>} */
const TONES = { critical: 'bad', warning: 'warn', info: '' };

/**
 * Alarms as a table.
 *
 * @param {readonly any[]} alarms of /api/alarms
 * @param {object} options
 * @param {string} options.label
 * @param {boolean} [options.withSensor] false on the page of a sensor
 * @param {() => void} options.onAcknowledged
 */
export function alarmTable(alarms, { label, withSensor = true, onAcknowledged }) {
  const columns = [
    ...['Severity', 'State'],
    ...(withSensor ? ['Sensor'] : []),
    ...['Since', 'Lasts', 'Value', 'Limit', 'Rule', ''],
  ];
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map((text) =>
            h(
              'th',
              { scope: 'col', class: text === 'Value' || text === 'Lasts' ? 'number' : '' },
              text === '' ? h('span', { class: 'visually-hidden' }, 'Actions') : text,
            ),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        alarms.map((alarm) => rowOf(alarm, withSensor, onAcknowledged)),
      ),
    ),
  );
}

/**
 * @param {any} alarm
 * @param {boolean} withSensor
 * @param {() => void} onAcknowledged
 */
function rowOf(alarm, withSensor, onAcknowledged) {
  const { id, state, severity, rule, kind, sensorId, aspect, unit, limit, since, raisedAt, recordedAt, value } = alarm;
  const endMs = alarm.cleared === null ? Date.now() : Date.parse(alarm.cleared.at);
  // What was measured long ago, and is read now, lasts by its own time only once it is over.
  const lastsMs = endMs - Date.parse(alarm.cleared === null ? recordedAt : since);
  return h(
    'tr',
    { 'data-alarm': id },
    h('td', {}, h('span', { class: `badge ${TONES[severity] ?? ''}` }, severity)),
    h('td', { title: stateTitle(alarm) }, state),
    withSensor
      ? h(
          'td',
          {},
          h('a', { href: hashOf('sensor', sensorId) }, sensorId),
          aspect === 'real_time' ? null : h('span', { class: 'dim' }, ' forecast'),
        )
      : null,
    h(
      'td',
      { title: `raised by the reading of ${dateTime(raisedAt)}; noticed ${dateTime(recordedAt)}` },
      dateTime(since),
    ),
    h('td', { class: 'number' }, duration(Math.max(0, lastsMs))),
    h('td', { class: 'number' }, quantity(value, unit)),
    h('td', {}, limit),
    h('td', { title: kind }, rule),
    h(
      'td',
      { class: 'number' },
      state === 'raised'
        ? h(
            'button',
            {
              type: 'button',
              'aria-label': `Acknowledge ${rule} of sensor ${sensorId}`,
              onclick: () => {
                acknowledge(alarm, onAcknowledged);
              },
            },
            'Acknowledge',
          )
        : null,
    ),
  );
}

/** @param {any} alarm */
function stateTitle({ acknowledged, cleared }) {
  return [
    acknowledged === null ? '' : `acknowledged ${dateTime(acknowledged.at)} by ${acknowledged.by}`,
    cleared === null ? '' : `cleared ${dateTime(cleared.at)} at ${cleared.value}`,
  ]
    .filter((text) => text !== '')
    .join('; ');
}

/**
 * @param {any} alarm
 * @param {() => void} onAcknowledged
 */
function acknowledge({ id, rule, sensorId, value, unit, limit }, onAcknowledged) {
  confirmDialog({
    title: `Acknowledge ${rule} of sensor ${sensorId}?`,
    content: [
      h('p', {}, `${value} ${unit}, ${limit}`),
      h('p', { class: 'dim' }, 'It says that somebody has seen it, by your name. It stays open until it is cleared.'),
    ],
    action: 'Acknowledge',
    onConfirm: async () => {
      await post(`/api/alarms/${id}/acknowledge`, {});
      onAcknowledged();
    },
  });
}
