// @ts-check
import { ApiError, get, post } from '../lib/api.js';
import { announce, fill, h } from '../lib/dom.js';
import { answerTable } from './answer-table.js';
import { failed, loading } from './states.js';

const EVERY_MS = 1_000;

/**
 * A form for each report, made from its parameters, and what it says.
 *
 * @param {object} options
 * @param {AbortSignal} options.left
 * @param {string} options.chosen name of a report; empty: the first
 * @param {(name: string) => void} options.onChoose
 * @param {() => void} options.onEnded a report was kept
 */
export function reportForm({ left, chosen, onChoose, onEnded }) {
  const panel = h('section', { class: 'panel', 'aria-label': 'Run a report' }, loading());
  const answer = h('div', {});
  void ask();
  return panel;

  async function ask() {
    try {
      const { reports } = await get('/api/report-types', {}, left);
      const report = reports.find((/** @type {any} */ { name }) => name === chosen) ?? reports[0];
      draw(reports, report);
    } catch (error) {
      if (!left.aborted)
        fill(
          panel,
          failed(error, () => void ask()),
        );
    }
  }

  /**
   * @param {any[]} reports
   * @param {any} report
   */
  function draw(reports, report) {
    const select = h(
      'select',
      {
        onchange: () => {
          onChoose(select.value);
          fill(answer);
          draw(
            reports,
            reports.find(({ name }) => name === select.value),
          );
          panel.querySelector('select')?.focus();
        },
      },
      reports.map(({ name, title }) => h('option', { value: name, selected: name === report.name }, title)),
    );
    const from = h('input', { type: 'date' });
    const to = h('input', { type: 'date' });
    const sensors = h('input', { type: 'text', placeholder: 'all' });
    /** @type {[string, HTMLInputElement][]} */
    const numbers = report.parameters.map((/** @type {any} */ { name, least, most, usual }) => [
      name,
      h('input', { type: 'number', min: least, max: most, value: usual }),
    ]);
    const problem = h('p', { class: 'problem', role: 'alert' });
    const button = h('button', { type: 'submit', class: 'primary' }, 'Run');
    const form = h(
      'form',
      {
        class: 'body sql-form',
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          void run();
        },
      },
      h(
        'div',
        { class: 'fields' },
        labelled('Report', select),
        labelled('From (UTC)', from),
        labelled('Before (UTC)', to),
        labelled('Sensors, separated by commas', sensors),
        numbers.map(([name, input], index) => labelled(report.parameters[index].summary ?? name, input)),
      ),
      h('p', { class: 'dim' }, `It says ${report.summary}.`),
      h('div', { class: 'actions' }, button),
      problem,
    );
    fill(panel, h('header', {}, h('h2', {}, 'Run a report')), form, answer);

    async function run() {
      problem.textContent = '';
      button.disabled = true;
      const named = sensors.value
        .split(',')
        .map((sensor) => sensor.trim())
        .filter((sensor) => sensor !== '');
      try {
        const { workflowId } = await post('/api/jobs', {
          workflowType: 'runReport',
          input: {
            report: report.name,
            ...(from.value === '' ? {} : { from: from.value }),
            ...(to.value === '' ? {} : { to: to.value }),
            ...(named.length === 0 ? {} : { sensors: named }),
            ...Object.fromEntries(numbers.map(([name, input]) => [name, Number(input.value)])),
          },
          confirm: 'runReport',
        });
        fill(answer, loading('Hive works on it …'));
        await follow(workflowId);
      } catch (error) {
        if (left.aborted) return;
        fill(answer);
        problem.textContent = error instanceof Error ? error.message : String(error);
      }
      button.disabled = false;
    }
  }

  /** @param {string} workflowId */
  async function follow(workflowId) {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      left.throwIfAborted();
      const found = await get(`/api/queries/${encodeURIComponent(workflowId)}`, {}, left).catch((error) => {
        // It has not begun.
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      });
      if (found === undefined || found.outcome === 'running') continue;
      if (found.outcome !== 'completed') throw new Error(found.reason ?? 'It was cancelled.');
      fill(answer, answerTable(found));
      announce('The report is there');
      onEnded();
      return;
    }
  }
}

/**
 * @param {string} text
 * @param {HTMLElement} field
 */
function labelled(text, field) {
  return h('label', {}, h('span', { class: 'dim' }, text), field);
}
