// Both themes, a phone, and the checker of accessibility over every state.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  ["light", "wide", 1280, 800],
  ["dark", "phone", 360, 740],
];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export default async function ({ open, shot, data, assert, eventually }) {
  const query = `/?q=${encodeURIComponent(data.question.query)}`;
  const views = [
    ["browse", "/", null],
    ["results", query, null],
    ["weak", "/?q=a+dog+on+a+skateboard", null],
    ["nothing", "/?q=red&shortest=3600", null],
    ["panel", query, openFirst],
    ["library", "/?view=failures", (page) => page.locator(".failures li").first().waitFor()],
    ["favourites", "/?view=favourites", null],
    ["help", "/", (page) => page.getByRole("button", { name: "Keys and tips" }).click()],
    ["steps", "/?q=red&then=blue", null],
    ["menu", query, (page) => page.getByRole("button", { name: "Length" }).click()],
  ];
  const worst = [];
  for (const [theme, size, width, height] of LOOKS) {
    for (const [name, address, prepare] of views) {
      const page = await open(address, { width, height, colorScheme: theme });
      await page.locator(".card, #state:not([hidden]), .favourites:not([hidden])").first().waitFor();
      await prepare?.(page);
      await page.waitForTimeout(300);
      const across = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(across <= 0, `${name} at ${width} px scrolls sideways by ${across} px`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), TAGS);
      for (const { id, impact, nodes } of violations) {
        worst.push(`${impact} ${id} in ${name}, ${theme}, ${size}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join(" | ")}`);
      }
      await shot(page, `${name}-${theme}-${size}`, { settle: 200 });
      await page.context().close();
    }
  }
  const serious = worst.filter((text) => /^(serious|critical)/.test(text));
  console.log(`axe: ${worst.length} violations, ${serious.length} serious or critical, over ${views.length * LOOKS.length} views`);
  console.log(worst.filter((text) => !serious.includes(text)).join("\n"));
  assert.deepEqual(serious, []);

  // The switch goes round and is remembered.
  const page = await open("/", { colorScheme: "light" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const button = page.locator("#theme");
  await button.click();
  assert.equal(await background(), light);
  await button.click();
  const dark = await eventually(background, (colour) => colour !== light, "a dark page");
  await page.reload();
  assert.equal(await background(), dark);
}

async function openFirst(page) {
  await page.locator(".card-open").first().click();
  await page.locator(".curve-peak").first().waitFor();
}
