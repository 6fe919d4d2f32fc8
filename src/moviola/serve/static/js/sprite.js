// The moving picture of a card: eight frames of its clip, each shown at its own time.

const COLUMNS = 4;
const ROWS = 2;
const REST = 0.6; // seconds on the last frame before it starts again

/**
 * Loads a clip's frames.
 * @returns {Promise<{url: string, times: number[]}>} an image of 4 x 2 tiles and the seconds of each
 */
export async function loadSprite(clip, signal) {
  const answer = await fetch(`/media/clips/${clip}/sprite`, { signal });
  if (!answer.ok) throw new Error(`no frames of this clip: ${answer.status}`);
  const times = (answer.headers.get("X-Moviola-Times") ?? "").split(",").map(Number);
  return { url: URL.createObjectURL(await answer.blob()), times: times.filter(Number.isFinite) };
}

/** Plays a sprite over a thumbnail while the pointer or the focus rests on it. */
export class SpritePlayer {
  /**
   * @param {HTMLElement} sheet shows one tile
   * @param {HTMLElement} progress a bar whose width tells how far it is
   */
  constructor(sheet, progress) {
    this.sheet = sheet;
    this.progress = progress;
    this.sheet.hidden = true;
    this.progress.hidden = true;
  }

  /** Loads the frames of `clip` and plays them until `stop`. Where there are none nothing moves. */
  async start(clip) {
    if (this.loading) return;
    this.loading = new AbortController();
    try {
      this.sprite ??= await loadSprite(clip, this.loading.signal);
    } catch {
      return; // the still picture stays, which says what it can
    }
    if (!this.loading || !this.sprite.times.length) return;
    this.sheet.style.backgroundImage = `url("${this.sprite.url}")`;
    this.sheet.style.backgroundSize = `${COLUMNS * 100}% ${ROWS * 100}%`;
    this.sheet.hidden = false;
    this.progress.hidden = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.show(0);
    if (!this.still) this.#run();
  }

  stop() {
    this.loading?.abort();
    this.loading = null;
    cancelAnimationFrame(this.tick);
    this.sheet.hidden = true;
    this.progress.hidden = true;
  }

  /** Frees the frames. */
  drop() {
    this.stop();
    if (this.sprite) URL.revokeObjectURL(this.sprite.url);
    this.sprite = null;
  }

  /** Shows the frame at a share of the clip in [0, 1]: the pointer scrubs. */
  scrub(share) {
    if (!this.sprite || !this.loading) return;
    cancelAnimationFrame(this.tick);
    this.show(Math.min(this.sprite.times.length - 1, Math.floor(share * this.sprite.times.length)));
  }

  show(frame) {
    const { times } = this.sprite;
    const column = frame % COLUMNS;
    const row = Math.floor(frame / COLUMNS);
    this.sheet.style.backgroundPosition =
      `${(100 * column) / (COLUMNS - 1)}% ${(100 * row) / (ROWS - 1)}%`;
    this.sheet.dataset.time = String(times[frame]);
    this.progress.style.scale = `${times.length > 1 ? frame / (times.length - 1) : 1} 1`;
  }

  #run() {
    const { times } = this.sprite;
    const length = times[times.length - 1] - times[0] + REST;
    const began = performance.now();
    const step = (now) => {
      const time = times[0] + (((now - began) / 1000) % length);
      let frame = 0;
      while (frame + 1 < times.length && times[frame + 1] <= time) frame += 1;
      this.show(frame);
      this.tick = requestAnimationFrame(step);
    };
    this.tick = requestAnimationFrame(step);
  }
}
