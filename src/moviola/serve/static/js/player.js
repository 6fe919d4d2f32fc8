// The player: a video that always speaks in times of the source, whatever plays it.

import { h } from "./dom.js";
import { covers, findSource } from "./source.js";

const LOUDNESS = "moviola-volume";

/** Plays moments. `onTime` hears of the time (seconds), `onMessage` of what a person should know. */
export class Player {
  #moment = null;
  #source = null;
  #search = null;
  #pending = null;
  #facts = { fps: 25 };

  constructor({ onTime, onState, onMessage }) {
    this.onTime = onTime;
    this.onState = onState;
    this.onMessage = onMessage;
    this.loop = false;
    this.video = h("video", {
      class: "video",
      playsinline: true,
      preload: "auto",
      disablepictureinpicture: true,
      tabindex: "-1",
    });
    this.#listen();
    this.#recallLoudness();
  }

  /** The time that is shown, seconds of the video; the wanted one while it loads. */
  get time() {
    if (this.#pending !== null) return this.#pending;
    return this.video.currentTime + (this.#source?.offset ?? 0);
  }

  get playing() {
    return !this.video.paused;
  }

  /** Shows a moment at `time`, playing where `play`. */
  open(moment, { time, play }) {
    this.close();
    this.#moment = moment;
    this.video.poster = `/media/clips/${moment.id}/poster`;
    this.#load(time, { play });
  }

  /** Tells what was learnt about the video: `fps`, frames a second. */
  learn(facts) {
    this.#facts = { ...this.#facts, ...facts };
  }

  close() {
    this.#search?.abort();
    this.#moment = null;
    this.#source = null;
    this.#pending = null;
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.removeAttribute("poster");
    this.video.load();
  }

  /** Goes to a time of the video, seconds. Loads another preview where this one does not hold it. */
  seek(time) {
    const moment = this.#moment;
    if (!moment) return;
    const wanted = Math.min(Math.max(0, time), Math.max(0, moment.duration - 0.02));
    if (this.#source && covers(this.#source, wanted)) {
      this.#pending = wanted;
      if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) this.#place();
    } else {
      this.#load(wanted, { play: this.playing });
    }
    this.onTime(wanted);
  }

  toggle() {
    if (!this.#source) return;
    if (this.video.paused) this.#play();
    else this.video.pause();
  }

  /** One frame forwards (1) or backwards (-1), paused. */
  step(direction) {
    this.video.pause();
    const frame = 1 / this.#facts.fps;
    // Into the middle of the frame, so that rounding cannot show its neighbour.
    this.seek((Math.floor(this.time / frame + 1e-3) + direction + 0.5) * frame);
  }

  toggleSound() {
    this.video.muted = !this.video.muted;
    this.#keepLoudness();
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.video.requestFullscreen?.().catch(() => {});
  }

  async #load(time, { play, direct = true }) {
    this.#search?.abort();
    this.#search = new AbortController();
    const { signal } = this.#search;
    const moment = this.#moment;
    this.#pending = time;
    this.onMessage({ kind: "loading", text: "" });
    let source;
    try {
      source = await findSource(moment, { time, direct, signal });
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error.message);
      return;
    }
    if (signal.aborted) return;
    if (!source.url) {
      this.#fail(source.message);
      return;
    }
    this.#source = source;
    this.wantsPlay = play;
    this.onMessage({ kind: source.mode === "preview" ? "preview" : "loading", text: source.message });
    const start = Math.max(0, time - source.offset);
    // The fragment lets the browser fetch the wanted part first.
    this.video.src = `${source.url}#t=${start.toFixed(3)}`;
    if (play) this.#play();
  }

  #listen() {
    const { video } = this;
    video.addEventListener("loadedmetadata", () => this.#place());
    video.addEventListener("seeked", () => {
      this.#pending = null;
      this.#tell();
    });
    video.addEventListener("loadeddata", () => {
      const { mode, message } = this.#source ?? {};
      this.onMessage({ kind: "shown", text: mode === "preview" ? message : "" });
    });
    video.addEventListener("timeupdate", () => this.#keepLoop());
    video.addEventListener("error", () => this.#refused());
    for (const event of ["play", "pause", "ended", "waiting", "playing", "volumechange"]) {
      video.addEventListener(event, () => this.onState());
    }
    video.addEventListener("play", () => this.#follow());
    video.addEventListener("click", () => this.toggle());
    document.addEventListener("fullscreenchange", () => {
      video.controls = document.fullscreenElement === video; // ours stay behind
    });
  }

  /** Tells the time with every picture of the screen while it plays. */
  #follow() {
    if (!this.playing) return;
    this.#tell();
    requestAnimationFrame(() => this.#follow());
  }

  #tell() {
    if (this.#source) this.onTime(this.time);
  }

  /** Puts the video where it is wanted, once it is known how long it is. */
  #place() {
    if (this.#pending === null || !this.#source) return;
    const wanted = Math.max(0, this.#pending - this.#source.offset);
    if (Math.abs(this.video.currentTime - wanted) > 0.001) this.video.currentTime = wanted;
    if (this.video.seeking) return; // `seeked` will tell
    this.#pending = null;
    this.#tell();
  }

  #keepLoop() {
    const moment = this.#moment;
    if (!this.loop || !moment || this.video.seeking) return;
    if (this.time >= moment.end || this.time < moment.start - 1) this.seek(moment.start);
  }

  /** The browser cannot play it, whatever it said before: the server makes what it can. */
  #refused() {
    if (!this.#source || !this.#moment || !this.video.getAttribute("src")) return;
    if (this.#source.mode === "direct") {
      this.#load(this.time, { play: this.wantsPlay, direct: false });
      return;
    }
    this.#explain(this.#source.url);
  }

  /** A preview failed: the server's answer says why, the video element does not. */
  async #explain(url) {
    const answer = await fetch(url, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    if (!answer) this.#fail("Moviola's server does not answer.");
    else if (answer.ok) this.#fail("Your browser could not play the preview of this part.");
    else {
      const { error } = await answer.json().catch(() => ({}));
      this.#fail(error?.message ?? `The server answered ${answer.status}.`);
    }
  }

  #fail(text) {
    this.#source = null;
    this.#pending = null;
    this.onMessage({ kind: "error", text });
    this.onState();
  }

  #play() {
    this.video.play().catch((error) => {
      // Sound needs a gesture; a silent picture is better than none.
      if (error.name !== "NotAllowedError" || this.video.muted) return;
      this.video.muted = true;
      this.video.play().catch(() => {});
    });
  }

  #keepLoudness() {
    try {
      const { volume, muted } = this.video;
      localStorage.setItem(LOUDNESS, JSON.stringify({ volume, muted }));
    } catch {
      // Remembered for this visit only.
    }
  }

  #recallLoudness() {
    try {
      const { volume = 1, muted = false } = JSON.parse(localStorage.getItem(LOUDNESS)) ?? {};
      this.video.volume = volume;
      this.video.muted = muted;
    } catch {
      // Full volume, as videos have it.
    }
  }
}
