// The channels of the library: what they cover, and how one more is read.

import { get, send } from "./api.js";
import { groupName } from "./channels.js";
import { h } from "./dom.js";
import { bytes, count, duration } from "./format.js";
import { isIndexing } from "./status.js";
import { toast } from "./toasts.js";

/** `Reads 24 videos, 12 min of film: about 4 min on one core and 1 MB.` */
export function costText({ videos, film, seconds, bytes: size }) {
  if (!videos) return "Nothing is left to read of the videos that are there; new ones are read as they come.";
  const disk = bytes(Math.max(size, 1000));
  return `Reads ${count(videos, "video")}, ${duration(film)} of film: about ${duration(seconds)} on one core and ${disk}.`;
}

/** The part of the library's dialog about channels. */
export class ChannelList {
  constructor(watch) {
    this.watch = watch;
    this.element = h("div", { class: "dialog-part" });
  }

  /** Asks what there is, and shows it. */
  async load() {
    try {
      const { channels } = await get("/api/channels");
      this.element.replaceChildren(
        h("h3", {}, "Said, written and named"),
        h("ul", { class: "channel-list" }, ...channels.map((channel) => this.#item(channel))),
      );
    } catch {
      this.element.replaceChildren(); // without a library there are none
    }
  }

  #item(channel) {
    const { name, group, state, message } = channel;
    const place = h("div", { class: "channel-cost" });
    const what = group === name ? "" : `, what is ${groupName(group).toLowerCase()}`;
    return h(
      "li",
      {},
      h("p", {}, h("strong", {}, name), h("span", { class: "quiet" }, what)),
      ["offered", "off"].includes(state)
        ? h("button", { type: "button", onclick: () => this.#offer(name, place), "aria-label": `Read ${name}` }, "Read…")
        : null,
      h("p", { class: "quiet figures" }, state === "not_installed" ? message : held(channel)),
      place,
    );
  }

  /** Says what it takes, and asks. */
  async #offer(name, place) {
    place.replaceChildren(h("p", { class: "quiet", role: "status" }, "Looking at what there is to read…"));
    try {
      const cost = await get(`/api/channels/estimate?${new URLSearchParams({ channel: name })}`);
      const start = h("button", { type: "button", class: "primary", onclick: () => this.#start(name) }, "Start reading");
      place.replaceChildren(
        h("p", { class: "figures", role: "status" }, costText(cost)),
        h("div", { class: "row" }, start, h("button", { type: "button", onclick: () => place.replaceChildren() }, "Not now")),
      );
      start.disabled = isIndexing(this.watch.last);
      start.focus();
    } catch (error) {
      place.replaceChildren(h("p", { role: "status" }, error.message));
    }
  }

  async #start(name) {
    try {
      await send("POST", "/api/index", { action: "channels", channels: [name] });
    } catch (error) {
      toast(error.message);
    }
    await this.watch.ask();
  }
}

function held({ state, videos, passages, partial, failed }) {
  if (state === "off") return "Turned off.";
  if (state === "offered") return "Not read yet.";
  const parts = [`${count(passages, "passage")} of ${count(videos, "video")}`];
  if (partial) parts.push(`${partial} in part`);
  if (failed) parts.push(`${failed} failed`);
  return parts.join(", ");
}
