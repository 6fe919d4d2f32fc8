// One moment in the grid.

import { bandMark, isHit, trustText } from "./band.js";
import { h, icon, iconButton } from "./dom.js";
import { clock, count, spanText } from "./format.js";
import { dropPicture, loadWhenNear } from "./loading.js";
import { whyLines } from "./marking.js";
import { SpritePlayer } from "./sprite.js";

const FRAME = 16 / 9; // the shape of thumbnails
const TALL = 1.25; // narrower videos are shown whole
const TAIL = 11; // letters at the end of a name that are always shown
const HOVER_DELAY = 120; // milliseconds, so that a pointer passing by loads nothing

/** What tells two cards apart. */
export function keyOf(moment) {
  return `${moment.id}:${moment.start}:${moment.end}`;
}

/** What a moment is called where it cannot be seen. */
export function momentLabel(moment) {
  const span = isHit(moment)
    ? `${spanText(moment.start, moment.end)}, ${trustText(moment)}`
    : `${clock(moment.duration)} long`;
  const gone = moment.missing ? ", file missing" : "";
  return `${moment.name}, ${span}${gone}`;
}

/** A card whose buttons call `actions.open`, `actions.like` and `actions.favour` with the moment. */
export class Card {
  constructor(moment, actions) {
    this.moment = moment;
    this.actions = actions;
    this.sheet = h("span", { class: "sheet" });
    this.progress = h("span", { class: "thumb-progress" });
    fit(this.sheet, moment);
    this.sprite = new SpritePlayer(this.sheet, this.progress);
    this.picture = this.#picture();
    this.badges = h("span", { "aria-hidden": "true" });
    this.label = h("span", { class: "unseen" });
    this.thumb = h("span", { class: "thumb" }, this.picture, this.sheet, this.progress, this.badges);
    this.button = h(
      "button",
      { type: "button", class: "card-open", tabindex: "-1", onclick: () => actions.open(this.moment) },
      this.thumb,
      this.label,
    );
    this.star = iconButton("star", "Keep as a favourite", {
      "aria-pressed": "false",
      tabindex: "-1",
      onclick: () => actions.favour(this.moment),
    });
    this.like = iconButton("like", "More like this", {
      class: "needs-vectors",
      tabindex: "-1",
      onclick: () => actions.like(this.moment),
    });
    this.line = h("div", { class: "card-line" });
    this.why = h("div", {});
    this.element = h(
      "li",
      { class: "card" },
      this.button,
      h("div", { class: "card-actions" }, this.like, this.star),
      this.line,
      this.why,
    );
    this.#listen();
    this.update(moment);
  }

  /** Shows a newer answer about the same moment. */
  update(moment) {
    this.moment = moment;
    this.element.classList.toggle("missing", moment.missing);
    if (!(this.picture instanceof HTMLImageElement)) this.#setPicture(this.#picture()); // once more
    this.label.textContent = `Play ${momentLabel(moment)}`;
    this.like.setAttribute("aria-label", `More like ${moment.name} at ${clock(moment.peak)}`);
    this.star.setAttribute("aria-label", `Favourite: ${moment.name} at ${clock(moment.peak)}`);
    const time = isHit(moment) ? spanText(moment.start, moment.end) : clock(moment.duration);
    const notes = [
      moment.missing ? "file missing" : null,
      moment.others ? `+${count(moment.others, "moment")}` : null,
      moment.duplicates?.length ? `${moment.duplicates.length + 1} alike` : null,
    ].filter(Boolean);
    this.badges.replaceChildren(
      h("span", { class: "thumb-time" }, time),
      notes.length ? h("span", { class: "thumb-badge" }, notes.join(" · ")) : "",
    );
    this.line.replaceChildren(
      h("span", { class: "card-name", title: `${moment.folder}/${moment.name}`, dir: "auto" }, ...parts(moment.name)),
      bandMark(moment) ?? "",
    );
    this.why.replaceChildren(...whyLines(moment));
  }

  /** Whether the card is the one in the panel, the one that Tab reaches, and a favourite. */
  mark({ open, current, favourite }) {
    this.element.classList.toggle("open", open);
    if (open) this.button.setAttribute("aria-current", "true");
    else this.button.removeAttribute("aria-current");
    for (const button of [this.button, this.like, this.star]) button.tabIndex = current ? 0 : -1;
    this.star.setAttribute("aria-pressed", String(favourite));
  }

  remove() {
    clearTimeout(this.hover);
    this.sprite.drop();
    if (this.picture instanceof HTMLImageElement) dropPicture(this.picture);
    this.element.remove();
  }

  #picture() {
    const image = h("img", {
      "data-src": `/media/clips/${this.moment.id}/poster`,
      alt: "", // the name of the button tells the time range
      decoding: "async",
      class: isTall(this.moment) ? "waiting tall" : "waiting",
      onload: () => this.picture.classList.remove("waiting"),
      onerror: () => this.#setPicture(noPicture()),
    });
    loadWhenNear(image);
    return image;
  }

  #setPicture(picture) {
    this.picture.replaceWith(picture);
    this.picture = picture;
  }

  #listen() {
    const start = () => {
      clearTimeout(this.hover);
      this.hover = setTimeout(() => this.sprite.start(this.moment.id), HOVER_DELAY);
    };
    const stop = () => {
      clearTimeout(this.hover);
      this.sprite.stop();
    };
    this.button.addEventListener("pointerenter", start);
    this.button.addEventListener("pointerleave", stop);
    this.button.addEventListener("focus", start);
    this.button.addEventListener("blur", stop);
    this.button.addEventListener("pointermove", (event) => {
      // Still hands see it play; a moving one leads.
      if (Math.abs(event.movementX) < 2) return;
      this.sprite.scrub(event.offsetX / this.button.clientWidth);
    });
  }
}

/** A name whose end stays in sight: cameras and downloads count at the end. */
function parts(name) {
  if (name.length <= TAIL || !/^[\x20-\x7e]*$/.test(name)) return [h("span", {}, name)];
  return [h("span", {}, name.slice(0, -TAIL)), h("span", { class: "tail" }, name.slice(-TAIL))];
}

/** Gives the sheet the shape of one frame: wide frames fill the thumbnail, tall ones stand in it. */
function fit(sheet, { width, height }) {
  const shape = width / height / FRAME;
  const [across, down] = isTall({ width, height }) ? [shape, 1] : [Math.max(1, shape), Math.max(1, 1 / shape)];
  sheet.style.width = `${100 * across}%`;
  sheet.style.height = `${100 * down}%`;
  sheet.style.left = `${50 - 50 * across}%`;
  sheet.style.top = `${50 - 50 * down}%`;
}

/** Whether filling the thumbnail would cut off what matters. */
function isTall({ width, height }) {
  return width / height < TALL;
}

function noPicture() {
  return h("span", { class: "thumb-none" }, icon("film"), "no picture");
}
