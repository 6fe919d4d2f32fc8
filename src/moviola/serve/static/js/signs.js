// The lane over the curve: what is written in the picture, where it stands there.

import { get } from "./api.js";
import { h } from "./dom.js";
import { clock } from "./format.js";

const MOST = 200; // signs that are fetched, from the whole video
const WIDTH = 104; // pixels of a label, at most
const LETTER = 7; // about the width of a letter
const LEAST = 30;

/**
 * Chooses which signs get a label: from left to right, as far as there is room.
 * @param {{start: number, text: string}[]} signs by start
 * @returns {boolean[]} whether each has one
 */
export function labelled(signs, seconds, width) {
  let free = 0;
  return signs.map(({ start, text }) => {
    const left = (start / seconds) * width;
    const wide = Math.min(WIDTH, Math.max(LEAST, 14 + LETTER * [...text].length));
    if (left < free || left + wide > width) return false;
    free = left + wide + 4;
    return true;
  });
}

/** Signs as buttons that jump to them; those without room are ticks. */
export class SignLane {
  #signs = [];
  #seconds = 0;
  #video = "";
  #request = null;

  /** @param {(seconds: number) => void} onJump */
  constructor(onJump) {
    this.onJump = onJump;
    this.element = h("div", { class: "signs", role: "group", "aria-label": "Written in the picture", hidden: true });
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /** Shows the signs of a video of `seconds`, fetched where they are another video's or `fresh`. */
  async open(video, seconds, { fresh = false } = {}) {
    this.#seconds = seconds;
    if (video === this.#video && !fresh) return;
    this.#request?.abort();
    this.#request = new AbortController();
    if (video !== this.#video) this.#show([]);
    this.#video = video;
    const words = new URLSearchParams({ channel: "written", spread: "true", top: String(MOST) });
    try {
      const { passages } = await get(`/api/videos/${video}/passages?${words}`, { signal: this.#request.signal });
      this.#show(passages);
    } catch {
      // The transcript says why there is none.
    }
  }

  #show(signs) {
    this.#signs = signs;
    this.element.hidden = !signs.length;
    this.#draw();
  }

  #draw() {
    const width = this.element.clientWidth;
    if (!width || !(this.#seconds > 0)) return;
    const has = labelled(this.#signs, this.#seconds, width);
    this.element.replaceChildren(...this.#signs.map((sign, place) => this.#sign(sign, has[place])));
  }

  #sign({ start, text }, hasLabel) {
    const title = `${clock(start)} ${text.slice(0, 200)}`;
    const jump = () => this.onJump(start);
    const element = hasLabel
      ? h("button", { type: "button", class: "sign", title, onclick: jump }, h("bdi", { dir: "auto" }, text.slice(0, 60)))
      : h("span", { class: "sign-tick", title });
    element.style.left = `${(100 * start) / this.#seconds}%`;
    return element;
  }
}
