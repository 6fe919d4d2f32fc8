// Light, dark, or as the system has it.

import { icon } from "./dom.js";

const NEXT = { "": "light", light: "dark", dark: "" };
const NAMES = { "": "as the system", light: "light", dark: "dark" };

/** Makes a button go round the themes and remember the choice. */
export function makeThemeButton(button) {
  const root = document.documentElement;
  const show = () => {
    const label = `Theme: ${NAMES[root.dataset.theme ?? ""]}`;
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  button.append(icon("theme"));
  button.addEventListener("click", () => {
    const theme = NEXT[root.dataset.theme ?? ""];
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("moviola-theme", theme);
    } catch {
      // Chosen for this visit only.
    }
    show();
  });
  show();
}
