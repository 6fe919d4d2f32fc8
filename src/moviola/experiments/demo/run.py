"""Run the main job from end to end on a generated world: render, index, search, measure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from moviola.core import Clip, Embeddings, Qrels, SpaceMismatchError, Span
from moviola.core.json_text import decode_json
from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.experiments.demo.contact_sheet import SheetRow, write_contact_sheet
from moviola.pipeline.index.index import index
from moviola.pipeline.search.search import open_library, search
from moviola.plugins import load_encoder
from moviola.synthetic.shapes import Claim, is_true
from moviola.synthetic.shapes.facts import Shot, Thing

if TYPE_CHECKING:
    from moviola.core.moments import Moment
    from moviola.library import Library
    from moviola.pipeline.index.report import IndexReport

SEED = 2026
SEGMENT = "windows:2/1"
ABSENT = "a dog on a skateboard"
_QUERIES = 5
_TOP = 3


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a caption with a known answer.

    Attributes:
        query: its words.
        claim: what it asserts, None where it speaks of another world.
        video: id of the video of which it is true, `""` where none is.
        span: `(start, end)` of its shot, seconds.
    """

    query: str
    claim: Claim | None
    video: str = ""
    span: tuple[float, float] = (0.0, 0.0)


def run_demo(
    out: Path,
    *,
    videos: int,
    say: Callable[[str], Any],
    on_progress: Callable[[str, int, int], Any] = lambda *_: None,
) -> None:
    """Render `videos` captioned videos under `out`, index, search and evaluate them.

    Args:
        out: folder that gets the world, the library and `contact_sheet.png`; what is there
            already from an earlier run is used again.
        videos: how many videos.
        say: prints one line of the story.
        on_progress: told what is going on, how much of it is done, and out of how much.
    """
    began = perf_counter()
    # A demo of another size is another world: a smaller one must not find what a larger one left.
    world, library = out / f"world-{videos}", out / f"library-{videos}"
    _render(world, videos, say, on_progress)
    _index(world, library, say, on_progress)
    truth = Truth.read(world)
    opened = open_library(library)
    rows = _search(opened, truth, say)
    sheet = out / "contact_sheet.png"
    _draw(sheet, rows)
    say(f"\nA picture of these answers: {sheet}")
    _evaluate(opened, world, truth, say)
    say(f"\nDone in {perf_counter() - began:.0f} s. Ask this world something yourself:")
    say(f'  moviola search "{truth.questions[0].query}" --library {library}')
    say(f"  moviola serve --library {library}")
    say("Then your own videos:")
    say("  moviola index ~/Videos")
    say('  moviola search "a dog on a skateboard"')
    say(
        "These take a real encoder, whose weights are fetched once (see `moviola models` and "
        "docs/models.md); the one in the package knows the generated world only."
    )


def _render(
    world: Path, videos: int, say: Callable[[str], Any], on_progress: Callable[[str, int, int], Any]
) -> None:
    from moviola.synthetic import shapes

    began = perf_counter()
    on_progress("rendering", 0, videos)
    made = shapes.generate(world, seed=SEED, videos={"test": videos}, workers=2)
    seconds = sum(video.seconds for video in made)
    say(
        f"Rendered {len(made)} captioned videos, {seconds:.0f} s of H.264 in all, into "
        f"{world} ({perf_counter() - began:.0f} s)."
    )


