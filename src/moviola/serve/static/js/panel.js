// The panel beside the results: one open moment, its video, and what can be done with it.

import { get } from "./api.js";
import { bandMark } from "./band.js";
import { Controls } from "./controls.js";
import { byId, h, icon, iconButton } from "./dom.js";
import { clock, spanText } from "./format.js";
import { factList } from "./facts.js";
import { exportButton } from "./exports.js";
import { queryParameters } from "./state.js";
import { Transcript } from "./transcript.js";

/** One open moment. `actions`: `close`, `like`, `favour`, `reject`, `openId`, `share`, `forget`. */
export class Panel {
  #request = null;

  constructor(store, actions, verdictOf) {
    this.store = store;
    this.actions = actions;
    this.verdictOf = verdictOf;
    this.moment = null;
    this.place = byId("panel");
    this.title = h("h2", { id: "panel-title", dir: "auto" });
    this.transcript = new Transcript((time) => this.controls.jump(time));
    this.controls = new Controls({ onTime: (time) => this.transcript.progress(time) });
    this.star = this.#action("star", "Favourite", () => actions.favour(this.moment), "f");
    this.reject = this.#action("close", "Not this", () => actions.reject(this.moment));
    this.exporter = exportButton(() => this.moment, () => this.store.state);
    this.moments = h("section", { class: "panel-part", hidden: true });
    this.alike = h("section", { class: "panel-part", hidden: true });
    this.facts = h("section", { class: "panel-part" });
    this.place.append(
      h(
        "div",
        { class: "panel-head" },
        this.title,
        iconButton("close", "Close the player (Esc)", { class: "plain", onclick: actions.close }),
      ),
      ...this.controls.elements,
      this.transcript.element,
      h(
        "div",
        { class: "panel-actions" },
        this.#action("like", "More like this", () => actions.like(this.moment), "m", "needs-vectors"),
        this.star,
        this.reject,
        this.exporter,
        this.#action("link", "Copy link", () => actions.share(this.controls.player.time)),
        this.#action("forget", "Forget this video", () => actions.forget(this.moment)),
      ),
      this.moments,
      this.alike,
      this.facts,
    );
  }

  /** Shows a moment; `time` in seconds, its start where it is null; plays where `play`. */
  open(moment, { time = null, play }) {
    const sameVideo = this.moment?.video === moment.video;
    this.moment = moment;
    this.place.hidden = false;
    this.title.textContent = moment.name;
    this.title.title = `${moment.folder}/${moment.name}`;
    this.refresh();
    if (!sameVideo) {
      this.facts.replaceChildren();
      this.controls.forget();
    }
    this.#showAlike(moment);
    this.transcript.open(moment.video, moment.duration, time ?? moment.start);
    this.controls.open(moment, { time: time ?? moment.start, play });
    this.#load(moment);
  }

  close() {
    this.#request?.abort();
    this.moment = null;
    this.place.hidden = true;
    this.controls.player.close();
    this.transcript.close();
  }

  /** Shows again whether the moment is a favourite or was rejected. */
  refresh() {
    if (!this.moment) return;
    const verdict = this.verdictOf(this.moment);
    this.star.setAttribute("aria-pressed", String(verdict === true));
    this.reject.setAttribute("aria-pressed", String(verdict === false));
  }

  /** Fetches the curve again, when the query or the library has changed. */
  reload() {
    if (this.moment) this.#load(this.moment);
  }

  /** Fetches again what was read of the video, when the library has changed. */
  reread() {
    if (!this.moment) return;
    const { video, duration } = this.moment;
    this.transcript.open(video, duration, this.controls.player.time, { fresh: true });
    this.controls.signs.open(video, duration, { fresh: true });
  }

  openExport() {
    this.exporter.click();
  }

  #action(drawing, label, onclick, key = "", kind = null) {
    const title = key ? `${label} (${key})` : label;
    return h("button", { type: "button", class: kind, onclick, title }, icon(drawing), label);
  }

  async #load(moment) {
    this.#request?.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = queryParameters(this.store.state);
    const path = `/api/videos/${moment.video}`;
    const facts = get(path, { signal });
    const curve = query.size ? get(`${path}/curve?${query}`, { signal }) : null;
    curve?.catch(() => {}); // dealt with below, which may be later than it fails
    try {
      const video = await facts;
      this.controls.player.learn({ fps: video.frames / video.duration || 25 });
      this.facts.replaceChildren(h("h3", {}, "About this video"), factList(video));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.facts.replaceChildren(h("p", { class: "quiet" }, error.message));
    }
    try {
      this.#showCurve(await curve, moment);
    } catch (error) {
      if (error.name !== "AbortError") this.#showCurve(null, moment);
    }
  }

  #showCurve(curve, moment) {
    this.controls.showCurve(curve, moment);
    const found = [...(curve?.moments ?? [])].sort((a, b) => a.start - b.start);
    this.moments.hidden = found.length < 2;
    this.moments.replaceChildren(
      h("h3", {}, "Moments in this video"),
      h("ul", {}, ...found.map((one) => h("li", {}, this.#row(one)))),
    );
  }

  #row(found) {
    return h(
      "button",
      { type: "button", class: "moment-row figures", onclick: () => this.controls.jump(found.start) },
      spanText(found.start, found.end),
      bandMark(found),
    );
  }

  #showAlike(moment) {
    const others = moment.duplicates ?? [];
    this.alike.hidden = !others.length;
    this.alike.replaceChildren(
      h("h3", {}, "Looks the same"),
      h("div", { class: "alike" }, ...others.map((id, place) => this.#twin(id, place))),
    );
  }

  #twin(id, place) {
    const label = `Open look-alike ${place + 1} of the moment at ${clock(this.moment.peak)}`;
    return h(
      "button",
      { type: "button", "aria-label": label, onclick: () => this.actions.openId(id) },
      h("img", { src: `/media/clips/${id}/poster`, alt: "", loading: "lazy" }),
    );
  }
}
