// Runs one scenario in a fresh headless Chromium:  node driver.mjs SCENARIO ADDRESS SHOTS DATA
//
// Whatever the scenario does, the run fails when the page throws, logs an error that was not
// announced, breaks its content security policy, or asks for anything outside its own origin.

import { strict as assert } from "node:assert";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [name, base, shots, dataFile] = process.argv.slice(2);
const data = JSON.parse(readFileSync(dataFile, "utf8"));
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=user-gesture-required",
];

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  headless: true,
  args: [...FLAGS, ...(data.flags ?? [])],
});
const problems = [];
const announced = [];

/** A page of its own context, watched. */
async function open(path = "/", { width = 1280, height = 800, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  await context.addInitScript(() => {
    globalThis.__violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      globalThis.__violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => problems.push(`the page threw: ${error.stack}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`the console says: ${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(`${base}/`) && !/^(blob|data):/.test(address)) {
      problems.push(`a request left for ${address}`);
    }
  });
  await page.goto(base + path);
  return page;
}

/** From now on errors that match are expected, such as the failed request of a test of failure. */
function expectErrors(pattern) {
  announced.push(pattern);
}

function unexpected() {
  return problems.filter((text) => !announced.some((pattern) => pattern.test(text)));
}

async function shot(page, file, { settle = 350 } = {}) {
  await page.waitForTimeout(settle);
  await page.screenshot({ path: join(shots, `${file}.png`) });
}

/** Asks again until `read` gives something that `holds`; fails with what it was at last. */
async function eventually(read, holds, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  let value;
  do {
    value = await read();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 30));
  } while (Date.now() < end);
  return assert.fail(`${what}: still ${JSON.stringify(value)} after ${seconds} s`);
}

let failure = null;
try {
  const { default: scenario } = await import(`./scenarios/${name}.mjs`);
  await scenario({ open, shot, base, data, assert, eventually, expectErrors, browser });
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      const violations = await page.evaluate(() => globalThis.__violations ?? []).catch(() => []);
      problems.push(...violations.map((violation) => `content security policy: ${violation}`));
    }
  }
  assert.deepEqual(unexpected(), []);
} catch (error) {
  failure = error;
  const page = browser.contexts().at(-1)?.pages().at(-1);
  await page?.screenshot({ path: join(shots, `failed-${name}.png`) }).catch(() => {});
}
await browser.close();
if (failure) {
  console.error(failure.stack);
  console.error(unexpected().slice(0, 10).join("\n"));
  process.exit(1);
}
