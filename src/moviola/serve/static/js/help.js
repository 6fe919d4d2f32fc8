// The dialog of keys and tips.

import { byId, h, iconButton } from "./dom.js";

const KEYS = [
  ["/", "search box"],
  ["← ↓ ↑ →  or  h j k l", "from moment to moment"],
  ["Enter", "play the moment"],
  ["Space", "play, pause"],
  [", .", "one frame back, one frame on"],
  ["[ ]", "5 seconds back, 5 seconds on"],
  ["r", "loop the moment"],
  ["m", "more like this"],
  ["f", "favourite"],
  ["e", "export"],
  ["t", "search the transcript"],
  ["?", "this list"],
  ["Esc", "close the player, leave the box"],
];

const TIPS = [
  ["-crowd", "or", '-"red car"', "leaves out what looks like it."],
  ["then…", "", "", "finds one thing followed by another."],
  ["said:umbrella", "or", 'written:"no exit"', "looks only in what is said, or in writing in the picture."],
  ["", "", "", "Drop or paste an image, or a clip of up to a minute, and search with it; words may be added."],
  ["", "", "", "Everything on the page is in its address: copy it to come back to the same view."],
];

export function openHelp() {
  const dialog = byId("dialog");
  dialog.replaceChildren(
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: "dialog-title" }, "Keys and tips"),
      iconButton("close", "Close", { class: "plain", onclick: () => dialog.close() }),
    ),
    h(
      "dl",
      { class: "keys dialog-part" },
      ...KEYS.flatMap(([keys, what]) => [
        h("dt", {}, ...keys.split(/(\s+or\s+|\s+)/).map((part) => (/^\s/.test(part) ? part : h("kbd", {}, part)))),
        h("dd", {}, what),
      ]),
    ),
    h("ul", { class: "tips dialog-part" }, ...TIPS.map(tip)),
  );
  if (!dialog.open) dialog.showModal();
}

function tip([first, or, second, text]) {
  const code = (word) => (word ? h("code", {}, word) : "");
  return h("li", {}, code(first), or ? ` ${or} ` : "", code(second), first ? " " : "", text);
}
