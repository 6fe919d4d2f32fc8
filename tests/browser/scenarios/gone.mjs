// The server ends: the page says so. It is back: the page goes on, with a fresh token.

import { setTimeout as sleep } from "node:timers/promises";
import { existsSync, writeFileSync } from "node:fs";

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/Failed to load resource|ERR_CONNECTION_REFUSED/);
  const page = await open("/?q=red");
  await page.locator(".card").first().waitFor();
  writeFileSync(data.stop, "");
  await page.getByText("server does not answer").waitFor({ timeout: 30_000 });
  assert.ok((await page.locator(".card").count()) > 0, "the hits stay");
  await page.locator("#query").fill("blue");
  await sleep(500);
  assert.ok((await page.locator(".card").count()) > 0, "and stay when a search fails");
  await shot(page, "server-gone");
  writeFileSync(data.start, "");
  await eventually(() => existsSync(data.started), Boolean, "the server again", 60);
  await page.getByText("server does not answer").waitFor({ state: "detached", timeout: 30_000 });
  await eventually(
    () => page.locator("#count").textContent(),
    (text) => /moment/.test(text),
    "the search is repeated",
  );
  const heading = await page.locator("#heading").textContent();
  assert.equal(heading, "Moments: blue");
  // A write with the token of the former server is repeated with a new one.
  await page.locator(".card-open").first().focus();
  await page.keyboard.press("f");
  await eventually(() => page.locator('.card-actions [aria-pressed="true"]').count(), (count) => count === 1, "a star");
}
