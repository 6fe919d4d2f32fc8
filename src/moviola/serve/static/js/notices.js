// Lines under the header about the server and the library, as long as they hold.

import { byId, h, icon } from "./dom.js";
import { progressBar, progressText } from "./indexing.js";

/** Shows the notice `key`, or takes it away for null. The same text is not said twice. */
export function notice(key, content) {
  const place = byId("notices");
  const old = place.querySelector(`[data-notice="${key}"]`);
  if (!content) {
    old?.remove();
    return;
  }
  const { bad = false, text, button = null } = content;
  if (old?.dataset.text === text) return;
  const line = h(
    "div",
    { class: bad ? "notice bad" : "notice", "data-notice": key },
    icon(bad ? "warning" : "film"),
    h("p", {}, text),
    button,
  );
  line.dataset.text = text;
  if (old) old.replaceWith(line);
  else place.append(line);
}

/** The line about indexing while hits are on the page; numbers change without being read aloud. */
export function indexingNotice(indexing, button) {
  const place = byId("notices");
  let line = place.querySelector('[data-notice="indexing"]');
  if (!indexing) {
    line?.remove();
    return;
  }
  if (!line) {
    line = h("div", { class: "notice figures", "data-notice": "indexing", "aria-live": "off" }, h("p", {}), button);
    place.append(line);
  }
  line.firstChild.replaceChildren(progressBar(indexing), progressText(indexing));
}
