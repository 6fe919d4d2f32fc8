// The row of chips: what is filtered, how hits are grouped and sorted, what is left out.

import { get } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { choice, popover } from "./popover.js";
import { filterCount, hasQuery, withoutFilters } from "./state.js";

const LENGTHS = [
  ["Any length", "", ""],
  ["Under 1 min", "", "60"],
  ["1 to 5 min", "60", "300"],
  ["5 to 20 min", "300", "1200"],
  ["Over 20 min", "1200", ""],
];
const RESOLUTIONS = [
  ["Any resolution", ""],
  ["480p and more", "480"],
  ["720p and more", "720"],
  ["1080p and more", "1080"],
  ["4K", "2160"],
];
const SOUNDS = [
  ["With or without sound", ""],
  ["With sound", "true"],
  ["Silent", "false"],
];
const STRICTNESS = [
  ["All matches", ""],
  ["Likely and strong", "likely"],
  ["Strong only", "strong"],
];
const SORTS = [
  ["Best first", ""],
  ["Newest first", "date"],
  ["By name", "name"],
];
const BROWSING_SORTS = [
  ["Newest first", ""],
  ["By name", "name"],
];
const GROUPS = [
  ["Best of each video", ""],
  ["All moments", "none"],
];

/** The chips. `steps.add` begins "A, then B". */
export class Filters {
  #folders = [];

  constructor(store, { addStep }) {
    this.store = store;
    this.place = byId("chips");
    this.without = h("span", { class: "chips" });
    this.folder = this.#chip("Folder", () => this.#folderChoices());
    this.length = this.#chip("Length", (close) => this.#lengthChoices(close));
    this.date = this.#chip("Date", (close) => this.#dateFields(close));
    this.resolution = this.#options("Resolution", () => RESOLUTIONS, "resolution");
    this.sound = this.#options("Sound", () => SOUNDS, "sound");
    this.strictness = this.#options("Matches", () => STRICTNESS, "least");
    this.group = this.#options("Moments", () => GROUPS, "group");
    this.sort = this.#options("Order", () => (hasQuery(store.state) ? SORTS : BROWSING_SORTS), "sort");
    this.then = h("button", { type: "button", class: "chip", onclick: addStep, title: "What happens after it" }, "then…");
    this.clear = h("button", { type: "button", class: "chip", onclick: () => store.set(withoutFilters()) }, "Clear filters");
    this.place.append(
      this.then, this.without, this.folder, this.length, this.date, this.resolution, this.sound,
      this.strictness, this.group, this.sort, this.clear,
    );
    store.subscribe(() => this.show());
    this.show();
  }

  /** Shows what is set; `not` are the negative terms that the server read in the query. */
  show(not = this.not ?? []) {
    this.not = not;
    const { state } = this.store;
    const searching = hasQuery(state);
    const named = (options, value) => options.find(([, option]) => option === value)?.[0];
    const folder = this.#folders.find(({ id }) => id === state.folder);
    this.#set(this.folder, "Folder", state.folder && (folder?.name ?? "one folder"));
    this.#set(this.length, "Length", (state.shortest || state.longest) && this.#lengthName());
    this.#set(this.date, "Date", dates(state));
    this.#set(this.resolution, "Resolution", state.resolution && (named(RESOLUTIONS, state.resolution) ?? `${state.resolution}p and more`));
    this.#set(this.sound, "Sound", state.sound && named(SOUNDS, state.sound));
    this.#set(this.strictness, "Matches", state.least && named(STRICTNESS, state.least));
    this.#set(this.group, "Moments", state.group && named(GROUPS, state.group), GROUPS[0][0]);
    const [[usualOrder]] = searching ? SORTS : BROWSING_SORTS;
    this.#set(this.sort, "Order", state.sort && named(SORTS, state.sort), usualOrder);
    this.then.hidden = !state.q.trim() || state.then.length > 0;
    this.strictness.hidden = !searching;
    this.group.hidden = !searching;
    this.clear.hidden = !filterCount(state);
    this.without.hidden = !not.length;
    this.without.replaceChildren(...not.map((term) => this.#withoutChip(term)));
  }

  async loadFolders() {
    try {
      ({ folders: this.#folders } = await get("/api/folders"));
      this.show();
    } catch {
      // The choices appear when the server answers again.
    }
  }

  #chip(label, fill) {
    const button = h("button", { type: "button", class: "chip" }, h("span", {}, label), icon("down"));
    popover(button, label, fill);
    return button;
  }

  /** Shows a value on its chip; without one, `usual` or what the chip is about. */
  #set(button, label, value, usual = label) {
    const text = value || usual;
    button.classList.toggle("set", Boolean(value));
    button.firstChild.textContent = text;
    button.title = text === label ? label : `${label}: ${text}`;
    button.setAttribute("aria-label", button.title);
  }

  #options(label, optionsNow, name) {
    return this.#chip(label, (close) =>
      optionsNow().map(([text, value]) =>
        choice(text, {
          on: this.store.state[name] === value,
          onclick: () => {
            close();
            this.store.set({ [name]: value });
          },
        }),
      ),
    );
  }

