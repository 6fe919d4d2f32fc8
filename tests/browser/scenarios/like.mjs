// "More like this" from a card and from the panel; an image and a clip as queries.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  const page = await open(`/?q=${encodeURIComponent(data.question.query)}`);
  const card = page.locator(".card").first();
  await card.waitFor();
  const video = await card.locator(".card-name").textContent();
  await card.hover();
  await card.getByRole("button", { name: /^More like/ }).click();
  await page.locator("#query-image img").waitFor();
  await eventually(() => page.locator(".card").count(), (count) => count > 3, "similar moments");
  const names = await page.locator(".card .card-name").allTextContents();
  assert.ok(!names.includes(video), "the moment's own video is left out");
  assert.match(page.url(), /clip=/);
  await shot(page, "more-like-this");

  // Words take its place; without it the box is as before.
  await page.goBack();
  await eventually(() => page.locator("#query").inputValue(), (text) => text === data.question.query, "the words");
  assert.equal(await page.locator("#query-image").isHidden(), true);

  // An image that is dropped.
  await page.evaluate(dropImage, data.image);
  await eventually(() => page.url(), (url) => url.includes("picture="), "an uploaded picture");
  const first = page.locator(".card .card-name").first();
  await eventually(() => page.locator(".card").count(), (count) => count > 3, "moments like the image");
  await page.locator("#weight-box").waitFor();
  await shot(page, "text-and-image");
  await page.locator("#query").fill("");
  await eventually(() => first.textContent(), (name) => name === data.imageOf, "the video of the image");
  await shot(page, "image-query");
  await page.reload();
  await eventually(() => first.textContent(), (name) => name === data.imageOf, "after a reload");
  await page.getByRole("button", { name: "Search without it" }).click();
  await eventually(() => page.url(), (url) => !url.includes("picture="), "no picture");

  // A clip that is picked.
  await page.locator("#media-file").setInputFiles(data.clip);
  await eventually(() => page.url(), (url) => url.includes("picture="), "an uploaded clip");
  await eventually(() => first.textContent(), (name) => name === data.clipOf, "the video of the clip");

  // What is no picture is refused in words.
  expectErrors(/422/);
  await page.locator("#media-file").setInputFiles(data.garbage);
  await page.locator(".toast").waitFor();
  await shot(page, "refused-upload", { settle: 100 });
}

function dropImage(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "frame.png", { type: "image/png" }));
  for (const type of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}
