// Keys. Letters act only outside of fields, and never together with Ctrl, Alt or Meta.

import { byId, isTyping } from "./dom.js";

const DIRECTIONS = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
  h: "left", l: "right", k: "up", j: "down", Home: "first", End: "last",
};

/** Listens for keys and calls `actions`; `grid` and `panel` say what they apply to. */
export function listenToKeys({ grid, panel, actions }) {
  const target = () => grid.focused ?? panel.moment;
  const letters = {
    t: () => panel.moment && panel.transcript.focus(),
    "/": () => byId("query").select(),
    "?": actions.help,
    m: () => target() && actions.like(target()),
    f: () => target() && actions.favour(target()),
    e: () => actions.exportMoment(target()),
    r: () => panel.moment && panel.controls.toggleLoop(),
    ",": () => panel.moment && panel.controls.player.step(-1),
    ".": () => panel.moment && panel.controls.player.step(1),
    "[": () => panel.moment && panel.controls.player.seek(panel.controls.player.time - 5),
    "]": () => panel.moment && panel.controls.player.seek(panel.controls.player.time + 5),
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (byId("dialog").open || document.querySelector(".menu:popover-open")) return;
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would lose its words
      actions.escape();
      return;
    }
    if (isTyping(event.target)) {
      if (event.key === "ArrowDown" && event.target.id === "query" && grid.focus()) event.preventDefault();
      return;
    }
    const inPanel = byId("panel").contains(event.target);
    const direction = DIRECTIONS[event.key];
    const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
    if (event.key === " " && panel.moment && (!onButton || grid.focused)) {
      event.preventDefault();
      panel.controls.player.toggle();
    } else if (direction && !(inPanel && event.key.startsWith("Arrow"))) {
      event.preventDefault();
      grid.move(direction);
    } else if (letters[event.key]) {
      event.preventDefault();
      letters[event.key]();
    }
  });
}
