// The dialog about the library: what it holds, how indexing goes, and what could not be read.

import { get, send } from "./api.js";
import { ChannelList } from "./channel-list.js";
import { byId, h, iconButton } from "./dom.js";
import { forget } from "./forgetting.js";
import { bytes, count, duration } from "./format.js";
import { progressBar, progressText } from "./indexing.js";
import { isIndexing } from "./status.js";
import { toast } from "./toasts.js";

/** The dialog. `view=failures` in the address opens it. */
export class LibraryDialog {
  constructor(store, watch) {
    this.store = store;
    this.watch = watch;
    this.dialog = byId("dialog");
    this.progress = h("div", { class: "dialog-part" });
    this.channels = new ChannelList(watch);
    this.failures = h("div", { class: "dialog-part" });
    this.key = "";
  }

  /** Starts (`demo`, `update`, `retry`) or ends (`stop`) indexing, and asks for news. */
  async command(action) {
    try {
      await send("POST", "/api/index", { action });
    } catch (error) {
      toast(error.message);
    }
    await this.watch.ask();
  }

  get isOpen() {
    return this.dialog.open && this.dialog.contains(this.progress);
  }

  open() {
    this.dialog.replaceChildren(
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id: "dialog-title" }, "Library"),
        iconButton("close", "Close", { class: "plain", onclick: () => this.dialog.close() }),
      ),
      this.progress,
      this.channels.element,
      this.failures,
    );
    if (!this.dialog.open) this.dialog.showModal();
    this.key = "";
    this.generation = null;
    this.show(this.watch.last);
  }

  /** Brings an open dialog up to date. */
  show(status) {
    if (!this.isOpen || !status) return;
    const { library, model, indexing } = status;
    // Built anew only when something changed, so that the focus stays on its button.
    const state = JSON.stringify([library, model, indexing.state]);
    if (state !== this.state || !this.numbers?.isConnected) {
      this.state = state;
      this.numbers = h("p", { class: "figures" });
      this.progress.replaceChildren(...this.#facts(library, model), this.numbers, this.#buttons(status));
    }
    const running = isIndexing(status);
    this.numbers.replaceChildren(
      ...(running ? [progressBar(indexing), progressText(indexing)] : [indexing.message || ""]),
    );
    const key = `${library?.failed}/${indexing.failed}/${status.generation}`;
    if (key !== this.key) {
      this.key = key;
      this.#loadFailures();
    }
    if (status.generation !== this.generation || !this.channels.element.isConnected) {
      this.generation = status.generation;
      this.channels.load();
    }
  }

  #facts(library, model) {
    if (!library) return [h("p", {}, "There is no library yet.")];
    const clips = model?.pictures ? count(library.clips, "clip") : "";
    const facts = [
      ["Holds", [count(library.videos, "video"), clips, `${duration(library.seconds)} in all`].filter(Boolean).join(", ")],
      ["Missing files", library.missing ? count(library.missing, "video") : null],
      ["Model", model && (model.pictures ? `${model.name}, ${model.segment}` : "none: words and names are searched")],
      ["Note", model?.note],
    ];
    return [
      h(
        "dl",
        { class: "facts figures" },
        ...facts.filter(([, fact]) => fact).flatMap(([term, fact]) => [h("dt", {}, term), h("dd", {}, fact)]),
      ),
    ];
  }

  #buttons(status) {
    const command = (action, label, primary = false) =>
      h(
        "button",
        { type: "button", class: primary ? "primary" : null, onclick: () => this.command(action) },
        label,
      );
    const row = h("div", { class: "row" });
    if (status.indexing.state === "running") row.append(command("stop", "Pause"));
    else if (status.indexing.state !== "elsewhere") {
      if (status.folders_known) {
        const stopped = status.indexing.state === "stopped";
        row.append(command("update", stopped ? "Go on" : "Look for new files", true));
      }
      if (status.library?.failed) row.append(command("retry", "Try failed files again"));
      if (status.library?.videos) row.append(this.#forgetMissing());
      if (status.demo) row.append(command("demo", "Make the demo library"));
    }
    return row;
  }

  #forgetMissing() {
    const onclick = () => {
      this.dialog.close(); // what it says, with its undo, stands on the page below
      forget({ missing: true }, () => this.watch.ask());
    };
    return h("button", { type: "button", onclick }, "Forget missing files");
  }

  async #loadFailures() {
    try {
      const { failures } = await get("/api/failures");
      this.failures.replaceChildren(
        h("h3", {}, failures.length ? `Could not be read: ${count(failures.length, "file")}` : "Every file could be read."),
        h("ul", { class: "failures" }, ...failures.map(failureItem)),
      );
    } catch (error) {
      this.failures.replaceChildren(h("p", { class: "quiet" }, error.code === "no_library" ? "" : error.message));
    }
  }
}

function failureItem({ name, folder, code, message, size }) {
  return h(
    "li",
    {},
    h("p", { class: "failure-name", dir: "auto" }, name),
    h("p", { class: "quiet" }, h("bdi", {}, folder), size ? ` · ${bytes(size)}` : ""),
    h("p", {}, h("code", {}, code), " ", message),
  );
}
