// The transcript beside the player: all that a video says, shows in writing and is called.

import { get } from "./api.js";
import { groupMark, groupName } from "./channels.js";
import { h, icon } from "./dom.js";
import { clock, count } from "./format.js";
import { markedText } from "./marking.js";
import { popover } from "./popover.js";

const PART = 200; // passages that are fetched at once
const NEAR = 400; // pixels from an end at which the next part is fetched
const PAUSE = 150; // milliseconds without a key before a search begins
const FORMATS = [
  ["srt", "SubRip (SRT)"],
  ["vtt", "WebVTT (VTT)"],
  ["csv", "CSV table"],
];

/**
 * The places of the passages that are going on at a time. One that lasts nearly all of the video,
 * such as its name, says nothing about where one is.
 */
export function ongoing(passages, time, seconds) {
  const found = [];
  passages.forEach(({ start, end }, place) => {
    if (start <= time && time < end && end - start < 0.8 * seconds) found.push(place);
  });
  return found;
}

/** The passages of one video, in parts: scrolls with the film, leads to any of them. */
export class Transcript {
  #video = "";
  #seconds = 0;
  #time = 0;
  #told = -1;
  #passages = [];
  #offset = 0;
  #found = 0;
  #request = null;
  #busy = false;
  #rows = [];
  #scrolling = -1;
  #current = 0;

