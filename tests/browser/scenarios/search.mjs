// Type, see hits while typing, see them again on Enter, come back with Back.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open();
  await page.locator(".card").first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await shot(page, "browse");

  const asked = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/search")) asked.push(request.url());
  });
  await page.locator("#query").pressSequentially(data.question.query, { delay: 20 });
  const first = page.locator(".card .card-name").first();
  await eventually(() => first.textContent(), (name) => name === data.question.name, "the best hit");
  assert.ok(asked.length >= 1, "typing alone searches");
  assert.ok(
    asked.length < data.question.query.length / 3,
    `a request a key: ${asked.length} for ${data.question.query.length} characters`,
  );
  assert.equal(await page.locator(".card").first().locator(".band-word").textContent(), "strong");
  await page.locator(".divider").waitFor();
  await shot(page, "results");

  // Cards of the next answer are the ones of the last where the moment is the same.
  await page.evaluate(() => {
    document.querySelector(".card").dataset.kept = "yes";
  });
  await page.locator("#query").press("End");
  await page.locator("#query").pressSequentially(" ");
  await page.waitForTimeout(600);
  assert.equal(await page.locator(".card").first().getAttribute("data-kept"), "yes");

  await page.locator("#query").fill("a dog on a skateboard");
  await page.locator("#query").press("Enter");
  await page.getByRole("heading", { name: "Nothing matches well" }).waitFor();
  assert.equal(await page.locator(".divider").count(), 0);
  await shot(page, "weak");

  await page.goBack();
  assert.equal(await page.locator("#query").inputValue(), "");
  await page.goForward();
  assert.equal(await page.locator("#query").inputValue(), "a dog on a skateboard");
}
