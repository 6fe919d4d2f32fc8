// Short news at the bottom of the page, which screen readers say aloud.

import { byId, h } from "./dom.js";

const SECONDS = 5;
const UNDO_SECONDS = 15; // time to read, to regret, and to reach the button
const MOST = 3;

/** Shows one sentence for some seconds, longer with an `undo`; the same once only, few at a time. */
export function toast(message, { undo = null } = {}) {
  const button = undo && h("button", { type: "button", onclick: () => (note.remove(), undo()) }, "Undo");
  const note = h("p", { class: "toast" }, message, button);
  const place = byId("toasts");
  for (const other of [...place.children]) {
    if (other.textContent === note.textContent) other.remove();
  }
  place.append(note);
  while (place.children.length > MOST) place.firstElementChild.remove();
  setTimeout(() => note.remove(), (undo ? UNDO_SECONDS : SECONDS) * 1000);
}
