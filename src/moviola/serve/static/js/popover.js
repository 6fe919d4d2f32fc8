// Small panels that open under a button and close by themselves.

import { h, icon } from "./dom.js";

const MARGIN = 12;
let serial = 0;

/**
 * Makes `button` open a panel with what `fill` returns each time.
 * @param {HTMLButtonElement} button
 * @param {string} label what the panel is called
 * @param {(close: () => void) => Node[]} fill
 */
export function popover(button, label, fill) {
  serial += 1;
  const panel = h("div", { class: "menu", popover: "auto", id: `menu-${serial}`, role: "dialog", "aria-label": label });
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  const close = () => {
    panel.hidePopover();
    button.focus();
  };
  button.addEventListener("click", () => {
    panel.replaceChildren(...fill(close));
    document.body.append(panel);
    panel.showPopover();
    place(panel, button);
    panel.querySelector("button[aria-pressed=true], button, input")?.focus();
  });
  panel.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed") panel.remove();
  });
  panel.addEventListener("keydown", (event) => {
    const direction = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!direction || event.target.matches("input")) return;
    event.preventDefault();
    const items = [...panel.querySelectorAll("button, input, a")];
    const from = items.indexOf(document.activeElement);
    items[(from + direction + items.length) % items.length]?.focus();
  });
}

/** One choice in such a panel. */
export function choice(label, { on = false, onclick, note = null }) {
  return h(
    "button",
    { type: "button", "aria-pressed": String(on), onclick },
    h("span", { dir: "auto" }, label),
    note === null ? null : h("small", { class: "quiet figures" }, note),
    on ? icon("check") : null,
  );
}

function place(panel, button) {
  const { left, bottom, top } = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const x = Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN));
  const fits = bottom + 6 + height <= innerHeight - MARGIN;
  const y = fits ? bottom + 6 : Math.max(MARGIN, top - height - 6);
  panel.style.left = `${x}px`;
  panel.style.top = `${y}px`;
}
