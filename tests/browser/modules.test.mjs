// The page's pure functions, in node:  node --test modules.test.mjs

import { strict as assert } from "node:assert";
import { test } from "node:test";

const page = new URL("../../src/moviola/serve/static/js/", import.meta.url);
const load = (name) => import(new URL(name, page));

const { bytes, clock, count, duration, spanText } = await load("format.js");
const { EMPTY, fromAddress, toAddress, searchParameters, hasQuery } = await load("state.js");
const { heights } = await load("curve.js");
const { withoutTerm } = await load("filters.js");
const { covers } = await load("source.js");
const { progressText } = await load("indexing.js");
const { strictly } = await load("searching.js");
const { pieces } = await load("marking.js");
const { labelled } = await load("signs.js");
const { ongoing } = await load("transcript.js");
const { toggled } = await load("channels.js");
const { costText } = await load("channel-list.js");

test("times are read as on a clock, and rounded down", () => {
  assert.deepEqual([0, 9.99, 61, 3599.9, 3661].map((time) => clock(time)), ["0:00", "0:09", "1:01", "59:59", "1:01:01"]);
  assert.equal(clock(8.3, { tenths: true }), "0:08.3"); // 8.3 * 10 is 82.99999999999999 or so
  assert.equal(clock(-1), "0:00");
  assert.equal(spanText(8.2, 11.9), "0:08 – 0:11");
  assert.equal(spanText(8.2, 8.9), "0:08.2 – 0:08.9");
});

test("amounts are read with their units", () => {
  assert.deepEqual([0, 999, 1000, 2_340_000].map(bytes), ["0 B", "999 B", "1.0 kB", "2.3 MB"]);
  assert.deepEqual([0.2, 40, 360, 7800].map(duration), ["1 s", "40 s", "6 min", "2 h 10 min"]);
  assert.deepEqual([1, 1204].map((number) => count(number, "moment")), ["1 moment", "1,204 moments"]);
});

test("an address and its state are the same", () => {
  const address = "/?q=a+%26+b&then=x&then=y&within=10&folder=f-1&open=ab&t=3.5&view=favourites";
  assert.equal(toAddress(fromAddress(address.slice(1))), address);
  assert.equal(toAddress(EMPTY), "/");
  assert.deepEqual(fromAddress(""), { ...EMPTY, then: [] });
  assert.equal(toAddress(fromAddress("?evil=1&q=red")), "/?q=red");
});

test("what is open and how strictly one looks does not ask the server again", () => {
  const state = { ...EMPTY, q: "red" };
  const open = { ...state, open: "ab", t: "3", least: "strong", view: "failures" };
  assert.equal(String(searchParameters(open)), String(searchParameters(state)));
  assert.equal(hasQuery({ ...EMPTY, q: "  " }), false);
  assert.equal(hasQuery({ ...EMPTY, clip: "ab" }), true);
});

test("the curve is interpolated between windows and keeps the best of each column", () => {
  const curve = { starts: [0, 4, 8], ends: [4, 8, 12], scores: [0, 1, 0], low: 0, high: 1 };
  const few = heights(curve, 12, 3); // middles at 2, 6, 10 are the middles of the columns
  assert.deepEqual([...few], [0, 1, 0]);
  const many = heights(curve, 12, 12);
  assert.ok(Math.abs(many[4] - 0.625) < 1e-6, `${many[4]}`); // at 4.5 s, five eighths of the way
  const spike = { starts: [0, 5, 5.1], ends: [1, 5.1, 5.2], scores: [0, 0.2, 0.9], low: 0, high: 1 };
  assert.ok(Math.abs(heights(spike, 10, 2)[1] - 0.9) < 1e-6, "a narrow peak is not lost");
  assert.deepEqual([...heights({ ...curve, scores: [5, 5, 5], low: 5, high: 5 }, 12, 2)], [0.5, 0.5]);
  assert.deepEqual([...heights({ starts: [], ends: [], scores: [], low: 0, high: 1 }, 12, 2)], [0, 0]);
});

test("one negative term is taken out, and nothing that only looks like it", () => {
  assert.equal(withoutTerm('a market -crowd -"red car"', "red car"), "a market -crowd");
  assert.equal(withoutTerm("a market -crowd", "crowd"), "a market");
  assert.equal(withoutTerm("-crowd a market", "crowd"), "a market");
  assert.equal(withoutTerm("a-crowd", "crowd"), "a-crowd");
  assert.equal(withoutTerm("-crowded -crowd", "crowd"), "-crowded");
});

