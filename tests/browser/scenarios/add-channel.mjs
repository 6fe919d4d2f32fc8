// A channel is added to a library: what it costs is said first, progress is shown, chips appear.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open("/");
  await page.locator(".card").first().waitFor();
  assert.equal(await page.locator("[data-group=said]").count(), 0);
  await page.locator("#library").click();
  const read = page.getByRole("button", { name: "Read subtitles" });
  await read.click();
  const cost = page.locator(".channel-cost");
  await eventually(() => cost.allTextContents(), (texts) => texts.some((text) => /about .* on one core and .*B\./.test(text)), "the estimate");
  await shot(page, "channel-estimate");
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/api/index"));
  await page.getByRole("button", { name: "Start reading" }).click();
  assert.deepEqual((await asked).postDataJSON(), { action: "channels", channels: ["subtitles"] });
  await eventually(() => page.locator("[data-group=said]").count(), (count) => count === 1, "a chip for what is said", 90);
  await eventually(() => page.locator(".channel-list").textContent(), (text) => !/Turned off/.test(text), "the channel's count");
  await page.keyboard.press("Escape");
  await page.locator("#query").fill(data.words);
  await page.keyboard.press("Enter");
  await page.locator(".card .why mark").first().waitFor();
}
