// What the page shows is what its address says. One store holds it; parts of the page subscribe.

const PLAIN = {
  q: "", within: "", picture: "", weight: "", clip: "", folder: "", shortest: "", longest: "",
  since: "", until: "", resolution: "", sound: "", missing: "", group: "", duplicates: "",
  sort: "", least: "", open: "", t: "", view: "",
};
const LISTS = ["then", "channel"]; // of which there may be several
export const EMPTY = Object.freeze({ ...PLAIN, then: Object.freeze([]), channel: Object.freeze([]) });

const FILTERS = [
  "folder", "shortest", "longest", "since", "until", "resolution", "sound", "missing",
];
const SEARCH = [
  "q", "then", "channel", "within", "picture", "weight", "clip", ...FILTERS, "group", "duplicates", "sort",
];

/** The state that an address stands for; what it does not know it leaves out. */
export function fromAddress(search) {
  const words = new URLSearchParams(search);
  const state = { ...EMPTY, then: words.getAll("then").slice(0, 4), channel: words.getAll("channel").slice(0, 20) };
  for (const name of Object.keys(PLAIN)) state[name] = words.get(name) ?? "";
  return state;
}

/** The address of a state: only what differs from an empty one, in a fixed order. */
export function toAddress(state) {
  const words = parameters(state, ["q", ...LISTS, ...Object.keys(PLAIN).slice(1)]);
  return words.size ? `/?${words}` : "/";
}

/** The parameters of a search, which are named as in the address. */
export function searchParameters(state) {
  return parameters(state, SEARCH);
}

/** The parameters that pick videos, whatever is searched. */
export function filterParameters(state) {
  return parameters(state, FILTERS);
}

/** The parameters that say what is looked for, whatever is filtered. */
export function queryParameters(state) {
  return parameters(state, ["q", ...LISTS, "within", "picture", "weight", "clip"]);
}

/** Whether anything is looked for; otherwise the page shows the library. */
export function hasQuery(state) {
  return Boolean(state.q.trim() || state.picture || state.clip);
}

/** How many filters are set. */
export function filterCount(state) {
  return FILTERS.filter((name) => state[name]).length + (state.least ? 1 : 0);
}

/** A patch that takes every filter away. */
export function withoutFilters() {
  return Object.fromEntries([...FILTERS, "least"].map((name) => [name, ""]));
}

function parameters(state, names) {
  const words = new URLSearchParams();
  for (const name of names) {
    if (LISTS.includes(name)) {
      for (const part of state[name]) if (part.trim()) words.append(name, part);
    } else if (name === "q" ? state.q.trim() : state[name]) {
      words.set(name, state[name]);
    }
  }
  return words;
}

/** Holds the state, keeps the address in step, and tells subscribers `(state, previous, how)`. */
export class Store {
  #subscribers = [];
  #typing = false;

  constructor() {
    this.state = fromAddress(location.search);
    addEventListener("popstate", () => {
      this.#typing = false;
      this.#turn(fromAddress(location.search), { byBack: true });
    });
  }

  subscribe(subscriber) {
    this.#subscribers.push(subscriber);
  }

  /**
   * Changes part of the state.
   * @param {Partial<typeof EMPTY>} patch
   * @param {{typing?: boolean, replace?: boolean, play?: boolean}} how `typing` keeps one entry of
   *   the history for a whole word; `replace` makes none; `play` marks that a person asked to play
   */
  set(patch, how = {}) {
    const next = { ...this.state, ...patch };
    if (toAddress(next) !== toAddress(this.state)) {
      const stay = how.replace || (how.typing && this.#typing);
      history[stay ? "replaceState" : "pushState"](null, "", toAddress(next));
      if (!how.replace) this.#typing = Boolean(how.typing);
    }
    this.#turn(next, how);
  }

  #turn(next, how) {
    const previous = this.state;
    this.state = next;
    for (const subscriber of this.#subscribers) subscriber(next, previous, how);
  }
}
