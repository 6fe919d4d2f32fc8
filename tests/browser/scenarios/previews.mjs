// What browsers cannot play: the message names the codec, and a preview plays at the moment.

export default async function ({ open, shot, data, assert, eventually, expectErrors }) {
  expectErrors(/415|Failed to load resource/);
  for (const { name, codec, shotName } of data.files) {
    const page = await open("/?sort=name");
    await page.locator(".card").first().waitFor();
    const card = page.locator(".card").filter({ hasText: name });
    const began = Date.now();
    await card.locator(".card-open").click();
    const shown = await eventually(
      () =>
        page.evaluate(() => {
          const { currentTime, videoWidth, readyState, error } = document.querySelector("video");
          return { currentTime, videoWidth, readyState, error: error?.message };
        }),
      ({ readyState, videoWidth }) => readyState >= 2 && videoWidth > 0,
      `a preview of ${name}`,
      60,
    );
    assert.ok(shown.videoWidth > 0);
    const source = await page.evaluate(() => document.querySelector("video").currentSrc);
    assert.match(source, /\/preview\?/);
    const caption = page.locator(".stage-caption");
    const said = await eventually(() => caption.textContent(), Boolean, "why it is a preview");
    assert.match(said, /cannot play/);
    assert.match(said.toLowerCase(), new RegExp(codec), `the message does not name ${codec}: ${said}`);
    assert.ok(!/corrupt|damaged/i.test(said), said);
    console.log(`${name}: preview after ${Date.now() - began} ms, ${shown.videoWidth} px wide`);
    await shot(page, `preview-${shotName}`);
    await page.context().close();
  }
}
