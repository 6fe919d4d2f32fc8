// The stage and what stands under it: the seek bar with the curve, and the buttons.

import { Curve } from "./curve.js";
import { h, icon, iconButton } from "./dom.js";
import { clock } from "./format.js";
import { Player } from "./player.js";
import { SignLane } from "./signs.js";

const JUMP = 5; // seconds of the buttons and of the arrows
const SLOW = 400; // milliseconds of loading before it is said

/** Player, curve and buttons of one open moment. */
export class Controls {
  #moment = null;

  /** `onTime` hears of the time that is shown, seconds. */
  constructor({ onTime }) {
    this.onTime = onTime;
    this.player = new Player({
      onTime: (time) => this.#tell(time),
      onState: () => this.#mark(),
      onMessage: (message) => this.#say(message),
    });
    this.note = h("p", { class: "stage-note", role: "status", hidden: true });
    // Why the picture is not the file's own stays readable while it plays.
    this.caption = h("p", { class: "stage-caption quiet", hidden: true });
    this.range = h("input", {
      class: "seek-range",
      type: "range",
      min: 0,
      step: "any",
      "aria-label": "Seek",
      oninput: () => this.player.seek(Number(this.range.value)),
      onkeydown: (event) => this.#steer(event),
    });
    const bar = h("div", { class: "curve" });
    const peaks = h("div", {});
    this.curve = new Curve(bar, peaks, (time) => this.jump(time));
    bar.append(this.range);
    this.signs = new SignLane((time) => this.jump(time));
    this.play = iconButton("play", "Play (space)", { class: "plain", onclick: () => this.player.toggle() });
    this.loop = h(
      "button",
      {
        type: "button",
        class: "plain label",
        "aria-pressed": "false",
        "aria-label": "Loop",
        title: "Loop the moment (r)",
        onclick: () => this.toggleLoop(),
      },
      icon("loop"),
      h("span", {}, "Loop"),
    );
    this.sound = iconButton("volume", "Sound", { class: "plain", onclick: () => this.player.toggleSound() });
    this.clock = h("span", { class: "clock figures" });
    this.elements = [
      h("div", { class: "stage" }, this.player.video, this.note),
      this.caption,
      h("div", { class: "seek" }, this.signs.element, bar, peaks),
      this.#buttons(),
    ];
  }

  #buttons() {
    const step = (by) => () => this.player.seek(this.player.time + by);
    return h(
      "div",
      { class: "controls" },
      iconButton("back", `Back ${JUMP} s`, { class: "plain", onclick: step(-JUMP) }),
      this.play,
      iconButton("forward", `On ${JUMP} s`, { class: "plain", onclick: step(JUMP) }),
      this.clock,
      h("span", { class: "spacer" }),
      this.loop,
      this.sound,
      iconButton("full", "Full screen", { class: "plain", onclick: () => this.player.toggleFull() }),
    );
  }

  open(moment, { time, play }) {
    this.#moment = moment;
    this.range.max = String(moment.duration);
    this.curve.setMoment(moment, moment.duration);
    this.signs.open(moment.video, moment.duration);
    this.player.open(moment, { time, play });
    this.#tell(time);
  }

  /** Forgets the curve of another video. */
  forget() {
    this.curve.show(null);
  }

  showCurve(curve, moment) {
    this.curve.show(curve);
    this.curve.setMoment(moment, curve?.duration ?? moment.duration);
  }

  /** Plays on from a time that was chosen. */
  jump(time) {
    this.player.seek(time);
    if (!this.player.playing) this.player.toggle();
  }

  toggleLoop() {
    this.player.loop = !this.player.loop;
    this.loop.setAttribute("aria-pressed", String(this.player.loop));
    const { start, end } = this.#moment;
    if (this.player.loop && (this.player.time < start || this.player.time >= end)) this.jump(start);
  }

  /** A range without steps would move by a hundredth of the video. */
  #steer(event) {
    const by = { ArrowLeft: -JUMP, ArrowDown: -JUMP, ArrowRight: JUMP, ArrowUp: JUMP }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    this.player.seek(this.player.time + by);
  }

  #tell(time) {
    const all = this.#moment?.duration ?? 0;
    this.range.value = String(time);
    this.range.setAttribute("aria-valuetext", `${clock(time)} of ${clock(all)}`);
    const text = `${clock(time, { tenths: true })} / ${clock(all)}`;
    if (this.clock.textContent !== text) this.clock.textContent = text;
    this.curve.progress(time);
    this.onTime(time);
  }

  #mark() {
    const { playing, video } = this.player;
    relabel(this.play, playing ? "pause" : "play", playing ? "Pause (space)" : "Play (space)");
    relabel(this.sound, video.muted ? "muted" : "volume", video.muted ? "Sound is off" : "Sound is on");
  }

  #say({ kind, text }) {
    clearTimeout(this.saying);
    this.caption.hidden = kind !== "shown" || !text;
    this.caption.textContent = kind === "shown" ? text : "";
    const show = () => {
      const said = text || (kind === "loading" ? "Loading…" : "");
      this.note.hidden = !said || kind === "shown";
      this.note.classList.toggle("error", kind === "error");
      const sign = kind === "error" ? icon("warning") : h("span", { class: "busy" });
      this.note.replaceChildren(sign, h("span", {}, said));
    };
    if (kind === "loading") this.saying = setTimeout(show, SLOW);
    else show();
  }
}

function relabel(button, drawing, label) {
  if (button.getAttribute("aria-label") === label) return;
  button.setAttribute("aria-label", label);
  button.title = label;
  button.replaceChildren(icon(drawing));
}
