// What stands in place of hits: first run, indexing, nothing found, nothing that matches well.

import { byId, h, icon } from "./dom.js";
import { progressBar, progressText } from "./indexing.js";
import { isIndexing } from "./status.js";

/** Shows nodes in place of the grid, or takes them away. `key` says what they show. */
export function showState(key, ...nodes) {
  const place = byId("state");
  place.hidden = !key;
  place.dataset.state = key;
  place.replaceChildren(...nodes);
}

/** The library is empty: say how to fill it, and offer the demo. */
export function firstRun(status, command) {
  const { indexing } = status;
  if (isIndexing(status)) {
    return showState(
      "indexing",
      big("film"),
      h("h2", {}, indexing.what === "demo" ? "Making the demo library" : "Indexing your videos"),
      progressBar(indexing),
      h("p", { class: "figures" }, progressText(indexing)),
      h("p", { class: "quiet" }, "Moments can be searched as soon as their video is done."),
      indexing.state === "running" ? h("div", { class: "row" }, action("Pause", () => command("stop"))) : "",
    );
  }
  return showState(
    "first-run",
    big("folder"),
    h("h2", {}, "Find the moment in your videos"),
    h("p", {}, "Point Moviola at a folder of videos. In a terminal:"),
    h("p", {}, h("code", {}, "moviola index ~/Videos")),
    h("p", { class: "quiet" }, "This page fills up while it runs. Your videos stay where they are, and nothing leaves this machine."),
    indexing.message ? h("p", { class: "said" }, indexing.message) : "",
    h(
      "div",
      { class: "row" },
      status.demo ? action("Try the demo library", () => command("demo"), true) : "",
      status.folders_known ? action("Index again", () => command("update")) : "",
    ),
    status.demo ? h("p", { class: "quiet" }, "Generated videos of moving shapes, made on this machine in about a minute.") : "",
  );
}

/** A search that gave no hit at all: filters leave nothing, or words alone were asked for. */
export function nothingFound({ filtered, narrowed, asked, onClear }) {
  const read = "Nothing that is said, written or named holds these words.";
  const without = asked ? read : "No video of the library can be searched yet.";
  showState(
    "nothing",
    big("search"),
    h("h2", {}, "Nothing found"),
    h("p", {}, filtered ? "No video passes these filters." : without),
    filtered || narrowed
      ? h("div", { class: "row" }, action(filtered ? "Clear filters" : "Look everywhere", onClear, true))
      : "",
  );
}

/** A note over the grid where the library was measured to hold nothing of the kind. */
export function nothingMatches(query) {
  return [
    h("h2", {}, "Nothing matches well"),
    h("p", {}, `These are the moments nearest to “${query}”, but probably not what you are looking for.`),
    h("p", { class: "quiet" }, "Describe what can be seen: things, colours, places, what they do. Fewer words often find more."),
  ];
}

/** A search that failed. Without a message, a notice says why already. */
export function problem(message) {
  const heading = message ? "That did not work" : "This library cannot be searched now";
  showState("problem", big("warning"), h("h2", {}, heading), message ? h("p", { class: "said" }, message) : "");
}

function big(name) {
  const drawing = icon(name);
  drawing.classList.add("big");
  return drawing;
}

function action(label, onclick, primary = false) {
  return h("button", { type: "button", class: primary ? "primary" : null, onclick }, label);
}
