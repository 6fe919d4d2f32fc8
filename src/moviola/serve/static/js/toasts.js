// Short news at the bottom of the page, which screen readers say aloud.

import { byId, h } from "./dom.js";

const SECONDS = 5;

/** Shows one sentence for some seconds. */
export function toast(message) {
  const note = h("p", { class: "toast" }, message);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), SECONDS * 1000);
}
