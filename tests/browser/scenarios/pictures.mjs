// How long searches take while the page still loads the pictures of sixty cards.

export default async function ({ open, data, assert, eventually }) {
  const page = await open("/?duplicates=show");
  await page.locator("#query").waitFor();
  let asked = 0;
  let ended = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/poster")) asked += 1;
  });
  page.on("requestfailed", (request) => {
    if (request.url().endsWith("/poster")) ended += 1;
  });
  const times = [];
  for (const text of data.texts) {
    const { milliseconds, cards } = await page.evaluate(search, text);
    assert.equal(cards, data.cards);
    times.push(milliseconds);
    await page.waitForTimeout(data.pause); // a few of the pictures come
  }
  // Those that are seen at last have their pictures, and no request of an earlier search lingers.
  await eventually(
    () => page.evaluate(() => [...document.querySelectorAll(".card img")].slice(0, 8).every((image) => image.naturalWidth > 0)),
    Boolean,
    "the pictures of the last search",
  );
  console.log(JSON.stringify({ searches: times, asked, ended }));
}

/** Milliseconds from Enter until the answer has come and its cards are on the page. */
async function search(text) {
  const box = document.querySelector("#query");
  const heading = document.querySelector("#heading");
  box.value = text;
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const began = performance.now();
  document.querySelector("#search").requestSubmit();
  await new Promise((resolve) => {
    const watcher = new MutationObserver(() => heading.textContent.endsWith(text) && resolve(watcher.disconnect()));
    watcher.observe(heading, { childList: true });
  });
  return { milliseconds: performance.now() - began, cards: document.querySelectorAll(".card").length };
}