test("a preview covers its own seconds only", () => {
  const preview = { url: "x", offset: 10, until: 40 };
  assert.deepEqual([9, 10, 39.9, 40].map((time) => covers(preview, time)), [false, true, true, false]);
  assert.equal(covers({ url: null, offset: 0, until: 9 }, 1), false);
});

test("progress is told in numbers", () => {
  const run = { state: "running", done: 3, total: 40, clips: 96, failed: 1, rate: 3.14, eta: [8, 12] };
  assert.equal(progressText(run), "3 of 40 videos · 96 clips · 1 failed · 3.1 videos/s · 8 s to 12 s left");
  assert.equal(progressText({ ...run, eta: [9, 9] }).split(" · ").at(-1), "about 9 s left");
  assert.equal(progressText({ state: "running", done: 0, total: 0 }), "Looking for files");
});

test("strictness keeps whole bands and drops the divider", () => {
  const answer = { unsure_from: 2, moments: ["strong", "likely", "unsure"].map((band) => ({ band })) };
  assert.equal(strictly(answer, "").unsureFrom, 2);
  assert.deepEqual(strictly(answer, "likely").moments.map(({ band }) => band), ["strong", "likely"]);
  assert.deepEqual(strictly(answer, "strong"), { moments: [{ band: "strong" }], unsureFrom: null });
});

test("texts are cut around the first word that was asked for, by characters", () => {
  const joined = (found) => found.map(({ text, marked }) => (marked ? `[${text}]` : text)).join("");
  assert.equal(joined(pieces("an umbrella", [{ first: 3, last: 11 }])), "an [umbrella]");
  assert.equal(joined(pieces("🌂🌂 ab cd", [{ first: 3, last: 5 }])), "🌂🌂 [ab] cd"); // places count characters
  assert.equal(joined(pieces("ab ab", [{ first: 0, last: 2 }, { first: 3, last: 5 }])), "[ab] [ab]");
  assert.equal(joined(pieces("no word", [])), "no word");
  const long = `${"x".repeat(500)}here${"y".repeat(500)}`;
  const cut = joined(pieces(long, [{ first: 500, last: 504 }], 100));
  assert.equal(cut, `…${"x".repeat(40)}[here]${"y".repeat(56)}…`);
  assert.equal(joined(pieces("w".repeat(4096), [{ first: 0, last: 4096 }], 100)), `[${"w".repeat(100)}]…`);
  assert.equal(joined(pieces(`${"x".repeat(150)}end`, [{ first: 150, last: 153 }], 100)), `…${"x".repeat(97)}[end]`);
});

test("signs get labels as far as there is room", () => {
  const signs = [0, 1, 5, 9.9].map((start) => ({ start, text: "EXIT" }));
  assert.deepEqual(labelled(signs, 10, 400), [true, false, true, false]);
  assert.deepEqual(labelled([], 10, 400), []);
});

test("what goes on at a time is not what lasts all of the video", () => {
  const passages = [{ start: 0, end: 10 }, { start: 1, end: 3 }, { start: 2, end: 4 }, { start: 4, end: 5 }];
  assert.deepEqual(ongoing(passages, 2.5, 10), [1, 2]);
  assert.deepEqual(ongoing(passages, 4, 10), [3]);
  assert.deepEqual(ongoing(passages, 9, 10), []);
});

test("chips choose and let go, in the order of pressing", () => {
  assert.deepEqual(toggled([], "said"), ["said"]);
  assert.deepEqual(toggled(["said"], "written"), ["said", "written"]);
  assert.deepEqual(toggled(["said", "written"], "said"), ["written"]);
  const address = "/?q=a&then=x&channel=said&channel=written";
  assert.equal(toAddress(fromAddress(address.slice(1))), address);
  assert.equal(String(searchParameters(fromAddress(address.slice(1)))), address.slice(2));
});

test("a cost is told in time and room", () => {
  const cost = { videos: 24, film: 720, seconds: 300, bytes: 4_000_000 };
  assert.equal(costText(cost), "Reads 24 videos, 12 min of film: about 5 min on one core and 4.0 MB.");
  assert.match(costText({ ...cost, videos: 0 }), /^Nothing is left to read/);
});
