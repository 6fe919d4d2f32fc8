// Click a hit: it plays at the moment, beside the results; the curve leads to other times.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open(`/?q=${encodeURIComponent(data.question.query)}`);
  const card = page.locator(".card-open").first();
  await card.waitFor();
  const cards = await page.locator(".card").count();
  await page.evaluate(watchFrames);
  await card.click();
  await page.waitForFunction(() => new URL(location.href).searchParams.has("open"));
  const start = await momentStart(page);
  const frame = await firstFrame(page, start, 0.1, eventually);
  assert.ok(
    Math.abs(frame.mediaTime - start) <= 0.1,
    `the first frame is of ${frame.mediaTime}, the moment begins at ${start}`,
  );
  assert.ok(Math.abs(frame.currentTime - start) <= 0.1, `it plays at ${frame.currentTime}`);
  assert.equal(await page.locator(".card").count(), cards, "the results stay");
  await eventually(() => page.evaluate(isPlaying), Boolean, "playing");
  await page.locator(".curve-peak").first().waitFor();
  await shot(page, "panel");

  // Space pauses, the curve jumps.
  await page.keyboard.press(" ");
  await eventually(() => page.evaluate(isPlaying), (playing) => !playing, "paused");
  const box = await page.locator(".seek-range").boundingBox();
  const seconds = await page.evaluate(() => document.querySelector("video").duration);
  await page.mouse.click(box.x + 0.25 * box.width, box.y + box.height / 2);
  await eventually(
    () => page.evaluate(() => document.querySelector("video").currentTime),
    (time) => Math.abs(time - 0.25 * seconds) < 0.1 + (2 * seconds) / box.width,
    `a quarter of ${seconds} s`,
  );
  const peak = page.locator(".curve-peak").first();
  const at = Number((await peak.getAttribute("aria-label")).match(/0:(\d+\.\d)/)[1]);
  await page.evaluate(settled);
  await page.evaluate(watchFrames);
  await peak.click();
  const jumped = await firstFrame(page, at, 0.15, eventually);
  assert.ok(Math.abs(jumped.mediaTime - at) <= 0.15, `the peak is at ${at}, shown is ${jumped.mediaTime}`);

  // Looping keeps to the moment.
  await page.getByRole("button", { name: "Loop" }).click();
  const { end } = data.question;
  await page.evaluate((time) => {
    document.querySelector("video").currentTime = time;
  }, end + 0.2);
  await eventually(
    () => page.evaluate(() => document.querySelector("video").currentTime),
    (time) => time < end,
    "the start of the loop",
  );

  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#panel").isHidden(), true);
  assert.equal(new URL(page.url()).searchParams.get("open"), null);
}

const isPlaying = () => !document.querySelector("video").paused;

/** Waits until the frame of the last jump is there, which would be taken for that of the next. */
function settled() {
  const video = document.querySelector("video");
  return new Promise((resolve) => {
    video.requestVideoFrameCallback(() => !video.seeking && resolve());
    setTimeout(resolve, 500); // it had come before
  });
}

/** Notes every frame that is shown from now on, and whether the player was still seeking then. */
function watchFrames() {
  const video = document.querySelector("video");
  const frames = [];
  const note = (_now, { mediaTime }) => {
    frames.push({ mediaTime, currentTime: video.currentTime, seeking: video.seeking });
    if (globalThis.__frames === frames) video.requestVideoFrameCallback(note);
  };
  globalThis.__frames = frames;
  video.requestVideoFrameCallback(note);
}

/** The first frame that counts: while the player seeks, the picture of before may be shown once more. */
function firstFrame(page, time, within, eventually) {
  const first = (frames) =>
    frames.find(({ mediaTime, seeking }) => !seeking || Math.abs(mediaTime - time) <= within);
  return eventually(async () => first(await page.evaluate(() => globalThis.__frames)), Boolean, "a frame");
}

async function momentStart(page) {
  const id = new URL(page.url()).searchParams.get("open");
  return page.evaluate(async (clip) => {
    const answer = await fetch(`/api/search${location.search}`);
    return (await answer.json()).moments.find((moment) => moment.id === clip).start;
  }, id);
}
