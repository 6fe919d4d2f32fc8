// Favourites: kept, rejected, shown by query, and written as relevance; and the exports.

import { readFileSync } from "node:fs";

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open(`/?q=${encodeURIComponent(data.question.query)}`);
  await page.locator(".card-open").first().click();
  await page.getByRole("button", { name: "Favourite", exact: true }).click();
  await eventually(() => page.locator('.card-actions [aria-pressed="true"]').count(), (count) => count === 1, "a star");
  await page.locator(".card-open").nth(1).click();
  await page.getByRole("button", { name: "Not this" }).click();
  await eventually(
    () => page.getByRole("button", { name: "Not this" }).getAttribute("aria-pressed"),
    (pressed) => pressed === "true",
    "a rejected moment",
  );
  await page.getByRole("button", { name: "Favourites" }).click();
  await page.getByRole("heading", { name: "Favourites" }).waitFor();
  assert.match(page.url(), /view=favourites/);
  await eventually(() => page.locator(".favourite").count(), (count) => count === 2, "both verdicts");
  await shot(page, "favourites");
  const qrels = await download(page, () => page.getByRole("link", { name: /Relevance/ }).click());
  assert.equal(qrels.trim().split("\n").length, 2, qrels);
  const queries = await download(page, () => page.getByRole("link", { name: /Queries/ }).click());
  assert.ok(queries.includes(data.question.query), queries);

  // Exports of hits and of the moment.
  await page.goto(`${new URL(page.url()).origin}/?q=${encodeURIComponent(data.question.query)}`);
  await page.locator(".card-open").first().click();
  const pick = async (name) => {
    await page.getByRole("button", { name: "Export" }).click();
    return download(page, () => page.locator(".menu").getByRole("link", { name }).click(), name === "MP4");
  };
  const csv = await pick("CSV");
  assert.ok(csv.includes(data.question.name) && csv.split("\n").length > 2, csv.slice(0, 200));
  assert.ok(JSON.parse(await pick(/JSON/)), "JSON");
  const edl = await pick("Edit list");
  assert.match(edl, /^TITLE/m);
  const film = await pick("MP4");
  assert.equal(film.subarray(4, 8).toString("latin1"), "ftyp");

  async function download(from, press, raw = false) {
    const [file] = await Promise.all([from.waitForEvent("download"), press()]);
    const bytes = readFileSync(await file.path());
    await from.keyboard.press("Escape");
    return raw ? bytes : bytes.toString("utf8");
  }
}
