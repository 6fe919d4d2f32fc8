// The address holds the whole state: reload, share, Back.

export default async function ({ open, shot, base, data, assert, eventually, expectErrors }) {
  const page = await open(`/?q=${encodeURIComponent(data.question.query)}`);
  await page.locator(".card-open").first().click();
  await page.locator(".curve-peak").first().waitFor();
  const opened = page.url();
  await page.goBack();
  await eventually(() => page.locator("#panel").isHidden(), Boolean, "a closed panel");
  await page.goForward();
  await eventually(() => page.locator("#panel").isVisible(), Boolean, "the panel again");

  await page.evaluate(() => document.querySelector("video").pause());
  await page.locator(".seek-range").focus();
  await page.keyboard.press("ArrowLeft");
  await eventually(() => page.evaluate(() => document.querySelector("video").seeking), (seeking) => !seeking, "sought");
  const time = await page.evaluate(() => document.querySelector("video").currentTime);
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.locator(".toast").waitFor();
  await page.getByRole("button", { name: "Copy link" }).click();
  assert.equal(await page.locator(".toast").count(), 1, "the same news stands there once");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${base}/?q=`) && link.includes("&t="), link);

  // Another visitor sees the same: words, filters, moment and time; nothing plays by itself.
  const other = await open(link.slice(base.length));
  await other.locator(".curve-peak").first().waitFor();
  assert.equal(await other.locator("#query").inputValue(), data.question.query);
  const shown = await eventually(
    () => other.evaluate(() => document.querySelector("video").currentTime),
    (now) => Math.abs(now - time) <= 0.1,
    `the time ${time}`,
  );
  assert.ok(Math.abs(shown - time) <= 0.1);
  assert.equal(await other.evaluate(() => document.querySelector("video").paused), true);
  await other.reload();
  await other.locator(".card.open").waitFor();
  await shot(other, "reloaded");
  assert.ok(opened.includes("open="));

  // Every word of the state survives a round trip.
  const full =
    "/?q=red&then=blue&within=10&shortest=1&longest=60&since=2001-01-01&until=2099-01-01" +
    "&resolution=100&sound=true&group=none&sort=name&least=likely";
  const third = await open(full);
  await third.locator("#grid .card, #state:not([hidden])").first().waitFor();
  await third.waitForTimeout(500);
  assert.equal(third.url(), base + full);
  assert.equal(await third.getByLabel("within").inputValue(), "10");

  // An address that names nothing says so, and goes on.
  expectErrors(/404/);
  const lost = await open("/?q=red&open=0123456789abcdef0123456789abcdef");
  await lost.locator(".toast").waitFor();
  await eventually(() => lost.url(), (url) => !url.includes("open="), "the wrong moment is gone");
}