  /** @param {(seconds: number) => void} onJump */
  constructor(onJump) {
    this.onJump = onJump;
    this.search = h("input", {
      class: "field-input",
      type: "search",
      maxlength: 200,
      placeholder: "Search the transcript",
      "aria-label": "Search the transcript",
      oninput: () => this.#later(),
      onkeydown: (event) => this.#fromSearch(event),
    });
    this.channel = h("select", { class: "select", "aria-label": "Channel", onchange: () => this.#ask() });
    const save = "Save the transcript";
    this.save = h("button", { type: "button", title: save, "aria-label": save }, icon("export"), "Save");
    popover(this.save, save, () => this.#links());
    this.follow = h(
      "button",
      { type: "button", class: "chip", "aria-pressed": "true", onclick: () => this.#setFollow(!this.following) },
      "Follow the film",
    );
    this.count = h("p", { class: "quiet figures", role: "status" });
    this.list = h("ol", { class: "transcript-list", "aria-label": "Transcript" });
    this.element = h(
      "section",
      { class: "panel-part transcript", hidden: true, "aria-label": "Transcript" },
      h("div", { class: "transcript-head" }, h("h3", {}, "Transcript"), this.count, this.follow),
      h("div", { class: "transcript-tools" }, this.search, this.channel, this.save),
      this.list,
    );
    this.following = true;
    this.#listen();
  }

  /** Shows the transcript of a video of `seconds` around `time`; `fresh` where it may have changed. */
  open(video, seconds, time, { fresh = false } = {}) {
    this.#seconds = seconds;
    this.#time = time;
    const another = video !== this.#video;
    if (!another && !fresh) return;
    this.#video = video;
    if (another) {
      this.element.hidden = true;
      this.search.value = "";
      this.channel.replaceChildren();
      this.#setFollow(true);
    }
    this.#ask({ at: time });
  }

  close() {
    this.#request?.abort();
    this.#video = "";
  }

  /** Marks what goes on at a time, and scrolls there. */
  progress(time) {
    this.#time = time;
    if (Math.abs(time - this.#told) < 0.2) return;
    this.#told = time;
    const last = this.#passages.at(-1);
    const beyond = last && time > last.start && this.#offset + this.#passages.length < this.#found;
    const before = this.#offset > 0 && time < this.#passages[0]?.start;
    if (this.following && !this.#busy && (beyond || before)) this.#ask({ at: time });
    this.#mark();
  }

  /** Puts the focus into the search field. */
  focus() {
    if (!this.element.hidden) this.search.focus();
  }

  #listen() {
    const byHand = () => this.#setFollow(false);
    for (const event of ["wheel", "touchmove"]) this.list.addEventListener(event, byHand, { passive: true });
    this.list.addEventListener("pointerdown", (event) => {
      if (event.target === this.list) byHand(); // its scroll bar
    });
    this.list.addEventListener("scroll", () => this.#grow());
    this.list.addEventListener("keydown", (event) => this.#walk(event));
  }

  #setFollow(follow) {
    this.following = follow;
    this.follow.setAttribute("aria-pressed", String(follow));
    this.#told = -1;
    this.#scrolling = -1;
    if (follow) this.progress(this.#time);
  }

  #later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#ask(), PAUSE);
  }

  #words(more = {}) {
    const words = new URLSearchParams(more);
    if (this.channel.value) words.set("channel", this.channel.value);
    return words;
  }

  /** Fetches a part: the one around `at` seconds, or from `offset` on. */
  async #ask({ at = null, offset = 0, where = "all" } = {}) {
    this.#request?.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const words = this.#words({ top: String(PART) });
    const asked = this.search.value.trim();
    if (asked) words.set("q", asked);
    if (at !== null && !asked) words.set("at", String(Math.max(0, at)));
    else words.set("offset", String(offset));
    this.#busy = true;
    try {
      const answer = await get(`/api/videos/${this.#video}/passages?${words}`, { signal });
      this.#take(answer, where);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.count.textContent = error.message;
    }
    this.#busy = false;
  }

  #take({ passages, offset, found, groups }, where) {
    this.element.hidden = !groups.length;
    this.#found = found;
    const before = this.#rows.length;
    const rows = passages.map((passage) => this.#row(passage));
    if (where === "after") {
      this.#passages.push(...passages);
      this.#rows.push(...rows);
      this.list.append(...rows);
    } else if (where === "before") {
      const earlier = passages.slice(0, this.#offset - offset);
      const added = rows.slice(0, earlier.length);
      const below = this.list.scrollHeight - this.list.scrollTop;
      this.#passages.unshift(...earlier);
      this.#rows.unshift(...added);
      this.list.prepend(...added);
      this.list.scrollTop = this.list.scrollHeight - below;
      this.#offset = offset;
    } else {
      this.#passages = [...passages];
      this.#rows = rows;
      this.#offset = offset;
      this.list.replaceChildren(...rows);
      this.list.scrollTop = 0;
      this.#scrolling = -1;
    }
    this.#setCurrent(where === "before" ? this.#current + (this.#rows.length - before) : this.#current);
    this.#showTools(groups);
    this.count.textContent = this.search.value.trim() ? `${found.toLocaleString("en")} found` : count(found, "passage");
    this.#told = -1;
    this.progress(this.#time);
  }

  #showTools(groups) {
    const known = [...this.channel.options].map(({ value }) => value).slice(1);
    if (JSON.stringify(known) === JSON.stringify(groups)) return;
    const { value } = this.channel;
    this.channel.replaceChildren(
      h("option", { value: "" }, "All channels"),
      ...groups.map((group) => h("option", { value: group, selected: group === value }, groupName(group))),
    );
    this.channel.hidden = groups.length < 2;
  }

  #row({ group, start, text, words }) {
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "passage", tabindex: "-1", onclick: () => this.onJump(start) },
        h("span", { class: "figures quiet" }, clock(start)),
        groupMark(group),
        markedText(text, words),
      ),
    );
  }

  #mark() {
    if (this.element.hidden) return;
    const now = new Set(ongoing(this.#passages, this.#time, this.#seconds));
    this.#rows.forEach((row, place) => {
      if (now.has(place)) row.setAttribute("aria-current", "time");
      else if (row.hasAttribute("aria-current")) row.removeAttribute("aria-current");
    });
    const last = [...now].at(-1);
    if (!this.following || last === undefined || this.search.value.trim()) return;
    const row = this.#rows[last];
    const middle = row.offsetTop - (this.list.clientHeight - row.offsetHeight) / 2;
    if (Math.abs(middle - this.#scrolling) > 2) {
      this.#scrolling = middle;
      this.list.scrollTop = middle;
    }
  }

  /** Fetches the next part where an end of what is there comes near. */
  #grow() {
    if (this.#busy) return;
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    const next = this.#offset + this.#passages.length;
    if (scrollTop + clientHeight > scrollHeight - NEAR && next < this.#found) {
      this.#ask({ offset: next, where: "after" });
    } else if (scrollTop < NEAR && this.#offset > 0) {
      this.#ask({ offset: Math.max(0, this.#offset - PART), where: "before" });
    }
  }

  #fromSearch(event) {
    if (event.key === "Escape" && this.search.value) {
      event.preventDefault(); // the panel stays
      this.search.value = "";
      this.#ask({ at: this.#time });
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.#focusRow(0);
    }
  }

  /** Arrows lead from passage to passage, of which Tab reaches one. */
  #walk(event) {
    const place = this.#rows.findIndex((row) => row.contains(event.target));
    const last = this.#rows.length - 1;
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: last }[event.key];
    if (place < 0 || to === undefined) return;
    event.preventDefault();
    this.#setFollow(false);
    this.#focusRow(Math.min(last, Math.max(0, to)));
  }

  #focusRow(place) {
    const row = this.#rows[place];
    if (!row) return;
    this.#setCurrent(place);
    row.firstChild.focus();
  }

  #setCurrent(place) {
    this.#current = place < this.#rows.length ? place : 0;
    this.#rows.forEach((row, other) => {
      row.firstChild.tabIndex = other === this.#current ? 0 : -1;
    });
  }

  #links() {
    return FORMATS.map(([format, name]) => {
      const address = `/api/videos/${this.#video}/passages/export?${this.#words({ format })}`;
      return h("a", { class: "menu-link", href: address, download: "" }, name);
    });
  }
}
