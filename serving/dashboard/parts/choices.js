// @ts-check
import { h } from '../lib/dom.js';

/**
 * A row of buttons, one of which is pressed.
 *
 * @template {string} Value
 * @param {string} label
 * @param {readonly (readonly [Value, string])[]} options value and text
 * @param {string} chosen
 * @param {(value: Value) => void} onChoose
 */
export function choices(label, options, chosen, onChoose) {
  return h(
    'div',
    { class: 'choices', role: 'group', 'aria-label': label },
    options.map(([value, text]) =>
      h(
        'button',
        { type: 'button', 'aria-pressed': String(value === chosen), onclick: () => void onChoose(value) },
        text,
      ),
    ),
  );
}
