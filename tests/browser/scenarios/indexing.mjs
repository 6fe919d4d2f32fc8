// How a long run is told: counts, rate, time left as a range, pause; and a run of another program.

export default async function ({ open, shot, base, assert, eventually }) {
  const page = await open("/?q=red");
  await page.locator(".card").first().waitFor();
  const real = await (await fetch(`${base}/api/status`)).json();
  let indexing = {
    state: "running", what: "update", done: 312, total: 1204, clips: 9120, failed: 3,
    rate: 2.38, eta: [340, 505], message: "",
  };
  const sent = [];
  await page.route("**/api/status", (route) => route.fulfill({ json: { ...real, indexing } }));
  await page.route("**/api/index", (route) => {
    sent.push(route.request().postDataJSON());
    indexing = { ...indexing, state: "stopped", message: "paused after 312 videos" };
    return route.fulfill({ status: 202, json: { ...real, indexing } });
  });
  const line = page.locator('[data-notice="indexing"]');
  await line.waitFor();
  const text = await line.locator("p").textContent();
  assert.equal(text, "312 of 1,204 videos · 9,120 clips · 3 failed · 2.4 videos/s · 6 min to 8 min left");
  assert.match(await page.locator("#library").textContent(), /Indexing 312 of 1,?204/);
  assert.ok((await page.locator(".card").count()) > 0, "hits stay while it runs");
  await shot(page, "indexing");
  await page.locator("#library").click();
  await page.locator("#dialog progress").waitFor();
  await shot(page, "indexing-dialog");
  await page.locator("#dialog").getByRole("button", { name: "Pause" }).click();
  await page.locator("#dialog").getByRole("button", { name: "Go on" }).waitFor();
  assert.deepEqual(sent, [{ action: "stop" }]);
  await page.keyboard.press("Escape");
  await eventually(() => line.count(), (count) => count === 0, "no line");

  indexing = { ...indexing, state: "elsewhere", done: 0, total: 0, eta: null, rate: null };
  await page.getByText("Another program is indexing this library.").waitFor();
  assert.equal(await line.getByRole("button").count(), 0, "another program is not ours to pause");
}
