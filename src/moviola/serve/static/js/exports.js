// What leaves the page: the open moment as a film, and hits as tables and edit lists.

import { h, icon } from "./dom.js";
import { spanText } from "./format.js";
import { popover } from "./popover.js";
import { hasQuery, searchParameters } from "./state.js";

const LONGEST_CUT = 600; // seconds; the server cuts no more at once

const LISTS = [
  ["csv", "CSV table"],
  ["json", "JSON"],
  ["edl", "Edit list (EDL)"],
];

/** A button that offers the exports of the moment and of the state that the functions give. */
export function exportButton(momentOf, stateOf) {
  const button = h("button", { type: "button", title: "Export (e)" }, icon("export"), "Export");
  popover(button, "Export", () => exportLinks(momentOf(), stateOf()));
  return button;
}

/** Links that download: the moment, and where something was searched, all its hits. */
export function exportLinks(moment, state, top = 200) {
  const links = [];
  if (moment && !moment.missing) links.push(cutLink(moment));
  if (!hasQuery(state)) return links;
  for (const [format, name] of LISTS) {
    const words = searchParameters(state);
    words.set("format", format);
    words.set("top", String(top));
    links.push(link(`/api/export?${words}`, `All hits: ${name}`));
  }
  return links;
}

function cutLink({ video, start, end }) {
  const last = Math.min(end, start + LONGEST_CUT);
  const words = new URLSearchParams({ start: start.toFixed(3), end: last.toFixed(3) });
  return link(`/media/${video}/cut?${words}`, `This moment: MP4, ${spanText(start, last)}`);
}

function link(address, text) {
  return h("a", { class: "menu-link", href: address, download: "" }, text);
}