def _index(
    world: Path,
    library: Path,
    say: Callable[[str], Any],
    on_progress: Callable[[str, int, int], Any],
) -> None:
    began = perf_counter()

    def run() -> IndexReport:
        return index(
            [world / "videos"],
            library=library,
            model="shapes",
            segment=SEGMENT,
            on_progress=lambda step: on_progress("indexing", step.done, step.total),
        )

    try:
        report = run()
    except SpaceMismatchError:
        # The demo's own library, from before the encoder in the package was replaced.
        shutil.rmtree(library)
        report = run()
    say(
        f"Indexed them: {report.ok} new, {report.skipped} unchanged, {report.failed} failed; "
        f"{report.clips} clips of 2 s ({perf_counter() - began:.0f} s)."
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """Hold what is true of each video of a generated world.

    Attributes:
        shots: by video id, the shots in time order and when they are.
        questions: captions that are true of exactly one moment, and one that is true of none.
    """

    shots: dict[str, list[tuple[Shot, Span]]]
    questions: list[Question]

    @classmethod
    def read(cls, world: Path) -> Truth:
        """Read the truth of the world that was generated into the folder `world`."""
        shots = {
            video["video_id"]: [
                (
                    Shot(shot["background"], shot["camera"], _things(shot)),
                    Span(shot["start"], shot["end"]),
                )
                for shot in video["shots"]
            ]
            for video in _lines(world / "facts.jsonl")
        }
        truth = cls(shots, [])
        for line in _lines(world / "moments.jsonl"):
            claim = Claim.from_json(line["asserted"])
            if len(truth.videos(claim)) == 1:
                span = tuple(line["relevant_windows"][0])
                truth.questions.append(Question(line["query"], claim, line["vid"], span))
        return truth

    def videos(self, claim: Claim) -> list[str]:
        """List the ids of the videos of which a claim is true."""
        return [
            video
            for video, shots in self.shots.items()
            if is_true(claim, [shot for shot, _ in shots])
        ]

    def is_right(self, claim: Claim | None, moment: Moment) -> bool:
        """Test whether a one-clause claim holds in a shot that fills half of the moment or more."""
        if claim is None:
            return False
        found = Span(moment.start, moment.end)
        return any(
            is_true(claim, [shot]) and found.overlap(span) >= found.duration / 2
            for shot, span in self.shots[moment.path.stem]
        )


def _things(shot: dict[str, Any]) -> tuple[Thing, ...]:
    return tuple(Thing(**thing) for thing in shot["things"])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [decode_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _search(opened: Library, truth: Truth, say: Callable[[str], Any]) -> list[SheetRow]:
    step = max(1, len(truth.questions) // _QUERIES)
    asked = [*truth.questions[::step][:_QUERIES], Question(ABSENT, None)]
    rows: list[SheetRow] = []
    for question in asked:
        moments = search(question.query, library=opened, top=_TOP, per_video=1)
        right = [truth.is_right(question.claim, moment) for moment in moments]
        rows.append(SheetRow(question.query, moments, right))
        say(f"\n“{question.query}”" + ("  (the library holds none)" if not question.claim else ""))
        for moment, is_right in zip(moments, right, strict=True):
            verdict = "right" if is_right else "wrong"
            say(
                f"  {moment.path.name}  {moment.start:5.1f} - {moment.end:4.1f} s  "
                f"{moment.score:.2f} {moment.band or '':<6}  {verdict}"
            )
    return rows


def _draw(sheet: Path, rows: Sequence[SheetRow]) -> None:
    from moviola.video import read_frames_at

    write_contact_sheet(
        sheet,
        rows,
        title="Moviola: what each sentence found in the generated world, best first",
        frames_at=read_frames_at,
    )


def _evaluate(opened: Library, world: Path, truth: Truth, say: Callable[[str], Any]) -> None:
    """Measure text-to-video retrieval over the whole library, on captions true of one video."""
    from moviola.evaluate import evaluate
    from moviola.plugins import load_dataset
    from moviola.score import maxsim

    dataset = load_dataset("msrvtt", world, "test")
    claims = [
        Claim.from_json(sentence["asserted"])
        for sentence in decode_json((world / "annotations.json").read_text("utf-8"))["sentences"]
    ]
    unique = [
        text
        for text, claim in zip(dataset.texts, claims, strict=True)
        if len(truth.videos(claim)) == 1
    ]
    # An order caption ("A, then B") keeps a row for each clause, and each finds its own window.
    encoder = load_encoder(opened.card.model, pooling="none")
    texts = Embeddings.from_rows(
        unique,
        encoder.encode_texts([text.text for text in unique]),
        encoder.space,
        encoder.text_readout,
    )
    qrels = Qrels({text.id: dataset.qrels.relevant[text.id] for text in unique})
    result = evaluate(maxsim(texts, _by_video(opened)), qrels)
    say(
        f"\nRetrieval, {len(unique)} captions that are true of exactly one of the "
        f"{len(truth.shots)} videos (of {len(dataset.texts)} in all):"
    )
    say(str(result))
    say(f"Chance would be R@1 {100 / len(truth.shots):.1f}.")
    say(corpus_moments(opened, truth))


def corpus_moments(opened: Library, truth: Truth) -> str:
    """Measure the search for moments that are true of one video, in one line."""
    from moviola.evaluate.moments.corpus import CUTOFFS, DEPTH, evaluate_corpus_moments

    queries = [
        MomentQuery(str(number), question.query, question.video, (question.span,))
        for number, question in enumerate(truth.questions)
    ]
    found = {
        query.id: [
            FoundMoment(moment.path.stem, moment.start, moment.end, moment.score)
            for moment in search(query.text, library=opened, top=DEPTH, per_video=None, fold=False)
        ]
        for query in queries
    }
    vcmr = evaluate_corpus_moments({"VCMR": found}, queries, resamples=0).aggregates["VCMR"]
    told = ", ".join(f"R@{k} {vcmr[f'0.5-r{k}']:.1f} / {vcmr[f'0.7-r{k}']:.1f}" for k in CUTOFFS)
    return f"Moments in the whole library (VCMR, IoU 0.5 / 0.7), {len(queries)} queries: {told}."


def _by_video(opened: Library) -> Embeddings[Clip]:
    """Return the library's clips as the rows of whole videos, named by their file's stem."""
    clips = opened.embeddings()
    return Embeddings(
        [Clip(clip.path.stem, clip.path, clip.span) for clip in clips.items],
        clips.offsets,
        clips.shards,
        clips.space,
        clips.readout,
    )
