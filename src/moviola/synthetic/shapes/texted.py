"""Write worlds in which something is written, said and named, and queries of five kinds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.synthetic.shapes.facts import Claim, Clause, Mention, holds, true_videos
from moviola.synthetic.shapes.film import write_film
from moviola.synthetic.shapes.grammar import say
from moviola.synthetic.shapes.signs import paint_sign
from moviola.synthetic.shapes.texts import COMMON_SIGNS, Texts, draw_texts, first_words
from moviola.synthetic.shapes.world import LEVELS, Take
from moviola.synthetic.shapes.writing import Video, draw, video_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Lines and columns of the pictures.
SIZE = 240
#: A mixed query's sentence is true of so many videos at least: alone it does not do.
COMMON = 4

Kind = Literal["seen", "said", "written", "named", "mixed"]


@dataclass(frozen=True)
class TextedVideo:
    """Hold a video of the world and the texts in it."""

    video: Video
    texts: Texts

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return f"{self.texts.name}.mp4"


@dataclass(frozen=True)
class TextedQuery:
    """Hold a query, of which exactly one video is the answer.

    Attributes:
        kind: where its answer is to be found; `mixed` needs two channels.
        query: the text.
        file: the video's file.
        window: start and end in seconds; None where all of the video is meant.
    """

    kind: Kind
    query: str
    file: str
    window: tuple[float, float] | None


def generate_texted(
    root: Path, *, seed: int, count: int, workers: int = 1
) -> tuple[list[TextedVideo], list[TextedQuery]]:
    """Write a world of the test split with texts: `videos/*` and `queries.jsonl`.

    The shots are those of `draw`; signs are painted onto them. Half of the subtitles lie in the
    containers, half in `.srt` files beside them. A file that is already there is kept.

    Args:
        root: folder to write into, made where it is missing.
        seed: fixes the world.
        count: how many videos.
        workers: processes that render.
    """
    folder = root / "videos"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [draw_texted(seed, number) for number in range(count)]
    jobs = [(folder / each.file, each) for each in drawn if not (folder / each.file).exists()]
    if workers > 1:
        # Not forked: a child of a caller with threads could inherit held locks.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_write_one, jobs, chunksize=4))
    else:
        for job in jobs:
            _write_one(job)
    queries = list(draw_queries(drawn, seed))
    (root / "queries.jsonl").write_text(
        "".join(json.dumps(asdict(query)) + "\n" for query in queries), encoding="utf-8"
    )
    return drawn, queries


def draw_texted(seed: int, number: int) -> TextedVideo:
    """Draw one video of the test split with its texts."""
    video = draw(seed, "test", number, level=LEVELS["plain"])
    return TextedVideo(video, draw_texts(seed, number, video.spans))


def texted_frames(drawn: TextedVideo, size: int = SIZE) -> Iterable[NDArray[np.uint8]]:
    """Render the pictures of a video with its signs, `(size, size, 3)` uint8 each."""
    signs = {sign.shot: sign for sign in drawn.texts.signs}
    for number, take in enumerate(drawn.video.takes):
        for picture in video_frames([take], size):
            yield paint_sign(picture, signs[number]) if number in signs else picture


def draw_queries(drawn: Sequence[TextedVideo], seed: int) -> Iterable[TextedQuery]:
    """Draw queries of each kind: at most one a video and kind, true of that video alone."""
    rng = np.random.default_rng([seed, len(drawn), 5])
    shots = [[take.shot for take in each.video.takes] for each in drawn]
    claims = [claim for each in drawn for claim in each.video.claims]
    alone = true_videos(claims, shots).sum(axis=1) == 1
    spoken = Counter(first_words(said) for each in drawn for said in each.texts.said)
    place = 0
    for each in drawn:
        mine = range(place, place + len(each.video.claims))
        place = mine.stop
        unique = [i for i in mine if alone[i] and len(claims[i].clauses) == 1]
        if unique:
            chosen = unique[int(rng.integers(len(unique)))]
            text = each.video.captions[chosen - mine.start]
            yield TextedQuery("seen", text, each.file, _window(each, claims[chosen]))
        yield from _text_queries(rng, each, spoken)
    yield from _mixed_queries(rng, drawn)


def _text_queries(
    rng: np.random.Generator, each: TextedVideo, spoken: Counter[str]
) -> Iterable[TextedQuery]:
    """Yield what asks for the texts that only this video has; `spoken` counts all subtitles."""
    for said in each.texts.said[:1]:
        if spoken[words := first_words(said)] == 1:
            yield TextedQuery("said", words, each.file, (said.start, said.end))
    for sign in each.texts.signs:
        if sign.words not in COMMON_SIGNS:
            words = sign.words.lower()
            text = words if rng.random() < 0.5 else f"a sign that says {words}"
            yield TextedQuery("written", text, each.file, each.video.spans[sign.shot])
    event, picture = each.texts.name.rsplit(" ", 1)
    yield TextedQuery(
        "named", picture if rng.random() < 0.5 else f"{event} {picture}", each.file, None
    )


def _mixed_queries(rng: np.random.Generator, drawn: Sequence[TextedVideo]) -> Iterable[TextedQuery]:
    """Yield what a sign and a shape tell together, and neither alone."""
    signs = [
        (each, sign.words, each.video.takes[sign.shot], each.video.spans[sign.shot])
        for each in drawn
        for sign in each.texts.signs
        if sign.words in COMMON_SIGNS
    ]
    shots = [[take.shot for take in each.video.takes] for each in drawn]
    for each, words, take, span in signs:
        clause = _brief(rng, take)
        claim = Claim((clause,))
        rivals = sum(word == words and holds(clause, other.shot) for _, word, other, _ in signs)
        if rivals == 1 and int(true_videos([claim], shots).sum()) >= COMMON:
            text = f"{say(rng, claim)} while the sign says {words}"
            yield TextedQuery("mixed", text, each.file, span)


def _brief(rng: np.random.Generator, take: Take) -> Clause:
    thing = take.shot.things[int(rng.integers(len(take.shot.things)))]
    return Clause(mentions=(Mention(shape=thing.shape, colour=thing.colour),))


def _window(each: TextedVideo, claim: Claim) -> tuple[float, float]:
    """Return the span of the first shot of which a claim of one clause is true."""
    fits = (holds(claim.clauses[0], take.shot) for take in each.video.takes)
    return each.video.spans[next(i for i, fit in enumerate(fits) if fit)]


def _write_one(job: tuple[Path, TextedVideo]) -> None:
    path, drawn = job
    cues = [(said.start, said.end, said.text) for said in drawn.texts.said]
    partial = path.with_suffix(".part")
    pictures = texted_frames(drawn)
    write_film(partial, drawn.video.takes, pictures, SIZE, cues if drawn.texts.embedded else ())
    if not drawn.texts.embedded:
        path.with_suffix(".srt").write_text(_subrip(cues), encoding="utf-8")
    partial.replace(path)


def _subrip(cues: Sequence[tuple[float, float, str]]) -> str:
    return "".join(
        f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{text}\n\n"
        for number, (start, end, text) in enumerate(cues, start=1)
    )


def _stamp(seconds: float) -> str:
    minutes, rest = divmod(round(1000 * seconds), 60_000)
    return f"00:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
