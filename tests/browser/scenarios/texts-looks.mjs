// The states with texts, in both themes and three widths, and the checker of accessibility.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [[360, 740], [1024, 768], [1440, 900]];

export default async function ({ open, shot, data, assert }) {
  const query = `/?q=${encodeURIComponent(data.said.words)}`;
  const openPanel = async (page) => {
    await page.locator(".card-open").first().click();
    await page.locator(".transcript .passage").first().waitFor();
  };
  const views = [
    ["cards", `${query}&channel=said`, (page) => page.locator(".why mark").first().waitFor()],
    ["transcript", query, openPanel],
    ["found", query, async (page) => {
      await openPanel(page);
      await page.getByRole("searchbox", { name: "Search the transcript" }).fill("the");
      await page.locator(".transcript mark").first().waitFor();
      await page.locator(".transcript").scrollIntoViewIfNeeded();
    }],
    ["nothing", "/?q=nobodysaysthis&channel=said", (page) => page.locator("#state:not([hidden])").waitFor()],
    ["channels", "/", async (page) => {
      await page.locator("#library").click();
      await page.locator(".channel-list li").first().waitFor();
    }],
  ];
  const worst = [];
  for (const theme of ["light", "dark"]) {
    for (const [width, height] of WIDTHS) {
      for (const [name, address, prepare] of views) {
        const page = await open(address, { width, height, colorScheme: theme });
        await page.locator(".card, #state:not([hidden])").first().waitFor();
        await prepare(page);
        await page.waitForTimeout(250);
        const across = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(across <= 0, `${name} at ${width} px scrolls sideways by ${across} px`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), TAGS);
        for (const { id, impact, nodes } of violations) {
          worst.push(`${impact} ${id} in ${name}, ${theme}, ${width}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join(" | ")}`);
        }
        await shot(page, `${data.library}-${name}-${theme}-${width}`, { settle: 200 });
        await page.context().close();
      }
    }
  }
  const serious = worst.filter((text) => /^(serious|critical)/.test(text));
  console.log(`axe: ${worst.length} violations, ${serious.length} serious or critical`);
  console.log(worst.join("\n"));
  assert.deepEqual(serious, []);
}
