"""Draw what is written, said and named in a video of the world: signs, subtitles and file names.

The shots of a video stay what they are; texts come from a random generator of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moviola.synthetic.shapes.world import pick

Colour = tuple[int, int, int]

_NOUNS = (
    "anchor apple basket beacon bicycle blanket bottle bridge bucket camera candle carpet castle "
    "chapel cherry clock coffee copper cotton dragon engine falcon feather fiddle forest garden "
    "ginger hammer harbour helmet honey island jacket kettle ladder lantern lemon letter library "
    "magnet marble market melon mirror museum needle orchard oven paddle parrot pepper piano "
    "pillow pocket potato puzzle rabbit ribbon river rocket saddle silver spoon station"
)
_VERBS = "borrow bring bury carry clean draw fetch fold hide lift mend pack paint sell"
_QUALITIES = "ancient broken cheap empty famous gentle hollow loud narrow rusty tiny wet"
_PLACES = "Lisbon Oslo Prague Dublin Geneva Kyoto Boston Havana Naples Quebec Riga Seville"
_EVENTS = "wedding picnic concert marathon reunion regatta parade lecture"
NOUNS, VERBS, QUALITIES, PLACES, EVENTS = (
    tuple(words.split()) for words in (_NOUNS, _VERBS, _QUALITIES, _PLACES, _EVENTS)
)
COMMON_SIGNS = ("EXIT", "OPEN", "STOP", "SALE", "TAXI", "CAFE", "BANK", "FERRY", "TICKETS", "HOTEL")
#: Heights of the font of a sign, in pixels of a picture of 240 lines.
HEIGHTS = (14, 18, 24, 30)
#: Ink and paper of signs, strong and weak contrasts; None lets the wall show.
INKS: tuple[tuple[Colour, Colour | None], ...] = (
    ((255, 255, 255), (20, 20, 20)),
    ((20, 20, 20), (245, 245, 240)),
    ((250, 220, 60), (20, 60, 140)),
    ((230, 230, 230), (110, 110, 115)),
    ((60, 60, 60), (160, 165, 160)),
    ((255, 255, 255), None),
)
#: Steps through all pairs of nouns and the like; prime, so that no pair comes twice.
STRIDE = 7919


@dataclass(frozen=True)
class Sign:
    """Hold a word or two that stand in one shot of a video.

    Attributes:
        shot: which shot.
        words: in capitals.
        height: of its font in shares of the picture's height.
        place: left and top in [0, 1]: 0 is as far left or up as it fits, 1 as far right or down.
        ink: of the letters.
        paper: behind them, None where the wall shows.
    """

    shot: int
    words: str
    height: float
    place: tuple[float, float]
    ink: Colour
    paper: Colour | None


@dataclass(frozen=True)
class Said:
    """Hold a subtitle: when it is shown, in seconds, and its text."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Texts:
    """Hold all text of a video.

    Attributes:
        name: of its file, without the suffix.
        signs: at most one a shot.
        said: its subtitles by start.
        embedded: whether they lie in the container rather than beside it.
    """

    name: str
    signs: tuple[Sign, ...]
    said: tuple[Said, ...]
    embedded: bool


def draw_texts(seed: int, number: int, spans: list[tuple[float, float]]) -> Texts:
    """Draw the texts of the video of that number, whose shots span these seconds.

    Its own sign, its first subtitle and its name have words that no other video of the world has
    together.
    """
    rng = np.random.default_rng([seed, number, 4])
    own = _nth(seed, number, NOUNS, NOUNS)
    places = rng.permutation(len(spans)).tolist()
    signs = [_sign(rng, places[0], " ".join(own).upper())]
    if len(places) > 1:
        signs.append(_sign(rng, places[1], pick(rng, COMMON_SIGNS)))
    place, event = pick(rng, PLACES), pick(rng, EVENTS)
    year, picture = 2008 + int(rng.integers(16)), (seed * 37 + number * 13) % 10_000
    return Texts(
        name=f"{place} {event} {year} IMG_{picture:04d}",
        signs=tuple(sorted(signs, key=lambda sign: sign.shot)),
        said=tuple(_subtitles(rng, seed, number, spans[-1][1])),
        embedded=bool(number % 2),
    )


def first_words(said: Said) -> str:
    """Return what tells a subtitle from the others: its verb and what is done it to."""
    return " ".join(said.text.rstrip(".").split()[2:6])


def _sign(rng: np.random.Generator, shot: int, words: str) -> Sign:
    ink, paper = INKS[int(rng.integers(len(INKS)))]
    x, y = (float(share) for share in rng.uniform(0, 1, 2))
    return Sign(shot, words, HEIGHTS[int(rng.integers(len(HEIGHTS)))] / 240, (x, y), ink, paper)


def _subtitles(rng: np.random.Generator, seed: int, number: int, end: float) -> list[Said]:
    """Draw a subtitle of two seconds for each four of the video."""
    found: list[Said] = []
    for place, start in enumerate(np.arange(0.25, end - 2, 4).tolist()):
        verb, quality, noun = (
            _nth(seed, number, VERBS, QUALITIES, NOUNS)
            if place == 0
            else (pick(rng, VERBS), pick(rng, QUALITIES), pick(rng, NOUNS))
        )
        text = f"We should {verb} the {quality} {noun} near the {pick(rng, NOUNS)}."
        found.append(Said(start, start + 2.0, text))
    return found


def _nth(seed: int, number: int, *among: tuple[str, ...]) -> tuple[str, ...]:
    """Return the combination of that number, spread over all there are."""
    place = (seed + number) * STRIDE
    chosen: list[str] = []
    for words in among:
        place, rest = divmod(place, len(words))
        chosen.append(words[rest])
    return tuple(chosen)
