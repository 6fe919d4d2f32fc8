// How indexing goes, in numbers: counts, rate, time left, and what failed.

import { h } from "./dom.js";
import { count, duration } from "./format.js";

/** `12 of 40 videos, 96 clips, 1 failed, 3.1 videos/s, 8 to 12 s left`. */
export function progressText({ state, done, total, clips, failed, rate, eta, message }) {
  if (state === "elsewhere" && !total) return "Another program is indexing this library.";
  const parts = [total ? `${done.toLocaleString("en")} of ${count(total, "video")}` : "Looking for files"];
  if (clips) parts.push(count(clips, "clip"));
  if (failed) parts.push(`${failed} failed`);
  if (rate) parts.push(`${rate >= 10 ? Math.round(rate) : rate.toPrecision(2)} videos/s`);
  if (eta) parts.push(`${etaText(eta)} left`);
  if (message) parts.push(message);
  return parts.join(" · ");
}

function etaText([least, most]) {
  const from = duration(least);
  const to = duration(most);
  return from === to ? `about ${to}` : `${from} to ${to}`;
}

/** A bar that fills; without a total it moves. */
export function progressBar({ done, total }) {
  return h("progress", { max: total || null, value: total ? done : null, "aria-label": "Indexing" });
}
