// Filters as chips, "without" terms, "A, then B", grouping, order, strictness.

export default async function ({ open, shot, assert, eventually }) {
  const page = await open("/?q=red");
  const cards = page.locator(".card");
  await cards.first().waitFor();
  const all = await cards.count();

  await choose("Length", "Under 1 min");
  assert.match(page.url(), /longest=60/);
  await choose("Length", "Over 20 min");
  await page.getByRole("heading", { name: "Nothing found" }).waitFor();
  await shot(page, "nothing-found");
  await clear();
  await eventually(() => cards.count(), (count) => count === all, "every card again");

  await choose("Sound", "With sound");
  const loud = await settled();
  await choose("Sound", "Silent");
  const silent = await settled();
  assert.equal(loud + silent, all, "every video has sound or has none");
  await clear();

  await page.locator("#chips").getByRole("button", { name: "Folder" }).click();
  await page.locator(".menu").waitFor();
  await shot(page, "filter-folder");
  await page.locator(".menu button").nth(1).click();
  assert.match(page.url(), /folder=f-/);
  await clear();

  await page.locator("#chips").getByRole("button", { name: "Date" }).click();
  await page.getByLabel("From").fill("2001-01-01");
  await page.keyboard.press("Escape");
  assert.match(page.url(), /since=2001-01-01/);
  await page.getByRole("button", { name: "since 2001-01-01" }).waitFor();
  await clear();

  await choose("Resolution", "720p and more");
  await page.getByRole("heading", { name: "Nothing found" }).waitFor();
  await clear();

  await choose("Moments", "All moments");
  await eventually(() => cards.count(), (count) => count > all, "more than one moment of a video");
  await choose("Moments", "Best of each video");
  await choose("Order", "By name");
  await eventually(
    () => page.locator(".card .card-name").allTextContents(),
    (names) => names.length > 1 && names.join() === names.toSorted().join(),
    "cards by name",
  );
  assert.equal(await page.locator(".divider").count(), 0, "a divider makes no sense by name");
  await choose("Order", "Best first");
  await choose("Matches", "Strong only");
  await eventually(
    () => page.locator(".card .band.unsure").count(),
    (unsure) => unsure === 0,
    "no unsure match",
  );
  await choose("Matches", "All matches");

  // Without: the score of the first hit for the term that is left out must not stay.
  await page.locator("#query").fill('a red circle -"blue square"');
  await page.getByRole("button", { name: "Without blue square" }).waitFor();
  await shot(page, "without");
  await page.getByRole("button", { name: "Without blue square" }).click();
  await eventually(() => page.locator("#query").inputValue(), (text) => text === "a red circle", "the rest");

  // A, then B.
  await page.getByRole("button", { name: "then…" }).click();
  await page.keyboard.type("a blue square");
  await eventually(() => page.url(), (url) => url.includes("then=a+blue+square"), "the step");
  await page.getByLabel("within").selectOption("10");
  assert.match(page.url(), /within=10/);
  await eventually(() => cards.count(), (count) => count > 0, "sequences");
  await shot(page, "then");
  await page.getByRole("button", { name: "Take this step away" }).click();
  assert.equal(await page.locator("#steps").isHidden(), true);

  async function choose(chip, option) {
    await page.locator("#chips").getByRole("button", { name: new RegExp(`^${chip}\\b`) }).click();
    await page.locator(".menu").getByRole("button", { name: option, exact: true }).click();
    await eventually(() => page.locator(".menu").count(), (count) => count === 0, "a closed menu");
  }

  async function clear() {
    await page.locator("#chips").getByRole("button", { name: "Clear filters" }).click();
  }

  async function settled() {
    await page.waitForTimeout(150);
    await eventually(() => page.locator("#grid.stale").count(), (stale) => stale === 0, "an answer");
    return cards.count();
  }
}
