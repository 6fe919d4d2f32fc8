// How long it takes from a click to the first frame at the moment.

export default async function ({ open, data, assert, eventually }) {
  const page = await open(data.address);
  await page.locator(".card").first().waitFor();
  const clicks = [];
  const cards = await page.locator(".card").count();
  for (let click = 0; click < data.clicks; click += 1) {
    const place = click % cards;
    await page.keyboard.press("Escape");
    await eventually(() => page.locator("#panel").isHidden(), Boolean, "a closed panel");
    const card = page.locator(".card-open").nth(place);
    await card.scrollIntoViewIfNeeded();
    await card.hover();
    clicks.push(await page.evaluate(clickToFrame, place));
  }
  assert.equal(clicks.length, data.clicks);
  console.log(JSON.stringify({ clicks: clicks.map(({ milliseconds }) => milliseconds), errors: clicks.map(({ off }) => off) }));
}

/** Milliseconds from the click to a frame at the start of the moment, and how far off it is. */
async function clickToFrame(place) {
  const { moments } = await fetch(`/api/search${location.search}`).then((reply) => reply.json());
  const { start } = moments[place];
  const video = document.querySelector("video");
  const began = performance.now();
  const frame = new Promise((resolve) => {
    const look = (now, { mediaTime }) => {
      const off = Math.abs(mediaTime - start);
      if (off <= 0.1) resolve({ milliseconds: now - began, off });
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  });
  document.querySelectorAll(".card-open")[place].click();
  return frame;
}
