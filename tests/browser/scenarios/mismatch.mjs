// The model that is installed is not the one that indexed: said at once, with the way out.

export default async function ({ open, shot, data, assert, expectErrors }) {
  expectErrors(/409|503|Failed to load resource/);
  const page = await open("/");
  const line = page.locator('[data-notice="problem"]');
  await line.waitFor();
  const text = await line.textContent();
  for (const word of data.words) assert.ok(text.includes(word), `${text} does not say ${word}`);
  await page.locator("#query").fill("red");
  await page.getByRole("heading", { name: "This library cannot be searched now" }).waitFor();
  await shot(page, "space-mismatch");
}
