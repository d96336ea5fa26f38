// @ts-check

const TOKEN = 'powergrid-token';
const LONGEST_MS = 30_000;

/** What the server said no with, or that there was none. */
export class ApiError extends Error {
  /**
   * @param {string} code of the project's list of errors; `no-connection` when the server did not answer
   * @param {string} message
   * @param {number} status HTTP status; 0 without an answer
   */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The token is kept for this tab only, and sent in a header only. */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? '';
}

/** @param {string} text empty: none */
export function setToken(text) {
  if (text === '') sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, text);
}

/** @returns {Record<string, string>} */
export function authorization() {
  return token() === '' ? {} : { authorization: `Bearer ${token()}` };
}

/**
 * @param {string} path
 * @param {Record<string, string | number | undefined>} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the answer, of the shape that /docs gives
 */
export function get(path, query = {}, signal) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return ask(search === '' ? path : `${path}?${search}`, {}, signal);
}

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export function post(path, body) {
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

/**
 * @param {string} path
 * @param {RequestInit & { headers?: Record<string, string> }} options
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function ask(path, options, signal) {
  const limit = AbortSignal.timeout(LONGEST_MS);
  let response;
  let text;
  try {
    response = await fetch(path, {
      ...options,
      headers: { accept: 'application/json', ...authorization(), ...options.headers },
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = limit.aborted ? `gave no answer within ${LONGEST_MS / 1_000} s` : 'does not answer';
    throw new ApiError('no-connection', `The server ${why}. This page goes on as soon as it is there again.`, 0);
  }
  /** @type {any} */
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (response.ok && answer !== undefined) return answer;
  const error = new ApiError(
    answer?.code ?? 'unknown',
    answer?.message ?? `The server answered ${response.status} ${response.statusText}.`,
    response.status,
  );
  if (error.status === 401) dispatchEvent(new CustomEvent('powergrid:sign-in'));
  throw error;
}
