// Moments that were kept or rejected for a query: relevance that `moviola evaluate` reads.

import { get, send } from "./api.js";
import { h } from "./dom.js";
import { toast } from "./toasts.js";

/** Knows the verdicts, and changes them. */
export class Favourites {
  #all = [];

  constructor(store, onChange) {
    this.store = store;
    this.onChange = onChange;
  }

  /** Every verdict, the latest first. */
  get all() {
    return this.#all;
  }

  async load() {
    try {
      const { favourites } = await get("/api/favourites");
      this.#all = favourites.toSorted((a, b) => (a.saved < b.saved ? 1 : -1));
      this.onChange();
    } catch {
      // Stars stay as they are known until the server answers again.
    }
  }

  /** True for a favourite, false for a rejected moment, null for neither, under the query. */
  verdict(moment) {
    return this.#find(moment)?.relevant ?? null;
  }

  /** Gives a verdict, or takes it back where it is given already. */
  async judge(moment, relevant) {
    const known = this.#find(moment);
    try {
      if (known?.relevant === relevant) {
        await send("DELETE", `/api/favourites/${known.id}`);
      } else {
        const { id: clip, start, end } = moment;
        await send("POST", "/api/favourites", { query: this.#query(), clip, start, end, relevant });
      }
      await this.load();
    } catch (error) {
      toast(error.message);
    }
  }

  /** Verdicts by query, each with its moments that are still in the library. */
  byQuery() {
    const groups = Map.groupBy(this.#all, ({ query }) => query);
    return [...groups].map(([query, verdicts]) => ({ query, verdicts }));
  }

  #find(moment) {
    const query = this.#query();
    return this.#all.find((one) => clipOf(one) === moment.id && one.query === query);
  }

  #query() {
    return this.store.state.q.trim();
  }
}

function clipOf({ moment, clip }) {
  return clip ?? moment?.id;
}

/** Links to relevance and run, which `moviola evaluate` reads together, and to the queries. */
export function qrelsLinks() {
  const link = (format, text) =>
    h("a", { class: "button", href: `/api/favourites/export?format=${format}`, download: "" }, text);
  return [
    link("qrels", "Relevance (TREC qrels)"),
    link("run", "Run of these queries (TREC)"),
    link("queries", "Queries (JSONL)"),
  ];
}
