// The grid of moments: cards are kept from one answer to the next, so that nothing flickers.

import { Card, keyOf } from "./card.js";
import { byId, h } from "./dom.js";
import { holdPictures } from "./loading.js";

const FIRST = 60; // cards made at once; the rest follow as the page is scrolled

export class Grid {
  #cards = new Map();
  #moments = [];
  #shown = 0;
  #dividerAt = null;
  #current = null;

  /**
   * @param {object} actions `open`, `like`, `favour`, each with a moment; `needMore` when the end
   *   of what was fetched is near
   * @param {(moment: object) => boolean} isFavourite
   */
  constructor(actions, isFavourite) {
    this.actions = actions;
    this.isFavourite = isFavourite;
    this.list = byId("grid");
    this.divider = h("li", { class: "divider" });
    this.end = byId("more");
    this.end.hidden = false;
    this.watcher = new IntersectionObserver(
      (entries) => {
        if (entries.at(-1).isIntersecting) this.#grow();
      },
      { rootMargin: "1200px" },
    );
    this.list.addEventListener("focusin", (event) => {
      const card = this.#cardOf(event.target);
      if (card && card !== this.#current) this.#setCurrent(card);
    });
  }

  get moments() {
    return this.#moments;
  }

  /** The moment that the focus is on, or null. */
  get focused() {
    return this.#cardOf(document.activeElement)?.moment ?? null;
  }

  /**
   * Shows moments, best first.
   * @param {object[]} moments
   * @param {{dividerAt?: number|null, divider?: string, openId?: string, keepLength?: boolean}} how
   *   `divider` is said before the moment at `dividerAt`; `keepLength` shows as many as before
   */
  show(moments, { dividerAt = null, divider = "", openId = "", keepLength = false } = {}) {
    if (this.divider.textContent !== divider) this.divider.textContent = divider;
    this.#moments = moments;
    this.#dividerAt = dividerAt;
    this.#shown = Math.min(moments.length, keepLength ? Math.max(this.#shown, FIRST) : FIRST);
    this.openId = openId;
    this.#render();
  }

  /** Marks the moment that is in the panel. */
  setOpen(id) {
    this.openId = id;
    this.#mark();
  }

  /** Shows again which moments are favourites. */
  refresh() {
    this.#mark();
  }

  /** Shows that an answer is waited for, which comes before any more pictures. */
  setStale(stale) {
    holdPictures(stale);
    this.list.classList.toggle("stale", stale);
  }

  /** Moves the focus by `step` cards, or to a row above or below; onto the first one otherwise. */
  move(direction) {
    const cards = this.#inOrder();
    if (!cards.length) return;
    const here = cards.indexOf(this.#cardOf(document.activeElement) ?? this.#current);
    const from = here < 0 ? 0 : here;
    const started = this.#cardOf(document.activeElement) !== null;
    const place = started ? next(cards, from, direction) : from;
    cards[place].button.focus({ preventScroll: true });
    cards[place].element.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  /** Puts the focus on the open card, else the current one, else the first; false without cards. */
  focus() {
    const cards = this.#inOrder();
    const open = cards.find((card) => card.moment.id === this.openId);
    const card = open ?? this.#current ?? cards[0];
    card?.button.focus();
    return Boolean(card);
  }

  #grow() {
    if (this.#shown < this.#moments.length) {
      this.#shown = Math.min(this.#moments.length, this.#shown + FIRST);
      this.#render();
    } else if (this.#moments.length) {
      this.actions.needMore();
    }
  }

  #render() {
    const wanted = this.#moments.slice(0, this.#shown);
    const keys = new Set(wanted.map(keyOf));
    for (const [key, card] of this.#cards) {
      if (!keys.has(key)) {
        if (card === this.#current) this.#current = null;
        card.remove();
        this.#cards.delete(key);
      }
    }
    const items = wanted.map((moment) => this.#card(moment).element);
    if (this.#dividerAt !== null && this.#dividerAt > 0 && this.#dividerAt < items.length) {
      items.splice(this.#dividerAt, 0, this.divider);
    } else {
      this.divider.remove();
    }
    // Only what moved is touched: moving the focused card would take its focus away.
    items.forEach((item, place) => {
      if (this.list.children[place] !== item) {
        this.list.insertBefore(item, this.list.children[place] ?? null);
      }
    });
    this.#mark();
    // Watching anew tells whether the end is still near, which a change alone would not.
    this.watcher.unobserve(this.end);
    this.watcher.observe(this.end);
  }

  #card(moment) {
    const key = keyOf(moment);
    const known = this.#cards.get(key);
    if (known) {
      known.update(moment);
      return known;
    }
    const card = new Card(moment, this.actions);
    this.#cards.set(key, card);
    return card;
  }

  #inOrder() {
    return this.#moments.slice(0, this.#shown).map((moment) => this.#cards.get(keyOf(moment)));
  }

  #cardOf(element) {
    const item = element instanceof Element ? element.closest(".card") : null;
    if (!item) return null;
    return [...this.#cards.values()].find((card) => card.element === item) ?? null;
  }

  #setCurrent(card) {
    this.#current = card;
    this.#mark();
  }

  #mark() {
    const cards = this.#inOrder();
    if (!this.#current || !cards.includes(this.#current)) this.#current = cards[0] ?? null;
    for (const card of cards) {
      card.mark({
        open: card.moment.id === this.openId,
        current: card === this.#current,
        favourite: this.isFavourite(card.moment),
      });
    }
  }
}

/** The place that lies in a direction, judged by where the cards stand on the page. */
function next(cards, from, direction) {
  const last = cards.length - 1;
  if (direction === "left") return Math.max(0, from - 1);
  if (direction === "right") return Math.min(last, from + 1);
  if (direction === "first") return 0;
  if (direction === "last") return last;
  const here = cards[from].element;
  const step = direction === "down" ? 1 : -1;
  let best = from;
  for (let place = from + step; place >= 0 && place <= last; place += step) {
    const there = cards[place].element;
    if (there.offsetTop === here.offsetTop) continue;
    if (best !== from && there.offsetTop !== cards[best].element.offsetTop) break;
    const nearer = best === from || distance(there, here) < distance(cards[best].element, here);
    if (nearer) best = place;
  }
  return best;
}

function distance(a, b) {
  return Math.abs(a.offsetLeft - b.offsetLeft);
}
