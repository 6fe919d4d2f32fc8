"""Fit how far matching words are to be trusted.

Run as `python -m moviola.experiments.calibration.words`. Libraries are drawn from timed sentences
of real videos, which stand for what is said, with signs and file names made of their words.
Queries of known source ask for a line as it stands, in part, with a typo or a word lost, within a
longer sentence, or by a word or two; others describe something else, and whatever words find for
them is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Passage, Span
from moviola.core.json_text import decode_json
from moviola.library.text_index import IndexedPassages
from moviola.retrieve.calibration.logistic import Logistic, fit_logistic
from moviola.retrieve.calibration.measures import area_under_curve, calibration_error
from moviola.retrieve.words.evidence import features_of
from moviola.retrieve.words.matching import compared_passages

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_SIZES = (30, 100, 300)
_LIBRARIES = 6  # of each size
_QUERIES = 12  # of each kind and library
_LINES = 8  # of each video
_SIGNS = 60  # different ones in all libraries
# Hits of a query that are fitted: what comes later is hardly ever right.
_HITS = 5
_FRAMES = (
    "{}",
    "someone says {}",
    "they talk about {}",
    "the part where a man explains {}",
)
_SIGN_FRAMES = ("{}", "a sign that says {}", "{} is written on the wall", "the word {} on screen")
_MIXED_FRAMES = ("{seen} while the sign says {text}", "{seen} and we read {text}", "{text}, {seen}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A query, and the numbers of the passages that it means.

    Attributes:
        kind: of query.
        text: the query.
        right: numbers of passages; none for what is only seen.
    """

    kind: str
    text: str
    right: frozenset[int]


def read_lines(file: Path) -> list[list[str]]:
    """Read the sentences of each video of ActivityNet Captions, by time."""
    found = decode_json(file.read_text())
    return [[" ".join(line.split()) for line in video["sentences"]] for video in found.values()]


def draw_library(lines: Sequence[Sequence[str]], size: int, rng: Generator) -> list[Passage]:
    """Draw the passages of `size` videos: lines that are said, signs and names."""
    videos = rng.choice(len(lines), size, replace=False).tolist()
    words = sorted({w for own in lines[: 4 * _SIGNS] for line in own for w in _content(line)})
    signs = [str(rng.choice(words)).upper() for _ in range(_SIGNS)]
    signs += [" ".join(map(str, rng.choice(words, 2))).upper() for _ in range(_SIGNS)]
    found: list[Passage] = []
    for number, video in enumerate(videos):
        name = f"v{number}"
        for place, line in enumerate(lines[int(video)][:_LINES]):
            found.append(Passage(name, Span(10 * place, 10 * place + 4), line, "subtitles"))
        for place in range(int(rng.integers(0, 3))):
            sign = str(rng.choice(signs))
            found.append(Passage(name, Span(20 * place, 20 * place + 5), sign, "writing"))
        title = f"{' '.join(map(str, rng.choice(words, 2)))} {int(rng.integers(1000, 9999))}"
        found.append(Passage(name, Span(0, 99), title, "names"))
    return found


def draw_trials(
    passages: Sequence[Passage], seen: Sequence[str], rng: Generator
) -> Iterator[Trial]:
    """Draw queries of each kind."""
    by_channel = {
        channel: [n for n, passage in enumerate(passages) if passage.channel == channel]
        for channel in ("subtitles", "writing", "names")
    }
    for _ in range(_QUERIES):
        other = _sentence(seen, rng)
        yield Trial("seen", other, frozenset())
        for channel, frames in (
            ("subtitles", _FRAMES),
            ("writing", _SIGN_FRAMES),
            ("names", ("{}", "the video {}")),
        ):
            text = passages[int(rng.choice(by_channel[channel]))].text
            part = _part(text, rng) if channel == "subtitles" else _mistyped(text, rng)
            query = str(rng.choice(frames)).format(part)
            yield Trial(channel, query, _holding(passages, channel, text))
        keywords = _keywords(passages[int(rng.choice(by_channel["subtitles"]))].text, rng)
        if keywords:
            yield Trial("keywords", " ".join(keywords), _with_words(passages, keywords))
        text = passages[int(rng.choice(by_channel["writing"]))].text
        frame = str(rng.choice(_MIXED_FRAMES))
        query = frame.format(seen=other, text=text)
        yield Trial("mixed", query, _holding(passages, "writing", text))


