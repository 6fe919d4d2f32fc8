// Loads pictures that are near what is seen, few at a time: browsers open six connections to a
// server, and a search must find one of them free.

const TOGETHER = 3;
const MARGIN = "400px";

const waiting = new Set();
const loading = new Set();
let held = false;
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) waiting.add(target);
      else waiting.delete(target);
    }
    startNext();
  },
  { rootMargin: MARGIN },
);

/** Loads the picture at `data-src` of an image once it is near what is seen. */
export function loadWhenNear(image) {
  near.observe(image);
}

/** Drops a picture that is not shown any more, whether it waits or is being loaded. */
export function dropPicture(image) {
  near.unobserve(image);
  waiting.delete(image);
  if (loading.delete(image)) {
    image.removeAttribute("src"); // ends the request
    startNext();
  }
}

/** Starts no picture while a search is under way: its answer comes first. */
export function holdPictures(hold) {
  held = hold;
  startNext();
}

function startNext() {
  if (held) return;
  for (const image of waiting) {
    if (loading.size >= TOGETHER) return;
    waiting.delete(image);
    near.unobserve(image);
    loading.add(image);
    const done = () => loading.delete(image) && startNext();
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
    image.src = image.dataset.src;
  }
}
