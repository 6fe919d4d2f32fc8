// Hovering a card plays its clip, at the clip's own times.

export default async function ({ open, shot, data, assert, eventually }) {
  const page = await open(`/?q=${encodeURIComponent(data.question.query)}`);
  const card = page.locator(".card").first();
  await card.waitFor();
  const sprite = page.waitForResponse((answer) => answer.url().includes("/sprite"));
  await card.hover();
  const times = (await (await sprite).headerValue("x-moviola-times")).split(",").map(Number);
  assert.ok(times.length >= 2 && times.every((time, place) => place === 0 || time > times[place - 1]), `${times}`);
  const shown = new Set();
  await eventually(
    async () => {
      const time = await card.locator(".sheet").getAttribute("data-time");
      if (time) shown.add(Number(time));
      return shown.size;
    },
    (size) => size >= Math.min(4, times.length),
    "several frames",
  );
  assert.ok([...shown].every((time) => times.includes(time)));
  await shot(page, "hover", { settle: 0 });
  await page.mouse.move(5, 5);
  await eventually(() => card.locator(".sheet").isHidden(), Boolean, "the still picture");

  // Without motion nothing runs, and the pointer leads.
  const calm = await open(`/?q=${encodeURIComponent(data.question.query)}`, { reducedMotion: "reduce" });
  const quiet = calm.locator(".card").first();
  await quiet.waitFor();
  const box = await quiet.locator(".card-open").boundingBox();
  await calm.mouse.move(box.x + 4, box.y + 60);
  const sheet = quiet.locator(".sheet");
  await eventually(() => sheet.getAttribute("data-time"), Boolean, "the first frame");
  await calm.waitForTimeout(700);
  assert.equal(Number(await sheet.getAttribute("data-time")), times[0]);
  await calm.mouse.move(box.x + box.width - 6, box.y + 60, { steps: 6 });
  await eventually(() => sheet.getAttribute("data-time").then(Number), (time) => time > times[0], "a later frame");
}
