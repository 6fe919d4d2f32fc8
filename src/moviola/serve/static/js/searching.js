// From the state to an answer: what to ask, when to ask again, and which answer still counts.

import { get } from "./api.js";
import { filterParameters, hasQuery, searchParameters } from "./state.js";

const LEAST = { likely: ["strong", "likely"], strong: ["strong"] };
const PAGES = [60, 180, 540, 1000]; // how many moments are asked for, one after the other

/** Asks for the hits of a state, or for the library's videos where nothing is looked for. */
export class Search {
  #running = null;
  #page = 0;
  #key = "";

  /** `tell` hears `{busy}`, `{answer}` or `{error}`. */
  constructor(tell) {
    this.tell = tell;
  }

  /** Asks again when what is asked has changed; `force` asks in any case, and keeps the length. */
  async run(state, { force = false } = {}) {
    const key = `${hasQuery(state)} ${searchParameters(state)}`;
    const fresh = key !== this.#key;
    if (!fresh && !force) return;
    if (fresh) this.#page = 0;
    this.#key = key;
    await this.#ask(state, fresh);
  }

  /** Asks for more of the same. */
  async more(state) {
    if (this.#running || !this.answer?.more || this.#page >= PAGES.length - 1) return;
    this.#page += 1;
    await this.#ask(state, false);
  }

  async #ask(state, fresh) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.tell({ busy: true });
    const began = performance.now();
    try {
      const answer = await get(address(state, PAGES[this.#page]), { signal: running.signal });
      if (running.signal.aborted) return;
      this.#running = null;
      this.answer = hasQuery(state) ? answer : browsed(answer);
      this.tell({ answer: this.answer, fresh, milliseconds: performance.now() - began });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#running = null;
      this.tell({ error, fresh });
    }
  }
}

/** Hits that are at least as good as `least`, and from which place on all are unsure. */
export function strictly(answer, least) {
  const bands = LEAST[least];
  if (!bands) return { moments: answer.moments, unsureFrom: answer.unsure_from ?? null };
  // Of pictures, exclusions and steps nothing is known: all of their hits are kept.
  const known = answer.moments.some(({ band }) => band);
  return { moments: answer.moments.filter(({ band }) => !known || bands.includes(band)), unsureFrom: null };
}

function address(state, top) {
  const path = hasQuery(state) ? (state.clip ? "/api/similar" : "/api/search") : "/api/videos";
  const words = hasQuery(state) ? searchParameters(state) : filterParameters(state);
  if (!hasQuery(state) && state.sort) words.set("sort", state.sort);
  if (hasQuery(state) && state.clip) words.delete("q");
  words.set("top", String(top));
  return `${path}?${words}`;
}

/** Videos in the shape of an answer to a search. */
function browsed({ videos, found }) {
  return { moments: videos, unsure_from: null, found, more: videos.length < found, browsing: true };
}
