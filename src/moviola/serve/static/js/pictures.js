// An image or a short clip as the query: dropped, pasted or picked; and "more like this".

import { get, getSession, send } from "./api.js";
import { byId, h, hasVectors, icon, iconButton } from "./dom.js";
import { bytes, clock } from "./format.js";
import { toast } from "./toasts.js";

const TYPES = new Set([
  "image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp",
  "video/mp4", "video/webm", "video/quicktime", "video/x-matroska", "video/avi",
]);

/** Takes files in, and shows in the search box what is searched with. */
export class Pictures {
  constructor(store) {
    this.store = store;
    this.chip = byId("query-image");
    this.weightBox = byId("weight-box");
    this.weight = byId("weight");
    this.#buttons();
    this.#drops();
    store.subscribe((state, previous) => {
      if (["picture", "clip", "weight", "q"].some((name) => state[name] !== previous[name])) this.show();
    });
    this.show();
  }

  show() {
    const { picture, clip, q, weight } = this.store.state;
    this.chip.hidden = !picture && !clip;
    this.weightBox.hidden = !picture || !q.trim();
    this.weight.value = String(Math.round(100 * Number(weight || 0.5)));
    const shown = picture || clip;
    if (shown === this.shown) return;
    this.shown = shown;
    if (picture) this.#showChip(`/media/pictures/${picture}`, "Image or clip that is searched with");
    else if (clip) this.#showClip(clip);
  }

  /** Uploads a file and searches with it. */
  async take(file) {
    try {
      const { max_upload: most } = await getSession();
      if (file.size > most) {
        toast(`${file.name} has ${bytes(file.size)}; at most ${bytes(most)} are taken.`);
        return;
      }
      byId("query-busy").hidden = false;
      const type = TYPES.has(file.type) ? file.type : "application/octet-stream";
      const { picture } = await send("POST", "/api/pictures", file, { type });
      this.store.set({ picture, clip: "", open: "", t: "", view: "" });
    } catch (error) {
      toast(error.message);
    } finally {
      byId("query-busy").hidden = true;
    }
  }

  #showChip(url, alt, text = "") {
    this.chip.replaceChildren(
      h("img", { src: url, alt, onerror: (event) => event.target.replaceWith(icon("image")) }),
      text ? h("span", { dir: "auto" }, text) : "",
      iconButton("close", "Search without it", {
        class: "plain small",
        onclick: () => {
          this.store.set({ picture: "", clip: "", weight: "" });
          byId("query").focus();
        },
      }),
    );
  }

  async #showClip(clip) {
    const poster = `/media/clips/${clip}/poster`;
    this.#showChip(poster, "Moment that is searched with", "like this");
    const moment = await get(`/api/clips/${clip}`).catch(() => null);
    if (!moment || this.shown !== clip) return;
    this.#showChip(poster, `Moment of ${moment.name} at ${clock(moment.start)}`, `like ${moment.name} ${clock(moment.start)}`);
  }

  #buttons() {
    const input = byId("media-file");
    const pick = byId("pick-media");
    pick.append(icon("image"));
    pick.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files[0]) this.take(input.files[0]);
      input.value = "";
    });
    this.weight.addEventListener("input", () => {
      const value = Number(this.weight.value) / 100;
      this.store.set({ weight: value === 0.5 ? "" : String(value) }, { typing: true });
    });
  }

  #drops() {
    const sign = byId("drop");
    let depth = 0;
    const hasFile = (event) => hasVectors() && event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => {
      if (!hasFile(event)) return;
      depth += 1;
      sign.hidden = false;
    });
    addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      sign.hidden = depth === 0;
    });
    addEventListener("dragover", (event) => {
      if (hasFile(event)) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      depth = 0;
      sign.hidden = true;
      if (event.dataTransfer.files[0]) this.take(event.dataTransfer.files[0]);
    });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => /^(image|video)\//.test(type));
      if (!file || !hasVectors()) return;
      event.preventDefault();
      this.take(file);
    });
  }
}
