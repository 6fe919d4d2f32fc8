// Texts with the words that were asked for. They come as text nodes, whatever stands in them.

import { groupMark } from "./channels.js";
import { h } from "./dom.js";
import { clock } from "./format.js";

const LONGEST = 160; // characters of a text on a card
const BEFORE = 40; // of them before the first word that was asked for
const MOST = 2; // texts on a card

/**
 * Cuts a text into pieces, those that were asked for marked.
 * @param {string} text
 * @param {{first: number, last: number}[]} words places in characters (code points), in order
 * @param {number} longest a longer text is cut around its first marked word
 * @returns {{text: string, marked: boolean}[]}
 */
export function pieces(text, words, longest = Infinity) {
  const characters = [...text];
  const wanted = Math.max(0, (words[0]?.first ?? 0) - BEFORE);
  const from = characters.length > longest ? Math.min(wanted, characters.length - longest) : 0;
  const to = Math.min(characters.length, from + longest);
  const found = [];
  const add = (first, last, marked) => {
    const [start, end] = [Math.max(first, from), Math.min(last, to)];
    if (start < end) found.push({ text: characters.slice(start, end).join(""), marked });
  };
  let at = 0;
  for (const { first, last } of words) {
    add(at, first, false);
    add(first, last, true);
    at = last;
  }
  add(at, characters.length, false);
  if (from > 0) found.unshift({ text: "…", marked: false });
  if (to < characters.length) found.push({ text: "…", marked: false });
  return found;
}

/** A text with its marked words; nothing in it changes the direction of what stands around it. */
export function markedText(text, words, longest) {
  const nodes = pieces(text, words, longest).map((piece) => (piece.marked ? h("mark", {}, piece.text) : piece.text));
  return h("bdi", { dir: "auto" }, ...nodes);
}

/** The texts that a moment was found by. */
export function foundTexts({ why }) {
  return (why ?? []).filter(({ text }) => text);
}

/** Lines that say what a moment was found by: where, when, and the words. */
export function whyLines(moment) {
  return foundTexts(moment).slice(0, MOST).map(({ group, text, start, words }) =>
    h(
      "p",
      { class: "why" },
      groupMark(group),
      h("span", { class: "figures quiet" }, clock(words.find((word) => word.start !== null)?.start ?? start)),
      " ",
      markedText(text, words, LONGEST),
    ),
  );
}