def measure_hits(
    lines: Sequence[Sequence[str]], seen: Sequence[str], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    """Compare the best hits of many queries.

    Returns:
        Features `(n, F)`, whether each hit is right `(n,)`, and the kinds of their queries.
    """
    rng = np.random.default_rng(seed)
    rows: list[Sequence[float]] = []
    right: list[bool] = []
    kinds: list[str] = []
    for size in _SIZES:
        for _ in range(_LIBRARIES):
            passages = draw_library(lines, size, rng)
            index = IndexedPassages.of(passages)
            everything = np.ones(len(passages), np.bool_)
            for trial in draw_trials(passages, seen, rng):
                counts: dict[str, int] = {}
                for hit in compared_passages(trial.text, index, everything):
                    counts[hit.group] = counts.get(hit.group, 0) + 1
                    if counts[hit.group] <= _HITS:
                        rows.append(features_of(hit.compared, hit.rivals))
                        right.append(hit.number in trial.right)
                        kinds.append(trial.kind)
    return np.array(rows, np.float64), np.array(right, np.bool_), kinds


def main() -> None:
    """Fit on half of the videos, and print what the other half says."""
    parser = argparse.ArgumentParser(description="Fit how far words are to be trusted.")
    parser.add_argument("--lines", type=Path, required=True, help="val_1.json of ActivityNet")
    parser.add_argument("--seen", type=Path, required=True, help="captions, one a line")
    arguments = parser.parse_args()
    lines = read_lines(arguments.lines)
    seen = arguments.seen.read_text().splitlines()
    half, seen_half = len(lines) // 2, len(seen) // 2
    features, right, kinds = measure_hits(lines[:half], seen[:seen_half], 1)
    fitted = fit_logistic(features, right, importance=_balanced(kinds))
    print("intercept", round(fitted.intercept, 3), "weights", np.round(fitted.weights, 3).tolist())
    features, right, kinds = measure_hits(lines[half:], seen[seen_half:], 2)
    _tell(fitted, features, right, kinds)


def _tell(
    fitted: Logistic, features: NDArray[np.float64], right: NDArray[np.bool_], kinds: list[str]
) -> None:
    """Print what a fit is worth on hits that it has not seen."""
    chances = fitted.probabilities(features)
    print(
        f"{len(right)} hits, {right.mean():.3f} right: "
        f"AUC {area_under_curve(chances, right):.3f}, "
        f"calibration error {calibration_error(chances, right):.3f}"
    )
    for kind in sorted(set(kinds)):
        own = np.array([each == kind for each in kinds])
        high = own & (chances >= 0.9)
        print(
            f"  {kind}: {own.sum()} hits, mean {chances[own].mean():.3f}, right "
            f"{right[own].mean():.3f}, at .9 or above {high.sum()}, of which right "
            f"{right[high].mean() if high.any() else float('nan'):.3f}"
        )


def _balanced(kinds: Sequence[str]) -> NDArray[np.float64]:
    """Weigh hits so that each kind of query counts alike."""
    names, at, counts = np.unique(np.array(kinds), return_inverse=True, return_counts=True)
    return (len(kinds) / len(names) / counts)[at]


def _content(line: str) -> list[str]:
    """List the longer words of a line."""
    return [word for word in line.lower().strip(".").split() if word.isalpha() and len(word) > 3]


def _sentence(seen: Sequence[str], rng: Generator) -> str:
    """Draw a description of something else."""
    return str(seen[int(rng.integers(len(seen)))])


def _part(line: str, rng: Generator) -> str:
    """Take three to eight words of a line out of it, now and then with one lost or mistyped."""
    words = line.strip(".").split()
    length = int(rng.integers(3, 9))
    first = int(rng.integers(max(1, len(words) - length + 1)))
    part = words[first : first + length]
    if len(part) > 3 and rng.random() < 0.3:
        part.pop(int(rng.integers(len(part))))
    return _mistyped(" ".join(part), rng)


def _mistyped(text: str, rng: Generator) -> str:
    """Swap two letters of a word, now and then."""
    words = text.split()
    long = [n for n, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long or rng.random() > 0.2:
        return text
    at = int(rng.choice(long))
    place = int(rng.integers(1, len(words[at]) - 1))
    word = words[at]
    words[at] = word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
    return " ".join(words)


def _keywords(line: str, rng: Generator) -> list[str]:
    """Take a long word or two of a line."""
    words = _content(line)
    count = min(len(words), int(rng.integers(1, 3)))
    return [str(word) for word in rng.choice(words, count, replace=False)] if words else []


def _with_words(passages: Sequence[Passage], words: Sequence[str]) -> frozenset[int]:
    """List the passages in which all words stand."""
    return frozenset(
        n for n, p in enumerate(passages) if set(words) <= set(p.text.lower().strip(".").split())
    )


def _holding(passages: Sequence[Passage], channel: str, text: str) -> frozenset[int]:
    """List the passages of a channel that say just that."""
    return frozenset(n for n, p in enumerate(passages) if p.channel == channel and p.text == text)


if __name__ == "__main__":
    main()
