// A library without a model: words find, and nothing is offered that compares pictures.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open("/");
  await page.locator(".card").first().waitFor();
  assert.equal(await page.locator("#pick-media").isVisible(), false);
  assert.match(await page.locator("#query").getAttribute("placeholder"), /words/i);
  await page.locator("#query").fill(data.words);
  await page.keyboard.press("Enter");
  await page.locator(".card .why mark").first().waitFor();
  await page.locator(".card").first().hover();
  assert.equal(await page.locator(".card").first().getByRole("button", { name: /More like/ }).count(), 0);
  await page.locator(".card-open").first().click();
  await page.locator(".transcript .passage").first().waitFor();
  assert.equal(await page.locator("#panel").getByRole("button", { name: "More like this" }).count(), 0);
  assert.ok(new URL(page.url()).searchParams.get("open"));
  const [before] = [page.url()];
  await page.keyboard.press("m");
  assert.equal(page.url(), before, "m does nothing");
  await shot(page, "words-alone");

  // The address opens the same moment again.
  const again = await open(new URL(before).pathname + new URL(before).search);
  await again.locator(".transcript .passage").first().waitFor();
  await again.context().close();

  await page.keyboard.press("Escape");
  await page.locator("#query").fill("nobodysaysthisword");
  await page.keyboard.press("Enter");
  await eventually(() => page.locator("#state").textContent(), (text) => /said, written or named/.test(text), "what was not found");

  // Where one channel was looked in alone, the way out is to look everywhere.
  await page.getByRole("group", { name: "Where to look" }).getByRole("button", { name: "Named" }).click();
  await page.locator("#query").fill(data.words);
  await page.getByRole("button", { name: "Look everywhere" }).click();
  await page.locator(".card .why mark").first().waitFor();
}
