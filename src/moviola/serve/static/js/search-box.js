// The box: searches while one types, and at once on Enter.

import { byId } from "./dom.js";

const PAUSE = 150; // milliseconds without a key before a search begins

/** Keeps the box and the state in step. */
export class SearchBox {
  #waiting = null;

  constructor(store) {
    this.store = store;
    this.input = byId("query");
    this.input.addEventListener("input", () => {
      const { value } = this.input;
      this.later(() => store.set(asked(store.state, value), { typing: true }));
    });
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#flush();
    });
    store.subscribe((state, previous) => {
      if (state.q !== previous.q) this.show();
    });
    this.show();
  }

  /** Shows the query of the state, unless it is what is being typed. */
  show() {
    const { q } = this.store.state;
    if (this.input.value !== q && !this.#waiting) this.input.value = q;
  }

  /** Runs a change once no key was pressed for a while; a later one takes its place. */
  later(change) {
    clearTimeout(this.#waiting?.timer);
    const timer = setTimeout(() => this.#flush(), PAUSE);
    this.#waiting = { change, timer };
  }

  #flush() {
    const waiting = this.#waiting;
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting = null;
    waiting.change();
  }
}

/** Words take the place of "more like this"; an uploaded picture stays beside them. */
function asked(state, q) {
  const gone = q.trim() ? {} : { then: [], within: "" };
  return { q, ...gone, clip: q.trim() ? "" : state.clip, view: "" };
}
