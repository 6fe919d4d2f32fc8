// While the page is open, `moviola index` runs elsewhere: what it commits appears.

import { writeFileSync } from "node:fs";

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open("/?q=red");
  const before = await eventually(() => page.locator(".card").count(), Boolean, "hits");
  const failed = [];
  page.on("response", (answer) => {
    if (answer.status() >= 400) failed.push(`${answer.status()} ${answer.url()}`);
  });
  writeFileSync(data.go, "");
  await eventually(
    async () => {
      await page.locator("#query").fill(`red ${Math.random() < 0.5 ? "circle" : "square"}`);
      await page.waitForTimeout(200);
      return page.locator("#library").textContent();
    },
    (text) => text.includes(`${data.after} videos`),
    "the new videos",
    90,
  );
  await page.locator("#query").fill("red");
  await eventually(() => page.locator(".card").count(), (count) => count > before, "more hits");
  assert.deepEqual(failed, []);
  await shot(page, "live");
}
