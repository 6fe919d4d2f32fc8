// Asks the server how it is: often while it indexes, seldom otherwise, and until it is back.

import { get } from "./api.js";

const LIVELY = 1000;
const CALM = 5000;

/** Polls `/api/status` and tells `onStatus(status)`, or `onGone()` when there is no answer. */
export class StatusWatch {
  constructor({ onStatus, onGone }) {
    this.onStatus = onStatus;
    this.onGone = onGone;
    this.last = null;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.ask();
    });
  }

  /** Asks now, and goes on asking. */
  async ask() {
    clearTimeout(this.timer);
    let pause = LIVELY;
    try {
      this.last = await get("/api/status");
      this.onStatus(this.last);
      pause = isIndexing(this.last) || this.last.state === "loading" ? LIVELY : CALM;
    } catch (error) {
      if (error.code === "gone") this.onGone();
      else if (error.status === 0) throw error; // a mistake of ours is not the server's
    }
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.ask(), pause);
  }
}

export function isIndexing(status) {
  return ["running", "elsewhere"].includes(status?.indexing.state);
}
