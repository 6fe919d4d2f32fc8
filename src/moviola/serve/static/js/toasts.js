// Short news at the bottom of the page, which screen readers say aloud.

import { byId, h } from "./dom.js";

const SECONDS = 5;
const MOST = 3;

/** Shows one sentence for some seconds; the same once only, and few beside each other. */
export function toast(message) {
  const note = h("p", { class: "toast" }, message);
  const place = byId("toasts");
  for (const other of [...place.children]) {
    if (other.textContent === note.textContent) other.remove();
  }
  place.append(note);
  while (place.children.length > MOST) place.firstElementChild.remove();
  setTimeout(() => note.remove(), SECONDS * 1000);
}
