// Files that could not be read: how many, which, why, and another try.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open("/");
  const pill = page.locator("#library");
  await eventually(() => pill.textContent(), (text) => text.includes(`${data.failed} failed`), "the count of failures");
  await pill.click();
  const items = page.locator(".failures li");
  await eventually(() => items.count(), (count) => count === data.failed, "every failure");
  const text = (await items.allTextContents()).join("\n");
  for (const code of data.codes) assert.ok(text.includes(code), `no ${code} in ${text}`);
  for (const name of data.names) assert.ok(text.includes(name), `no ${name} in ${text}`);
  await shot(page, "failures");
  await page.getByRole("button", { name: "Try failed files again" }).click();
  await eventually(
    () => page.evaluate(async () => (await (await fetch("/api/status")).json()).indexing),
    ({ state }) => state === "done",
    "the retry is over",
    60,
  );
  await eventually(() => items.count(), (count) => count === data.failed, "they fail again");
  await page.keyboard.press("Escape");
  const again = await open("/?view=failures");
  await again.locator(".failures li").first().waitFor();
  await again.keyboard.press("Escape");
  await eventually(() => again.url(), (url) => !url.includes("view"), "the address without the list");
}
