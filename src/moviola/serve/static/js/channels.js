// Where to look: the pictures, what is said, written and named. As chips, and as names and drawings.

import { byId, h, icon } from "./dom.js";

const NAMES = { seen: "Seen", said: "Said", written: "Written", named: "Named" };
const ICONS = { seen: "film", said: "said", written: "written", named: "named" };

/** What a group of channels is called; a channel of one's own goes by its name. */
export function groupName(group) {
  return NAMES[group] ?? group;
}

/** The drawing of a group, with its name for whoever cannot see it. */
export function groupMark(group) {
  return h(
    "span",
    { class: "channel-mark", title: groupName(group) },
    icon(ICONS[group] ?? "table"),
    h("span", { class: "unseen" }, `${groupName(group)}: `),
  );
}

/** The chosen groups with one more, or without it. */
export function toggled(chosen, group) {
  return chosen.includes(group) ? chosen.filter((other) => other !== group) : [...chosen, group];
}

/** Chips that narrow a search; without one that is pressed, everything is asked. */
export class ChannelChips {
  #covers = [];

  constructor(store) {
    this.store = store;
    this.place = h("div", { class: "chips", role: "group", "aria-label": "Where to look" });
    byId("chips").before(this.place);
    store.subscribe(() => this.#draw());
  }

  /** Shows what the library covers; `covers` are the counts of its status. */
  show(covers) {
    const same = JSON.stringify(covers) === JSON.stringify(this.#covers);
    this.#covers = covers;
    if (!same) this.#draw();
  }

  #draw() {
    const chosen = this.store.state.channel;
    const known = this.#covers.map(({ name }) => name);
    // What an old address asks stays in sight, so that it can be taken away.
    const shown = [...known, ...chosen.filter((group) => !known.includes(group))];
    this.place.hidden = shown.length < 2 && !chosen.length;
    const focused = document.activeElement?.dataset?.group;
    this.place.replaceChildren(...shown.map((group) => this.#chip(group, chosen.includes(group))));
    if (focused) this.place.querySelector(`[data-group="${CSS.escape(focused)}"]`)?.focus();
  }

  #chip(group, on) {
    const { passages = 0, videos = 0 } = this.#covers.find(({ name }) => name === group) ?? {};
    const held = passages ? `${passages.toLocaleString("en")} passages` : `${videos.toLocaleString("en")} videos`;
    return h(
      "button",
      {
        type: "button",
        class: on ? "chip set" : "chip",
        "aria-pressed": String(on),
        "data-group": group,
        title: `Look only in what is ${groupName(group).toLowerCase()} (${held})`,
        onclick: () => this.store.set({ channel: toggled(this.store.state.channel, group) }),
      },
      icon(ICONS[group] ?? "table"),
      h("span", { dir: "auto" }, groupName(group)),
    );
  }
}
