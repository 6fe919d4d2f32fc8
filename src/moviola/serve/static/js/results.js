// The results: asks when the state or the library changes, and shows answers, errors and states.

import { get } from "./api.js";
import { byId, h } from "./dom.js";
import { count } from "./format.js";
import { Search, strictly } from "./searching.js";
import { filterCount, hasQuery, withoutFilters } from "./state.js";
import { firstRun, nothingFound, nothingMatches, problem, showState } from "./states.js";

const UNSURE = "Unsure from here on";

/** What stands between the header and the panel. */
export class Results {
  #status = null;
  #examples = [];

  constructor(store, grid, { filters, command }) {
    this.store = store;
    this.grid = grid;
    this.filters = filters;
    this.command = command;
    this.search = new Search((news) => this.#hearSearch(news));
    this.intro = h("div", { class: "intro" });
    byId("grid").before(this.intro);
    store.subscribe((state, previous) => {
      this.run();
      if (state.least !== previous.least || state.view !== previous.view) this.#show();
    });
  }

  /** Asks for what the state says, once it is known that there is a library to ask. */
  run() {
    if (this.#status && this.#status.state !== "first_run") this.search.run(this.store.state);
  }

  more() {
    this.search.more(this.store.state);
  }

  /** A new status: another generation means other answers. */
  hear(status) {
    const first = this.#status === null;
    // What failed for want of a server or a library is asked again once there is one.
    const back = ["gone", "no_library", "unavailable"].includes(this.error?.code);
    const changed = back || this.#status?.generation !== status.generation;
    this.#status = status;
    if (status.state !== "first_run" && changed) {
      this.search.run(this.store.state, { force: !first });
      this.#loadExamples();
    }
    if (status.state === "first_run" || byId("state").dataset.state) this.#show();
  }

  #hearSearch({ busy = false, answer = null, error = null, fresh = true, milliseconds = 0 }) {
    byId("query-busy").hidden = !busy;
    this.grid.setStale(busy && hasQuery(this.store.state));
    if (busy) return;
    this.error = error;
    if (answer) {
      this.answer = answer;
      this.milliseconds = milliseconds;
      this.fresh = fresh;
    }
    this.#show();
  }

  #show() {
    const { state } = this.store;
    if (!this.#status || state.view === "favourites") return;
    const empty = this.#status.state === "first_run" || this.error?.code === "no_library";
    const failed = this.error && this.error.code !== "gone";
    document.body.classList.toggle("is-empty", empty);
    if (empty || failed) {
      this.grid.show([]);
      this.intro.replaceChildren();
      byId("count").textContent = "";
      if (empty) firstRun(this.#status, this.command);
      else problem(this.error.message === this.#status.problem?.message ? "" : this.error.message);
      return;
    }
    if (!this.answer) return;
    this.#showAnswer(state);
  }

  #showAnswer(state) {
    const { moments, unsureFrom } = strictly(this.answer, state.least);
    this.grid.show(moments, { dividerAt: unsureFrom, divider: UNSURE, openId: state.open, keepLength: !this.fresh });
    this.filters.show(this.answer.query?.not ?? []);
    byId("count").textContent = this.#countText(moments);
    byId("heading").textContent = this.answer.browsing ? "Videos of the library" : `Moments: ${state.q || "like a picture"}`;
    const absent = Boolean(this.answer.absent) && moments.length > 0;
    this.intro.replaceChildren(...(absent ? nothingMatches(state.q.trim()) : this.#tryThese()));
    this.intro.classList.toggle("absent", absent);
    if (moments.length) showState("");
    else this.#nothing(state);
  }

  #nothing(state) {
    const filtered = filterCount(state) > 0;
    const asked = hasQuery(state);
    const narrowed = state.channel.length > 0;
    const without = filtered ? withoutFilters() : { channel: [] };
    nothingFound({ filtered, narrowed, asked, onClear: () => this.store.set(without) });
  }

  #countText(moments) {
    const { answer } = this;
    if (answer.browsing) return count(answer.found, "video");
    const videos = new Set(moments.map(({ video }) => video)).size;
    const more = answer.more ? "+" : "";
    const what = `${moments.length.toLocaleString("en")}${more} ${moments.length === 1 ? "moment" : "moments"}`;
    return `${what} in ${count(videos, "video")} · ${Math.max(1, Math.round(this.milliseconds))} ms`;
  }

  #tryThese() {
    if (!this.answer.browsing || !this.#examples.length) return [];
    return [
      h("p", { class: "quiet" }, "Try"),
      h(
        "div",
        { class: "chips" },
        ...this.#examples.map((text) =>
          h("button", { type: "button", class: "chip", onclick: () => this.store.set({ q: text }) }, text),
        ),
      ),
    ];
  }

  async #loadExamples() {
    try {
      ({ examples: this.#examples } = await get("/api/examples"));
      if (this.answer?.browsing) this.#show();
    } catch {
      // Without examples the box still says what to do.
    }
  }
}
