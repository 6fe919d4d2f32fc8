// Where the bytes of a moment come from: the file itself, or a preview that browsers can play.

import { get } from "./api.js";

const BEFORE = 10; // seconds of a preview before the moment
const AFTER = 20; // and after it, so that one can look around
const LONGEST = 60; // the most that one preview covers

/**
 * What to play from `time` on.
 * @param {object} moment as the API gives it
 * @param {{time: number, direct?: boolean, signal?: AbortSignal}} wish `direct: false` asks for a
 *   preview, because this browser failed to play the file
 * @returns {Promise<{mode: string, url: string|null, offset: number, until: number, message: string}>}
 *   `offset` is the time of the video at which the bytes begin
 */
export async function findSource(moment, { time, direct = true, signal }) {
  if (direct && moment.playable === true) {
    return whole(moment);
  }
  const start = Math.max(0, time - BEFORE);
  const wanted = Math.max(moment.end, time) + AFTER;
  const end = Math.min(wanted, start + LONGEST, Math.max(moment.duration, start + 1));
  const words = new URLSearchParams({ start: start.toFixed(3), end: end.toFixed(3) });
  if (!direct) words.set("direct", "false");
  const source = await get(`/api/videos/${moment.video}/playback?${words}`, { signal });
  return source.mode === "direct" ? { ...whole(moment), ...source } : source;
}

/** Whether a source holds a time of the video. */
export function covers(source, time) {
  return source.url !== null && time >= source.offset - 0.05 && time < source.until - 0.05;
}

function whole(moment) {
  return {
    mode: "direct",
    url: `/media/${moment.video}`,
    offset: 0,
    until: moment.duration,
    message: "",
  };
}
