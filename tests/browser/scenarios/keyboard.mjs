// Everything without a pointer.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open();
  await page.locator(".card").first().waitFor();
  await page.keyboard.type(data.question.query);
  await page.keyboard.press("Enter");
  await eventually(
    () => page.locator(".card .card-name").first().textContent(),
    (name) => name === data.question.name,
    "the best hit",
  );
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#query").inputValue(), data.question.query, "Escape keeps the words");
  await page.keyboard.press("/");
  assert.equal(await active(page, "id"), "query");
  await page.keyboard.press("ArrowDown");
  await eventually(() => page.evaluate(() => document.activeElement.className), (name) => name === "card-open", "the first card");
  const place = () => page.evaluate(() => [...document.querySelectorAll(".card")].indexOf(document.activeElement.closest(".card")));
  assert.equal(await place(), 0);
  await page.keyboard.press("ArrowRight");
  assert.equal(await place(), 1);
  await page.keyboard.press("l");
  assert.equal(await place(), 2);
  await page.keyboard.press("h");
  await page.keyboard.press("j");
  const below = await place();
  assert.ok(below > 2, `below the second card lies ${below}`);
  await page.keyboard.press("k");
  assert.equal(await place(), 1);
  await page.keyboard.press("ArrowLeft");
  await shot(page, "keyboard-focus");

  await page.keyboard.press("Enter");
  await eventually(() => page.evaluate(isPlaying), Boolean, "playing");
  await eventually(() => time(page), (now) => now >= data.question.start - 0.1, "at the moment");
  assert.equal(await place(), 0, "the focus stays in the grid");
  await page.keyboard.press("Space");
  await eventually(() => page.evaluate(isPlaying), (playing) => !playing, "paused");
  const before = await time(page);
  await page.keyboard.press(".");
  const after = await eventually(() => time(page), (now) => now > before, "a frame on");
  assert.ok(after - before < 0.25, `one frame is ${after - before} s`);
  await page.keyboard.press(",");
  await eventually(() => time(page), (now) => now < after, "a frame back");
  await page.keyboard.press("f");
  await eventually(() => page.locator('.card-actions [aria-pressed="true"]').count(), (count) => count === 1, "a star");
  await page.keyboard.press("f");
  await eventually(() => page.locator('.card-actions [aria-pressed="true"]').count(), (count) => count === 0, "no star");
  await page.keyboard.press("e");
  await page.locator(".menu a").first().waitFor();
  await shot(page, "export-menu");
  await page.keyboard.press("Escape");
  await eventually(() => page.locator(".menu").count(), (count) => count === 0, "a closed menu");
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys and tips" }).waitFor();
  await shot(page, "help");
  await page.keyboard.press("Escape");
  await eventually(() => page.locator("#dialog").isVisible(), (open) => !open, "a closed dialog");
  await page.keyboard.press("Escape");
  await eventually(() => page.locator("#panel").isHidden(), Boolean, "a closed panel");
  await page.locator(".card-open").first().focus();
  await page.keyboard.press("m");
  await eventually(() => page.url(), (url) => url.includes("clip="), "more like this");

  // Tab reaches every control in reading order, and each shows that it has the focus.
  await page.goto(page.url().split("?")[0]);
  await page.locator(".card").first().waitFor();
  await page.locator(".skip").focus();
  const seen = [];
  for (let press = 0; press < 40; press += 1) {
    if (press) await page.keyboard.press("Tab");
    const here = await page.evaluate(describeFocus);
    if (!here) break;
    seen.push(here.name);
    assert.ok(here.marked, `the focus on "${here.name}" cannot be seen`);
  }
  for (const name of ["Skip to the results", "What happens in the moment", "Keys and tips", "Folder"]) {
    assert.ok(seen.some((label) => label.includes(name)), `Tab never reached "${name}": ${seen}`);
  }
}

const isPlaying = () => !document.querySelector("video").paused;
const time = (page) => page.evaluate(() => document.querySelector("video").currentTime);
const active = (page, property) => page.evaluate((name) => document.activeElement[name], property);

function describeFocus() {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.closest(".search-box");
  const marked =
    (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) ||
    (box !== null && getComputedStyle(box).boxShadow !== "none");
  const label = element.labels?.[0]?.textContent;
  return { name: element.getAttribute("aria-label") ?? label ?? element.textContent.trim(), marked };
}
