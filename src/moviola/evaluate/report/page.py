"""Render the page that explains one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moviola.evaluate.corrected import CorrectedResult
from moviola.evaluate.report.document import document
from moviola.evaluate.report.facts import Facts, Failure, Listed, first_places
from moviola.evaluate.report.figures import figures
from moviola.evaluate.report.markup import Html, element, join
from moviola.evaluate.report.tables import corrected_section, measures_table
from moviola.evaluate.results import RetrievalResult
from moviola.evaluate.ties import hit_within

_LEGEND = (
    "R@K: percent of queries with a relevant item among the first K. MdR, MnR: median and mean "
    "rank of the first relevant item. MRR, mAP: fractions. Under each number its 95 % bootstrap "
    "interval over queries."
)
_DIRECTIONS = (("text-to-video", "t2v"), ("video-to-text", "v2t"))


@dataclass(frozen=True, slots=True)
class PageContents:
    """Hold what a page shows.

    Attributes:
        title: heading.
        result: the measures.
        protocol: how it was measured, as name and value, for the first screen.
        facts: what the pictures show.
        one_each: whether every text has one video and every video one text.
        words: text id to its words, where they are known.
        thumbnails: video id to a picture as data URI, where there is one.
        made_with: the last line.
        corrected: the same scores corrected for hubs, shown apart.
    """

    title: str
    result: RetrievalResult
    protocol: Sequence[tuple[str, str]]
    facts: Facts
    one_each: bool
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    thumbnails: Mapping[str, str] = field(default_factory=dict[str, str])
    made_with: str = ""
    corrected: Sequence[CorrectedResult] = ()


def render_page(contents: PageContents) -> str:
    """Render one self-contained HTML file: no script, no network, light and dark."""
    return document(
        contents.title,
        element("h1", contents.title),
        element("p", _summary(contents.result), class_="lead"),
        *(element("p", note, class_="warning") for note in contents.result.notes),
        _protocol(contents.protocol),
        element("h2", "Both directions"),
        measures_table([(title, getattr(contents.result, key)) for title, key in _DIRECTIONS]),
        *(element("p", said, class_="note") for said in _footnotes(contents)),
        *corrected_section(contents.corrected),
        element("h2", "Pictures"),
        element("div", *figures(contents.result, contents.facts), class_="charts"),
        *_failures(contents),
        element("footer", contents.made_with),
    )


def _summary(result: RetrievalResult) -> str:
    t2v = result.t2v
    first = first_places("all", hit_within(t2v.ranks, 1, result.ties), seed=0)
    low, high = first.interval
    chance = 100 / max(result.n_gallery, 1)
    return (
        f"Of {result.n_queries:,} texts, {first.value:.1f} % find their video first among "
        f"{result.n_gallery:,} (95 % interval {low:.1f} to {high:.1f}; by chance about "
        f"{chance:.2g} %)."
    )


def _protocol(rows: Sequence[tuple[str, str]]) -> Html:
    entries = (element("div", element("dt", name), element("dd", value)) for name, value in rows)
    return element("dl", *entries, class_="facts")


def _footnotes(contents: PageContents) -> list[str]:
    result = contents.result
    said = [
        _LEGEND,
        (
            f"Ties: {result.t2v.tied:,} texts and {result.v2t.tied:,} videos have a relevant item "
            f"that ties with an irrelevant one; read as {result.ties}."
        ),
    ]
    if contents.one_each:
        said.append(
            "With one caption a video, mAP and MRR are the same number by definition: where they "
            "differ in a published table, ties or duplicates were counted differently in the two."
        )
    else:
        said.append(
            "With several relevant items a query, MRR looks at the first of them and mAP at all, "
            "so that the two differ; R@K asks for any of them."
        )
    if result.v2t.n_queries < result.n_gallery:
        without = result.n_gallery - result.v2t.n_queries
        said.append(
            f"{without:,} videos have no text: they stay in the gallery and are not asked in "
            f"video-to-text."
        )
    return said


def _failures(contents: PageContents) -> list[Html]:
    found = contents.facts.failures
    if not found:
        return []
    return [
        element("h2", "What went wrong most"),
        element(
            "p",
            "The texts whose video came last, their video, and what came first instead. A text "
            "that fits several videos counts as wrong here when another of them comes first.",
        ),
        element("div", *(_failure(each, contents) for each in found), class_="failures"),
    ]


def _failure(failure: Failure, contents: PageContents) -> Html:
    words = contents.words.get(failure.text, "")
    name = element("bdi", f"“{words}”" if words else f"text {failure.text}")
    entries = [_listed(failure.truth, f"its video, rank {failure.rank:g}", contents)]
    entries += [
        _listed(listed, f"rank {place}", contents)
        for place, listed in enumerate(failure.top, start=1)
    ]
    return element("div", element("h3", name), element("ol", *entries), class_="failure")


def _listed(listed: Listed, where: str, contents: PageContents) -> Html:
    picture = contents.thumbnails.get(listed.clip)
    image = element("img", src=picture, alt="", loading="lazy") if picture else Html("")
    return element(
        "li",
        image,
        join([f"{where}: ", element("bdi", listed.clip), f" ({listed.score:.3f})"]),
        class_="right" if listed.relevant else None,
    )
