// The page of favourites: kept and rejected moments under the query they were judged for.

import { bandMark } from "./band.js";
import { byId, h, icon, iconButton } from "./dom.js";
import { qrelsLinks } from "./favourites.js";
import { spanText } from "./format.js";

/** Shows the favourites in place of the results while the address says `view=favourites`. */
export class FavouritesView {
  constructor(store, favourites, actions) {
    this.store = store;
    this.favourites = favourites;
    this.actions = actions;
    this.place = h("div", { class: "favourites", hidden: true });
    byId("state").after(this.place);
  }

  show() {
    const open = this.store.state.view === "favourites";
    byId("show-favourites").setAttribute("aria-pressed", String(open));
    this.place.hidden = !open;
    for (const id of ["bar", "grid", "more", "state"]) byId(id).classList.toggle("aside", open);
    if (!open) return;
    const groups = this.favourites.byQuery();
    this.place.replaceChildren(
      h(
        "div",
        { class: "favourites-head" },
        h("h2", {}, "Favourites"),
        groups.length ? h("div", { class: "row" }, ...qrelsLinks()) : "",
      ),
      ...(groups.length ? groups.map((group) => this.#group(group)) : [nothing()]),
    );
  }

  #group({ query, verdicts }) {
    const search = () => this.store.set({ q: query, view: "", clip: "", picture: "" });
    const name = query || "Without words";
    return h(
      "section",
      {},
      h("h3", {}, query ? h("button", { type: "button", class: "text-button", onclick: search }, name) : name),
      h("ul", { class: "favourites-list" }, ...verdicts.map((verdict) => this.#item(verdict))),
    );
  }

  #item({ moment, relevant }) {
    if (!moment) return h("li", { class: "quiet" }, "This moment is no longer in the library.");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "favourite", onclick: () => this.actions.open(moment) },
        h("img", { src: `/media/clips/${moment.id}/poster`, alt: "", loading: "lazy" }),
        h("span", { class: "card-name", dir: "auto" }, h("span", {}, moment.name)),
        h("span", { class: "quiet figures" }, spanText(moment.start, moment.end)),
        bandMark(moment) ?? "",
        relevant ? icon("star") : h("span", { class: "quiet" }, "rejected"),
      ),
    );
  }
}

function nothing() {
  return h(
    "p",
    { class: "quiet" },
    "Press the star on a moment to keep it here. Kept and rejected moments are relevance judgements, which “moviola evaluate” reads.",
  );
}
