// @ts-check

/**
 * Where one is: a page, what it is of, and what is set on it. All of it stands in the part of the URL behind `#`, so that it can be sent to others.
 *
 * @typedef {object} Address
 * @property {string} page
 * @property {string} subject such as the sensor; empty: none
 * @property {ReadonlyMap<string, string>} settings
 */

/**
 * @param {string} hash `#/sensor/6?range=24h`
 * @returns {Address}
 */
export function addressOf(hash) {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const slash = path.indexOf('/');
  const page = slash === -1 ? path : path.slice(0, slash);
  const subject = slash === -1 ? '' : decoded(path.slice(slash + 1));
  return { page: page === '' ? 'sensors' : page, subject, settings: new Map(new URLSearchParams(search)) };
}

/**
 * @param {string} page
 * @param {string} [subject]
 * @param {Record<string, string | undefined>} [settings] empty ones are left out
 */
export function hashOf(page, subject = '', settings = {}) {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `#/${page}${subject === '' ? '' : `/${encodeURIComponent(subject)}`}${search === '' ? '' : `?${search}`}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
