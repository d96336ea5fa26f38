// @ts-check
import { h } from '../lib/dom.js';

/**
 * Shows a dialog until it is closed; keys and focus are the browser's.
 *
 * @param {string} title
 * @param {...import('../lib/dom.js').Child} content
 * @returns {HTMLDialogElement}
 */
export function showDialog(title, ...content) {
  const heading = h('h2', { id: 'dialog-title' }, title);
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, heading, ...content);
  dialog.addEventListener('close', () => {
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks before something is done; shows why it was not, and stays then.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {import('../lib/dom.js').Child[]} options.content
 * @param {string} options.action on the button
 * @param {boolean} [options.isDangerous]
 * @param {() => Promise<void>} options.onConfirm
 */
export function confirmDialog({ title, content, action, isDangerous = false, onConfirm }) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const button = h(
    'button',
    {
      type: 'button',
      class: isDangerous ? 'danger' : 'primary',
      onclick: async () => {
        button.disabled = true;
        problem.textContent = '';
        try {
          await onConfirm();
          dialog.close();
        } catch (error) {
          problem.textContent = error instanceof Error ? error.message : String(error);
          button.disabled = false;
        }
      },
    },
    action,
  );
  const cancel = h('button', { type: 'button', onclick: () => void dialog.close() }, 'Back');
  const dialog = showDialog(title, ...content, problem, h('div', { class: 'actions' }, cancel, button));
  return dialog;
}
