// A video is forgotten from the panel and brought back; what is missing is forgotten from the dialog.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/404/); // pictures of a file that is gone
  const page = await open(`/?q=${encodeURIComponent(data.query)}`);
  const names = () => page.locator(".card .card-name").allTextContents();
  await page.locator(".card").first().waitFor();
  const before = (await names()).length;
  const first = (await names())[0];
  await page.locator(".card .card-open").first().click();
  await page.getByRole("button", { name: "Forget this video" }).click();
  await eventually(names, (shown) => shown.length === before - 1 && !shown.includes(first), "it is gone");
  const toast = page.locator(".toast", { hasText: "Forgot 1 file" });
  await toast.waitFor();
  await shot(page, "forgotten");
  await toast.getByRole("button", { name: "Undo" }).click();
  await eventually(names, (shown) => shown.length === before && shown.includes(first), "it is back");
  await page.locator(".toast", { hasText: "Brought back 1 file" }).waitFor();

  // Gone since the last index run: a reload marks it, and it can be forgotten with all that is missing.
  await page.reload();
  await page.locator(".card.missing").first().waitFor();
  await page.locator("#library").click();
  await page.getByRole("button", { name: "Forget missing files" }).click();
  await eventually(names, (shown) => shown.length === before - 1, "the missing one is gone");
  assert.equal(await page.locator(".card.missing").count(), 0);
}
