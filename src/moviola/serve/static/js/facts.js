// What is known of a video, as a list of terms.

import { h } from "./dom.js";
import { bytes, clock } from "./format.js";

/** The facts of `/api/videos/{id}` worth reading. */
export function factList(video) {
  const names = video.names ?? [];
  const facts = [
    ["File", video.name],
    ["Folder", video.folder],
    ["Title", video.title],
    ["Length", clock(video.duration)],
    ["Picture", `${video.width} × ${video.height}, ${video.codec}`],
    ["Sound", video.sound ? "yes" : "none"],
    ["Date", video.date],
    ["Size", video.size ? bytes(video.size) : null],
    ["Also as", names.slice(1).map(({ folder, name }) => `${folder}/${name}`).join(", ")],
    ["State", video.missing ? "The file is gone. It is kept until it is forgotten, and comes back with its file." : null],
    ["Note", video.message],
  ];
  return h(
    "dl",
    { class: "facts figures" },
    ...facts.filter(([, fact]) => fact).flatMap(([term, fact]) => [h("dt", {}, term), h("dd", { dir: "auto" }, fact)]),
  );
}
