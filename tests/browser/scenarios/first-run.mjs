// No library yet: the page says how to begin, makes the demo library, and fills up meanwhile.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open("/");
  await page.getByRole("heading", { name: "Find the moment in your videos" }).waitFor();
  await page.getByText("moviola index ~/Videos").waitFor();
  await shot(page, "first-run");
  const dark = await open("/", { colorScheme: "dark", width: 360, height: 740 });
  await dark.getByRole("heading", { name: "Find the moment in your videos" }).waitFor();
  await shot(dark, "first-run-dark-phone");
  await dark.context().close();

  await page.getByRole("button", { name: "Try the demo library" }).click();
  await page.locator("#state progress").waitFor();
  await shot(page, "indexing-first");
  // Whatever is typed meanwhile, no request fails, and progress is told.
  const failed = [];
  page.on("response", (answer) => {
    if (answer.status() >= 400) failed.push(`${answer.status()} ${answer.url()}`);
  });
  await page.locator("#query").fill("a red circle");
  let told = "";
  await eventually(
    async () => {
      const text = await page.evaluate(() => document.body.textContent);
      told = text.match(/\d+ of \d+ videos/)?.[0] ?? told;
      return page.evaluate(async () => (await (await fetch("/api/status")).json()).indexing.state);
    },
    (state) => state === "done",
    "the demo library",
    240,
  );
  assert.ok(told, "counts are told");
  assert.deepEqual(failed, []);
  await eventually(() => page.locator('[data-notice="indexing"]').count(), (count) => count === 0, "no line about indexing");
  await page.locator("#query").fill("");
  await eventually(() => page.locator("#count").textContent(), (text) => text === `${data.videos} videos`, "all of them");
  await page.locator(".intro .chip").first().waitFor();
  assert.match(await page.locator('[data-notice="world"]').textContent(), /This is the demo/);
  await shot(page, "demo-library");
  await page.locator(".intro .chip").first().click();
  await eventually(() => page.locator(".card .band").count(), Boolean, "an example's hits");
}