  #folderChoices() {
    const pick = (id) => () => {
      this.place.querySelector(":popover-open")?.hidePopover();
      document.querySelector(".menu:popover-open")?.hidePopover();
      this.store.set({ folder: id });
      this.folder.focus();
    };
    const all = choice("All folders", { on: !this.store.state.folder, onclick: pick("") });
    return [
      all,
      ...this.#folders.map(({ id, name, path, depth, videos }) => {
        const item = choice(name, {
          on: this.store.state.folder === id,
          onclick: pick(id),
          note: videos.toLocaleString("en"),
        });
        item.title = path;
        item.style.paddingInlineStart = `${10 + 14 * Math.min(depth, 6)}px`;
        return item;
      }),
    ];
  }

  #lengthName() {
    const { shortest, longest } = this.store.state;
    const known = LENGTHS.find(([, from, to]) => from === shortest && to === longest);
    return known?.[0] ?? `${shortest || "0"} to ${longest || "…"} s`;
  }

  #lengthChoices(close) {
    const { shortest, longest } = this.store.state;
    return LENGTHS.map(([text, from, to]) =>
      choice(text, {
        on: from === shortest && to === longest,
        onclick: () => {
          close();
          this.store.set({ shortest: from, longest: to });
        },
      }),
    );
  }

  #dateFields(close) {
    const field = (label, name) =>
      h(
        "label",
        { class: "field" },
        label,
        h("input", {
          type: "date",
          value: this.store.state[name],
          onchange: (event) => this.store.set({ [name]: event.target.value }),
        }),
      );
    const anytime = choice("Any date", {
      on: !this.store.state.since && !this.store.state.until,
      onclick: () => {
        close();
        this.store.set({ since: "", until: "" });
      },
    });
    return [anytime, field("From", "since"), field("Until", "until")];
  }

  #withoutChip(term) {
    const take = () => this.store.set({ q: withoutTerm(this.store.state.q, term) });
    return h(
      "button",
      { type: "button", class: "chip set without", "aria-label": `Without ${term}; press to take this away`, onclick: take },
      h("span", { dir: "auto" }, term),
      icon("close"),
    );
  }
}

/** The query without one negative term, quoted or not. */
export function withoutTerm(query, term) {
  const written = [`-"${term}"`, `-${term}`].map((text) => text.toLowerCase());
  const spaced = ` ${query} `;
  for (const text of written) {
    const place = spaced.toLowerCase().indexOf(` ${text} `);
    if (place >= 0) {
      const rest = spaced.slice(0, place) + spaced.slice(place + text.length + 1);
      return rest.replace(/\s+/g, " ").trim();
    }
  }
  return query;
}

function dates({ since, until }) {
  if (since && until) return `${since} to ${until}`;
  if (since) return `since ${since}`;
  return until && `until ${until}`;
}
