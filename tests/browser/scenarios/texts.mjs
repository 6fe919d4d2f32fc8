// What is said, written and named: chips, marked words, the transcript, signs on the curve.

export default async function ({ open, base, data, assert, eventually }) {
  const page = await open("/");
  const places = page.getByRole("group", { name: "Where to look" });
  await places.getByRole("button").first().waitFor();
  assert.deepEqual(await places.getByRole("button").allTextContents(), ["Seen", "Said", "Written", "Named"]);

  // A word of a subtitle: its card says where and when, and marks it.
  await page.locator("#query").fill(data.said.words);
  await page.keyboard.press("Enter");
  const card = page.locator(".card").first();
  const why = card.locator(".why").first();
  await why.waitFor();
  assert.match(await why.textContent(), new RegExp(`^Said: ${data.said.clock}`));
  const marked = await why.locator("mark").allTextContents();
  for (const word of data.said.words.split(" ")) {
    assert.ok(marked.some((text) => text.toLowerCase() === word.toLowerCase()), `${word} among ${marked}`);
  }

  // The chips narrow it, and stand in the address; Back takes them away.
  await places.getByRole("button", { name: "Written" }).click();
  await eventually(() => new URL(page.url()).searchParams.getAll("channel"), (found) => found.join() === "written", "the address");
  await eventually(() => page.locator(".card .why").count(), (count) => count === 0, "nothing that is said");
  await places.getByRole("button", { name: "Said" }).click();
  assert.deepEqual(new URL(page.url()).searchParams.getAll("channel"), ["written", "said"]);
  await why.waitFor();
  await page.goBack();
  await page.goBack();
  await eventually(() => places.locator("[aria-pressed=true]").count(), (count) => count === 0, "no chip pressed");
  const linked = await open(`/?q=${encodeURIComponent(data.sign.words)}&channel=written`);
  await linked.locator(".card .why mark").first().waitFor();
  assert.equal(await linked.locator("[data-group=written]").getAttribute("aria-pressed"), "true");
  await linked.context().close();

  // The transcript: all channels, current row, a click jumps, keys walk, a search marks.
  await why.waitFor();
  await page.locator(".card-open").first().click();
  const rows = page.locator(".transcript .passage");
  await rows.first().waitFor();
  const channels = await page.locator(".transcript select option").allTextContents();
  assert.deepEqual(channels, ["All channels", ...data.groups]);
  assert.equal(await rows.count(), data.passages);
  const time = () => page.evaluate(() => document.querySelector("video").currentTime);
  const target = rows.filter({ hasText: data.jump.text }).first();
  await target.click();
  await eventually(time, (now) => now >= data.jump.start - 0.1 && now < data.jump.start + 2, `a jump to ${data.jump.start}`);
  await eventually(
    () => page.locator(".transcript [aria-current=time]").allTextContents(),
    (texts) => texts.some((text) => text.includes(data.jump.text)),
    "the row that goes on",
  );
  await page.evaluate(() => document.querySelector("video").pause());
  const search = page.getByRole("searchbox", { name: "Search the transcript" });
  await search.fill(data.jump.part);
  await eventually(() => rows.count(), (count) => count > 0 && count < data.passages, "fewer rows");
  assert.equal((await page.locator(".transcript mark").first().textContent()).toLowerCase(), data.jump.part.toLowerCase());
  await page.keyboard.press("ArrowDown");
  assert.ok(await rows.first().evaluate((row) => row === document.activeElement), "the first row has the focus");
  await search.focus();
  await page.keyboard.press("Escape");
  await eventually(() => rows.count(), (count) => count === data.passages, "all rows");
  assert.equal(await page.locator("#panel").isVisible(), true, "Escape in a filled search leaves the panel");
  await rows.first().focus();
  await page.keyboard.press("End");
  assert.ok(await rows.last().evaluate((row) => row === document.activeElement), "End leads to the last row");
  assert.equal(await page.locator(".transcript .passage[tabindex='0']").count(), 1, "Tab reaches one row");
  assert.equal(await page.getByRole("button", { name: "Follow the film" }).getAttribute("aria-pressed"), "false");

  // Signs over the curve lead to where they stand.
  const sign = page.locator(".sign").first();
  await sign.waitFor();
  await sign.click();
  const first = data.signs[0];
  await eventually(time, (now) => now >= first - 0.1 && now < first + 2, `the sign at ${first}`);

  // Exports are what the server writes.
  await page.getByRole("button", { name: "Save the transcript" }).click();
  const links = await page.locator(".menu .menu-link").evaluateAll((all) => all.map(({ href }) => href));
  assert.equal(links.length, 3);
  const heads = { srt: /^1\n\d\d:\d\d:\d\d,\d{3} --> /, vtt: /^WEBVTT\n/, csv: /^video,channel,start/ };
  for (const link of links) {
    assert.ok(link.startsWith(base));
    const kind = new URL(link).searchParams.get("format");
    const answer = await page.evaluate(async (address) => {
      const sent = await fetch(address);
      return [sent.headers.get("content-disposition"), await sent.text()];
    }, link);
    assert.match(answer[0], /^attachment/);
    assert.match(answer[1], heads[kind]);
  }
}
