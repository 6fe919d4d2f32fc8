// Hostile text in file names, folders, titles, queries and errors: shown as it is, never run.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/Failed to load resource/);
  const page = await open("/");
  await page.locator(".card").first().waitFor();
  await eventually(() => page.locator(".card").count(), (count) => count >= data.payloads.length, "every video");
  const names = await page.locator(".card .card-name").allTextContents();
  for (const name of data.names) {
    assert.ok(names.some((shown) => sameText(shown, name)), `the name ${JSON.stringify(name)} is not shown as it is`);
  }
  await shot(page, "hostile-names");

  // File name, folder and title of every video, in the panel.
  for (let place = 0; place < data.payloads.length; place += 1) {
    await page.locator(".card-open").nth(place).focus();
    await page.keyboard.press("Enter");
    await eventually(() => page.locator("#panel .facts dd").count(), (count) => count > 4, "the facts");
    await unharmed(page, `the panel of video ${place}`);
  }
  const facts = await page.locator("#panel .facts").textContent();
  assert.match(facts, /__xss|evil/, "folder and title are shown");
  await shot(page, "hostile-panel");
  await page.keyboard.press("Escape");
  await page.locator("#chips").getByRole("button", { name: "Folder" }).click();
  await page.locator(".menu button").nth(2).waitFor();
  await unharmed(page, "the folders");
  await page.keyboard.press("Escape");
  await page.locator("#library").click();
  await page.locator(".failures li").first().waitFor();
  await unharmed(page, "the failures");
  await page.keyboard.press("Escape");

  // Queries: typed, in the address, as steps and as terms that are left out.
  const box = page.locator("#query");
  for (const payload of data.payloads) {
    await box.fill(payload);
    await page.keyboard.press("Enter");
    await page.waitForTimeout(40);
  }
  await unharmed(page, "the typed queries");
  for (const payload of data.payloads) {
    const text = encodeURIComponent(payload);
    await visit(`/?q=${text} -"${text}"&then=${text}`);
    await unharmed(page, `the query ${payload}`);
  }
  await shot(page, "hostile-query");

  // Errors: parameters that the server refuses by name, and messages that hold anything.
  for (const payload of data.payloads) {
    const text = encodeURIComponent(payload);
    await visit(`/?q=red&sort=${text}&folder=${text}&open=${text}&picture=${text}&view=${text}`);
    await unharmed(page, `the address with ${payload}`);
    assert.ok((await page.locator(".toast").count()) <= 3, "news do not cover the page");
  }
  let message = "";
  await page.route("**/api/{search,status,folders,favourites}*", (route) =>
    route.fulfill({ status: 422, json: { error: { code: "invalid", message } } }),
  );
  for (const payload of data.payloads) {
    message = `no: ${payload}`;
    await visit(`/?q=red ${data.payloads.indexOf(payload)}`);
    const shown = await eventually(() => page.locator("#state").textContent(), (text) => sameText(text, message), `the error ${payload}`);
    assert.ok(shown.includes("no: "));
    await unharmed(page, `the error ${payload}`);
  }
  await shot(page, "hostile-error");

  /** Goes to an address within the page, as Back does, and waits for its answer. */
  async function visit(address) {
    await page.evaluate((to) => {
      history.pushState(null, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }, address);
    await page.waitForTimeout(30);
    await eventually(() => page.locator("#query-busy").isHidden(), Boolean, "an answer");
  }

  async function unharmed(here, where) {
    const found = await here.evaluate(() => ({
      ran: globalThis.__xss,
      refused: globalThis.__violations,
      strange: document.querySelectorAll("body :is(script, iframe, object, embed, svg animate, base, meta, style, marquee, math)").length,
    }));
    assert.deepEqual(found, { ran: undefined, refused: [], strange: 0 }, `in ${where}`);
  }
}

/** Equal but for white space, which HTML collapses, and for escapes of what cannot be shown. */
function sameText(shown, given) {
  const plain = (text) => text.replace(/\\x1b|\u001b|\\u202e|\u202e|\\n|\s+/g, "");
  return plain(shown).includes(plain(given));
}
