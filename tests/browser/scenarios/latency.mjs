// How long it takes from a click to the first frame at the moment, and from a key to hits.

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
  const keys = [];
  for (const word of data.words) {
    keys.push(await page.evaluate(keyToHits, word));
  }
  const result = { clicks: summary(clicks), keys: summary(keys), errors: summary(clicks.map(({ off }) => off)) };
  console.log(JSON.stringify(result));
  assert.equal(clicks.length, data.clicks);

  function summary(values) {
    const times = values.map((value) => value.milliseconds ?? value).toSorted((a, b) => a - b);
    const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
    return { n: times.length, p50: round(at(0.5)), p95: round(at(0.95)), max: round(times.at(-1)) };
  }

  function round(number) {
    return Math.round(number * 1000) / 1000;
  }
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

/** Milliseconds from a key to the new hits on the page, without the pause for typing. */
async function keyToHits(word) {
  const box = document.querySelector("#query");
  const count = document.querySelector("#count");
  const heading = document.querySelector("#heading");
  box.value = word;
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const began = performance.now();
  document.querySelector("#search").requestSubmit();
  await new Promise((resolve) => {
    const watch = () => (heading.textContent.endsWith(word) ? requestAnimationFrame(resolve) : requestAnimationFrame(watch));
    watch();
  });
  return { milliseconds: performance.now() - began, text: count.textContent };
}
