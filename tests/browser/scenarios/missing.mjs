// A file that is gone: the hit says so, and the player explains instead of breaking.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/404|Failed to load resource/);
  const search = `/?q=${encodeURIComponent(data.query)}`;
  const plain = await open(search);
  await plain.locator(".card").first().waitFor();
  assert.equal(await plain.locator(".card.missing").count(), 0); // it takes no place unasked
  const page = await open(`${search}&missing=true`);
  const card = page.locator(".card.missing").first();
  await card.waitFor();
  assert.match(await card.locator(".thumb-badge").textContent(), /file missing/);
  assert.match(await card.locator(".card-open").textContent(), /file missing/);
  await card.locator(".card-open").click();
  const note = page.locator(".stage-note.error");
  await note.waitFor();
  assert.match(await note.textContent(), /not where it was|missing|gone/i);
  await page.locator("#panel .facts dd").first().waitFor();
  await shot(page, "file-missing");
}
