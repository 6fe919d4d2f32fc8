// How long it takes from Enter to the new hits on the page, their pictures left out.

export default async function ({ open, data, assert }) {
  const page = await open("/");
  await page.locator("#query").waitFor();
  const times = [];
  for (const text of data.texts) {
    const { milliseconds, cards } = await page.evaluate(enterToHits, text);
    assert.equal(cards, data.cards);
    times.push(milliseconds);
    await page.waitForTimeout(data.pause); // somebody looks at them, their pictures come
  }
  console.log(JSON.stringify({ searches: times }));
}

async function enterToHits(text) {
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
  // The frame that shows the hits, and the one after it: by then the hits are drawn.
  await new Promise(requestAnimationFrame);
  const drawn = await new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
  return { milliseconds: drawn - began, cards: document.querySelectorAll(".card").length };
}
