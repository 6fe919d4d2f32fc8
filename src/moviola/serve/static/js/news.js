// What the status means for the header and for the lines under it.

import { byId, h } from "./dom.js";
import { count } from "./format.js";
import { indexingNotice, notice } from "./notices.js";
import { isIndexing } from "./status.js";

/** What there is to know of a library that is not of real videos. */
function worldNotice({ is_demo: isDemo, state, model }) {
  if (state === "first_run") return null;
  if (!isDemo) return model?.note ? { text: `${model.note}.` } : null;
  return {
    text: "This is the demo: generated videos of coloured shapes, and a model that knows nothing else. It makes way for your own videos once you index them: moviola index ~/Videos",
  };
}

/** Shows the state of server and library. `command` starts and ends indexing. */
export class News {
  constructor(command) {
    this.command = command;
    this.pill = byId("library");
  }

  show(status) {
    notice("gone", null);
    const bad = ["mismatch", "damaged"].includes(status.state) || Boolean(status.problem);
    notice("problem", bad ? { bad: true, text: status.problem?.message ?? "The library cannot be searched." } : null);
    notice("world", worldNotice(status));
    const running = isIndexing(status);
    const quiet = !running || status.state === "first_run";
    const pause = h("button", { type: "button", onclick: () => this.command("stop") }, "Pause");
    indexingNotice(quiet ? null : status.indexing, status.indexing.state === "running" ? pause : "");
    this.#label(status, { bad, running });
  }

  gone() {
    notice("gone", {
      bad: true,
      text: "Moviola's server does not answer. Start it again with “moviola serve”; this page goes on by itself.",
    });
    indexingNotice(null);
    this.pill.replaceChildren(h("span", { class: "dot bad" }), "No server");
  }

  #label({ library, indexing }, { bad, running }) {
    const failed = library?.failed ? `, ${library.failed} failed` : "";
    const text = running && indexing.total
      ? `Indexing ${indexing.done.toLocaleString("en")} of ${indexing.total.toLocaleString("en")}`
      : `${count(library?.videos ?? 0, "video")}${failed}`;
    if (this.pill.textContent === text) return;
    this.pill.title = library ? `Library “${library.name}”` : "Library";
    this.pill.replaceChildren(
      h("span", { class: `dot ${bad ? "bad" : ""} ${running ? "live" : ""}` }),
      h("span", { class: "pill-text" }, text),
    );
  }
}
