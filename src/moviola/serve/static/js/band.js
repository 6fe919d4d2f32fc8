// How far to trust a hit: bars and a word, never a colour alone.

import { h } from "./dom.js";

const BARS = { strong: 3, likely: 2, weak: 1 };

/** `0.83`, or `97 %` where the score is a fitted probability. */
export function scoreText({ score, probability }) {
  if (probability !== null && probability !== undefined) return `${Math.round(100 * probability)} %`;
  return score.toFixed(2);
}

/** The band of a moment and its score; nothing for a moment that was not searched for. */
export function bandMark(moment) {
  if (!moment.band) return null;
  const bars = [1, 2, 3].map((bar) => h("i", { class: bar <= BARS[moment.band] ? "on" : null }));
  return h(
    "span",
    { class: `band ${moment.band}`, title: `${moment.band} match, score ${moment.score.toFixed(3)}` },
    h("span", { class: "band-bars", "aria-hidden": "true" }, ...bars),
    h("span", { class: "band-word" }, moment.band),
    h("span", { class: "band-score" }, scoreText(moment)),
  );
}
