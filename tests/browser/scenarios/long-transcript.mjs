// A transcript of more than a thousand passages: fetched in parts, from wherever one is.

export default async function ({ open, data, assert, eventually }) {
  const page = await open("/");
  await page.locator(".card-open").first().click();
  const rows = page.locator(".transcript .passage");
  await rows.first().waitFor();
  assert.equal(await page.locator(".transcript [role=status]").textContent(), `${data.passages.toLocaleString("en")} passages`);
  assert.ok((await rows.count()) <= 400, "only a part is there");
  const list = page.locator(".transcript-list");
  const texts = () => rows.locator("bdi").allTextContents();

  // Following a jump to the end brings what is said there, and scrolls to it.
  await page.getByRole("slider", { name: "Seek" }).evaluate((range) => {
    range.value = "50";
    range.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await eventually(texts, (found) => found.includes("cue number 1000"), "the cue at 50 s");
  const inSight = () =>
    list.evaluate((box) => {
      const row = [...box.children].find(({ textContent }) => textContent.includes("cue number 1000"));
      return row && row.offsetTop >= box.scrollTop - 40 && row.offsetTop <= box.scrollTop + box.clientHeight + 40;
    });
  await eventually(inSight, Boolean, "the cue in sight");

  // Scrolling on brings the rest, in order and each once; scrolling back what came before.
  await page.evaluate(() => document.querySelector("video").pause());
  await list.hover();
  await page.mouse.wheel(0, 100);
  for (const to of ["end", "start"]) {
    await eventually(
      async () => {
        await list.evaluate((box, end) => box.scrollTo(0, end ? box.scrollHeight : 0), to === "end");
        return texts();
      },
      (found) => found.includes(to === "end" ? `cue number ${data.passages - 2}` : "cue number 0"),
      `the ${to}`,
    );
  }
  const all = (await texts()).filter((text) => text.startsWith("cue")).map((text) => Number(text.split(" ").at(-1)));
  assert.deepEqual(all, [...all].sort((a, b) => a - b));
  assert.equal(new Set(all).size, all.length);
  assert.equal(all.length, data.passages - 1);

  // Following takes up again where the film is.
  await list.evaluate((box) => box.scrollTo(0, 0));
  await page.getByRole("button", { name: "Follow the film" }).click();
  await eventually(inSight, Boolean, "the cue in sight again");

  // A search looks through all of it.
  await page.getByRole("searchbox", { name: "Search the transcript" }).fill("number 117");
  await eventually(() => rows.count(), (count) => count === 12, "117, 1117 and 1170 to 1179");
}
