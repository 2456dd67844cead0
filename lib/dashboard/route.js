/**
 * What the page shows is in the hash of its URL, so that a link leads there again:
 * `#/events?range=1h&type=checkout&id=17`. A token is never in it.
 */

/** @typedef {{ readonly view: string, readonly params: URLSearchParams }} Route */
/** @typedef {(route: Route, how: "new" | "again") => void} RouteListener */

/** The views there are; the first is shown where the hash names none. */
export const VIEWS = ["live", "events", "trends", "tail", "dead-letters", "connect"];

/** @type {RouteListener[]} */
const listeners = [];

/**
 * What the hash says.
 * @returns {Route}
 */
export function route() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const view = VIEWS.includes(path) ? path : /** @type {string} */ (VIEWS[0]);
  return { view, params: new URLSearchParams(query) };
}

/**
 * The hash of a view.
 * @param {string} view
 * @param {URLSearchParams} params
 * @returns {string}
 */
export function link(view, params) {
  const query = params.toString();
  return query === "" ? `#/${view}` : `#/${view}?${query}`;
}

/**
 * Goes to a view. If it is there already, listeners are told that it is asked for again.
 * @param {string} view
 * @param {URLSearchParams} params
 */
export function go(view, params) {
  const hash = link(view, params);
  if (hash === location.hash) { for (const listener of listeners) listener(route(), "again"); }
  else location.hash = hash;
}

/**
 * The parameters with some changed; an empty text takes one away.
 * @param {URLSearchParams} params
 * @param {Readonly<Record<string, string>>} changes
 * @returns {URLSearchParams}
 */
export function changed(params, changes) {
  const all = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") all.delete(name);
    else all.set(name, value);
  }
  return all;
}

/**
 * Calls a listener now and whenever the hash changes.
 * @param {RouteListener} listener
 */
export function watchRoute(listener) {
  listeners.push(listener);
  addEventListener("hashchange", () => listener(route(), "new"));
  listener(route(), "new");
}
