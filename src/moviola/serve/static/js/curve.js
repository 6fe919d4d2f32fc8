// The similarity curve over the seek bar, with its peaks as buttons.

import { trustText } from "./band.js";
import { h } from "./dom.js";
import { clock } from "./format.js";

const FLOOR = 0.05; // so that the lowest stretch still reads as a bar that can be clicked
const CEILING = 0.92; // and the highest stays clear of the picture

/**
 * Heights in [0, 1] for one column a pixel: the best point of each column, interpolated where
 * columns are narrower than the distance of the points.
 * @param {{starts: number[], ends: number[], scores: number[], low: number, high: number}} curve
 *   windows in time order, seconds; `low` and `high` are drawn lowest and highest
 * @param {number} seconds duration of the video
 * @param {number} columns how many heights
 */
export function heights(curve, seconds, columns) {
  const result = new Float32Array(columns);
  const { scores, low, high } = curve;
  if (!scores.length || !(seconds > 0)) return result;
  const times = curve.starts.map((start, window) => (start + curve.ends[window]) / 2);
  const share = (score) => (high > low ? clamp((score - low) / (high - low)) : 0.5);
  let next = 0;
  for (let column = 0; column < columns; column += 1) {
    const from = (column / columns) * seconds;
    const to = ((column + 1) / columns) * seconds;
    while (next < times.length && times[next] < from) next += 1;
    let best = at(times, scores, next, (from + to) / 2);
    for (let point = next; point < times.length && times[point] < to; point += 1) {
      best = Math.max(best, scores[point]);
    }
    result[column] = share(best);
  }
  return result;
}

/** The score at a time, on the line between the points around it; flat beyond the ends. */
function at(times, scores, next, time) {
  if (next <= 0) return scores[0];
  if (next >= times.length) return scores.at(-1);
  const span = times[next] - times[next - 1];
  const share = span > 0 ? clamp((time - times[next - 1]) / span) : 0;
  return scores[next - 1] + share * (scores[next] - scores[next - 1]);
}

function clamp(share) {
  return Math.min(1, Math.max(0, share));
}

/** Draws a curve and keeps the played part, the moment and the peaks in step with the player. */
export class Curve {
  #curve = null;
  #moment = null;
  #seconds = 0;
  #time = 0;
  #heights = new Float32Array(0);

  /**
   * @param {HTMLElement} bar holds the drawing
   * @param {HTMLElement} below holds the peaks
   * @param {(seconds: number) => void} onJump called with the time of a peak that is chosen
   */
  constructor(bar, below, onJump) {
    this.onJump = onJump;
    this.canvas = h("canvas", { class: "curve-canvas", "aria-hidden": "true" });
    this.peaks = h("div", { class: "curve-peaks" });
    bar.append(this.canvas);
    below.append(this.peaks);
    new ResizeObserver(() => this.#measure()).observe(this.canvas);
    const redraw = () => this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** Shows the API's curve, or a plain bar for null. */
  show(curve) {
    this.#curve = curve;
    this.#seconds = curve?.duration ?? this.#seconds;
    this.peaks.replaceChildren(...(curve?.moments ?? []).map((moment) => this.#peak(moment)));
    this.#measure();
  }

  /** Sets what is open, `{start, end}` in seconds of a video of `seconds`. */
  setMoment(moment, seconds) {
    this.#moment = moment;
    this.#seconds = seconds;
    this.#measure();
  }

  /** Moves the played part to `time` seconds. */
  progress(time) {
    if (time === this.#time) return;
    this.#time = time;
    this.draw();
  }

  #peak(moment) {
    const { peak } = moment;
    const label = `Peak at ${clock(peak, { tenths: true })}, ${trustText(moment)}`;
    const button = h("button", {
      type: "button",
      class: "curve-peak",
      "aria-label": label,
      title: label,
      onclick: () => this.onJump(peak),
    });
    button.style.left = `${(100 * peak) / this.#seconds}%`;
    return button;
  }

  #measure() {
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * scale);
    this.canvas.height = Math.round(this.canvas.clientHeight * scale);
    this.#heights = this.#curve
      ? heights(this.#curve, this.#seconds, this.canvas.width)
      : new Float32Array(this.canvas.width);
    this.draw();
  }

  draw() {
    const { canvas } = this;
    if (!canvas.width || !(this.#seconds > 0)) return;
    const paper = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const accent = style.getPropertyValue("accent-color");
    const column = (time) => Math.round((time / this.#seconds) * canvas.width);
    paper.clearRect(0, 0, canvas.width, canvas.height);
    const now = column(this.#time);
    this.#area(paper, 0, canvas.width, style.color, 0.35);
    this.#area(paper, 0, now, style.color, 0.6);
    if (!this.#moment) return;
    const [first, last] = [column(this.#moment.start), column(this.#moment.end)];
    paper.clearRect(first, 0, last - first, canvas.height);
    this.#area(paper, first, last, accent, 0.55);
    this.#area(paper, first, Math.min(now, last), accent, 1);
  }

  #area(paper, from, to, colour, opacity) {
    const { width, height } = this.canvas;
    const last = Math.min(width, to);
    if (last <= from) return;
    paper.globalAlpha = opacity;
    paper.fillStyle = colour;
    paper.beginPath();
    paper.moveTo(from, height);
    for (let x = Math.max(0, from); x < last; x += 1) {
      paper.lineTo(x, height * (1 - FLOOR - (CEILING - FLOOR) * this.#heights[x]));
    }
    paper.lineTo(last, height);
    paper.fill();
    paper.globalAlpha = 1;
  }
}
