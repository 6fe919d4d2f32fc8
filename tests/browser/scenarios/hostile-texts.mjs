// Texts that would run, turn the page round or fill it: shown as they are, in every place.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/422/); // the channel of the last address
  for (const [width, height] of [[1280, 800], [360, 740]]) {
    const page = await open(`/?q=${data.words}&group=none`, { width, height });
    await page.locator(".card .why").first().waitFor();
    await unharmed(page, "the cards");
    const marked = await page.locator(".card .why mark").allTextContents();
    assert.ok(marked.length && marked.every((text) => text === data.words), `marked are ${marked}`);
    await page.locator(".card-open").first().click();
    await page.locator(".transcript .passage").first().waitFor();
    const texts = await page.locator(".transcript .passage bdi").allTextContents();
    for (const payload of data.payloads) {
      const shown = texts.filter((text) => text.includes(payload));
      assert.ok(shown.length >= 1, `the transcript shows ${payload.slice(0, 60)} as it is`);
    }
    await page.locator(".sign").first().waitFor();
    await unharmed(page, "the panel");
    await page.getByRole("searchbox", { name: "Search the transcript" }).fill("<");
    await eventually(() => page.locator(".transcript mark").count(), (count) => count > 3, "marked brackets");
    await unharmed(page, "the search");
    await shot(page, `hostile-texts-${width}`);
    await page.context().close();
  }
  const page = await open(`/?q=${data.words}&channel=${encodeURIComponent("notes")}`);
  await page.locator(".card .why").first().waitFor();
  await page.goto(`${page.url().split("?")[0]}?q=x&channel=${encodeURIComponent("<img src=x onerror=window.__xss=1>")}`);
  await page.locator("[data-group^='<img']").waitFor();
  await unharmed(page, "a channel of the address");

  async function unharmed(page, where) {
    assert.equal(await page.evaluate(() => globalThis.__xss), undefined, `something ran in ${where}`);
    assert.equal(await page.locator("main script, #panel script, main img[src='x'], #panel img[src='x'], #panel svg[onload]").count(), 0, where);
    const across = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(across <= 0, `${where} scrolls sideways by ${across} px`);
    const panel = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.getElementById("panel");
      return scrollWidth - clientWidth;
    });
    assert.ok(panel <= 0, `${where}: the panel is ${panel} px too wide`);
  }
}
