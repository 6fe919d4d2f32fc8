// How far to trust a hit: bars and a word, never a colour alone.

import { h } from "./dom.js";

const BARS = { strong: 3, likely: 2, unsure: 1 };

/** Whether a moment was searched for; one that was browsed to has no score. */
export function isHit({ score }) {
  return score !== null && score !== undefined;
}

/** `97 %` where the probability of being right was measured, else the score, `0.83`. */
export function scoreText({ score, probability }) {
  if (probability !== null && probability !== undefined) return `${Math.round(100 * probability)} %`;
  return score.toFixed(2);
}

/** `likely match, 72 %`, or the score alone where nothing is known. */
export function trustText(moment) {
  return moment.band ? `${moment.band} match, ${scoreText(moment)}` : `score ${scoreText(moment)}`;
}

/** The band of a moment and its probability, or its score; nothing for one not searched for. */
export function bandMark(moment) {
  if (!isHit(moment)) return null;
  const score = h("span", { class: "band-score" }, scoreText(moment));
  const title = `${trustText(moment)}${moment.band ? `, score ${moment.score.toFixed(2)}` : ""}`;
  if (!moment.band) return h("span", { class: "band", title }, score);
  const bars = [1, 2, 3].map((bar) => h("i", { class: bar <= BARS[moment.band] ? "on" : null }));
  return h(
    "span",
    { class: `band ${moment.band}`, title },
    h("span", { class: "band-bars", "aria-hidden": "true" }, ...bars),
    h("span", { class: "band-word" }, moment.band),
    score,
  );
}
