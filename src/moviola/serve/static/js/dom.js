// Building elements. Text goes in as text nodes only, so nothing that a file name says can be markup.

const SVG = "http://www.w3.org/2000/svg";

// Line drawings on a 24 x 24 grid.
const ICONS = {
  search: "M11 4a7 7 0 1 1 0 14a7 7 0 0 1 0-14M16.5 16.5L21 21",
  image: "M4 5h16v14H4zM4 16l5-5l4 4l2.5-2.5L20 17M15.5 8.5h.01",
  close: "M6 6l12 12M18 6L6 18",
  play: "M8 5l11 7l-11 7z",
  pause: "M8 5v14M16 5v14",
  back: "M11 7l-5 5l5 5M18 7l-5 5l5 5",
  forward: "M6 7l5 5l-5 5M13 7l5 5l-5 5",
  loop: "M17 3l3 3l-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3l3-3M4 18h12a4 4 0 0 0 4-4v-1",
  like: "M4 4h7v7H4zM13 13h7v7h-7zM16.5 4v7M13 7.5h7M4 16.5h7",
  star: "M12 4l2.5 5.1l5.6.8l-4 4l.9 5.6l-5-2.6l-5 2.6l.9-5.6l-4-4l5.6-.8z",
  export: "M12 15V4M8 8l4-4l4 4M5 14v5h14v-5",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1.2 1.2M14 10a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1.2-1.2",
  help: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18M9.5 9.3a2.6 2.6 0 1 1 3.6 2.6c-.8.4-1.1.8-1.1 1.8M12 16.8h.01",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  volume: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  warning: "M12 4l9 16H3zM12 10v4.5M12 17.3h.01",
  folder: "M3.5 6.5h6l2 2.5h9v10h-17z",
  down: "M6 9l6 6l6-6",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7.5",
  forget: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
  said: "M4 5h16v11h-8l-4.5 4v-4H4zM8 9.5h8M8 12.5h5",
  written: "M4 5h16v9H4zM12 14v6M8 20h8M8 9.5h8",
  named: "M4 4h8l8.5 8.5l-8 8L4 12zM8 8h.01",
  table: "M4 5h16v14H4zM4 10h16M10 10v9",
  film: "M4 4h16v16H4zM8 4v16M16 4v16M4 8h4M4 12h16M4 16h4M16 8h4M16 16h4",
};

/**
 * An element with attributes and children.
 * @param {string} tag
 * @param {Object<string, any>} attributes `class`, `on<Event>` listeners, booleans and plain attributes;
 *   null and undefined are left out
 * @param {...(Node|string|null)} children strings become text nodes
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A decorative drawing; the control around it carries the name. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

/** A button that shows a drawing and says `label` to whoever cannot see it. */
export function iconButton(name, label, attributes = {}) {
  return h("button", { type: "button", "aria-label": label, title: label, ...attributes }, icon(name));
}

/** The element with this id, which the page holds from the start. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element;
}

/** Whether the library that is shown has vectors to compare pictures with. */
export function hasVectors() {
  return document.body.dataset.vectors !== "none";
}

/** Whether keys typed now go into a field. */
export function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=range]):not([type=checkbox]), select, textarea") !== null;
}
