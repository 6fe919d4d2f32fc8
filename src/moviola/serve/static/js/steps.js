// "A, then B": the fields under the search box that say what happens next.

import { byId, h, iconButton } from "./dom.js";

const MOST = 4;
const WITHIN = [
  ["5", "5 s"],
  ["10", "10 s"],
  ["", "30 s"],
  ["60", "1 min"],
  ["300", "5 min"],
];

/** Keeps one field a step. */
export class Steps {
  #made = 0;

  constructor(store, onTyped) {
    this.store = store;
    this.onTyped = onTyped;
    this.place = byId("steps");
    store.subscribe((state, previous) => {
      if (state.then !== previous.then || state.within !== previous.within) this.show();
    });
    this.show();
  }

  /** A new, empty step, ready to be typed into. */
  add() {
    this.store.set({ then: [...this.store.state.then, ""].slice(0, MOST) }, { replace: true });
    this.place.querySelector(".step:last-of-type input")?.focus();
  }

  show() {
    const { then } = this.store.state;
    this.place.hidden = !then.length;
    if (then.length !== this.#made) {
      this.place.replaceChildren(...then.map((_, place) => this.#field(place, then.length)));
      this.#made = then.length;
    }
    then.forEach((text, place) => {
      const input = this.place.children[place].querySelector("input");
      if (input.value !== text) input.value = text;
    });
    const within = this.place.querySelector("select");
    if (within) within.value = this.store.state.within;
  }

  #field(place, all) {
    const last = place === all - 1;
    const change = (steps, how) => this.store.set({ then: steps }, how);
    const label = place ? `Step ${place + 2}: what follows` : "What follows";
    return h(
      "div",
      { class: "search-box step" },
      h("span", { class: "quiet", "aria-hidden": "true" }, "then"),
      h("input", {
        type: "search",
        maxlength: 10000,
        spellcheck: "false",
        placeholder: "what follows",
        "aria-label": label,
        oninput: (event) => {
          const steps = this.store.state.then.with(place, event.target.value);
          this.onTyped(() => change(steps, { typing: true }));
        },
      }),
      last ? this.#within() : null,
      last && all < MOST
        ? iconButton("plus", "Add a step", { class: "plain", onclick: () => this.add() })
        : null,
      iconButton("close", "Take this step away", {
        class: "plain",
        onclick: () => change(this.store.state.then.toSpliced(place, 1)),
      }),
    );
  }

  #within() {
    return h(
      "label",
      { class: "quiet" },
      "within ",
      h(
        "select",
        { class: "select", onchange: (event) => this.store.set({ within: event.target.value }) },
        ...WITHIN.map(([value, text]) => h("option", { value }, text)),
      ),
    );
  }
}
