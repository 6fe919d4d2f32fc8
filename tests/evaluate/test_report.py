"""Report pages: nothing given becomes markup, nothing is fetched, pictures tell the truth."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import Qrels, Scores
from moviola.evaluate import evaluate
from moviola.evaluate.report import Facts, PageContents, render_page
from moviola.evaluate.report.charts import Axis, Series, line_chart, powers, round_ticks, ticks
from moviola.evaluate.report.facts import (
    by_group,
    failures,
    histogram,
    hubs,
    recall_curve,
    relevant_cells,
    top_columns,
)
from moviola.evaluate.report.markup import Html, clean, element
from moviola.evaluate.retrieval import rank

RNG = np.random.default_rng(11)
EVIL = "<script>alert(1)</script>\"' onerror=x & </style><img src=http://x.test/a>"


def _scored(texts: int, videos: int, name: str = "") -> tuple[Scores, Qrels]:
    queries = [f"t{i}{name}" for i in range(texts)]
    gallery = [f"v{i}{name}" for i in range(videos)]
    matrix = RNG.normal(size=(texts, videos)).astype(np.float32)
    owners = {query: frozenset([gallery[i % videos]]) for i, query in enumerate(queries)}
    return Scores(queries, gallery, matrix), Qrels(owners)


def _contents(texts: int = 20, videos: int = 10, *, name: str = "") -> PageContents:
    scores, qrels = _scored(texts, videos, name)
    result = evaluate(scores, qrels, resamples=20)
    curves = {}
    for key, side, asked in (
        ("t2v", scores, qrels),
        ("v2t", scores.transposed(), qrels.transposed()),
    ):
        _, ranks = rank(side, asked, 0.0)
        curves[key] = recall_curve(ranks, len(side.gallery), "expected")
    groups = {f"even{name}": frozenset(scores.queries[::2])}
    facts = Facts(
        curves=curves,
        histogram=histogram(scores, qrels),
        hubs=hubs(scores),
        failures=failures(scores, qrels, result.t2v, result.ties),
        groups=by_group(result.t2v, groups, result.ties, seed=0),
    )
    return PageContents(
        title=f"A title{name}",
        result=result,
        protocol=[(f"key{name}", f"value{name}")],
        facts=facts,
        one_each=False,
        words=dict.fromkeys(scores.queries, f"words{name}"),
        thumbnails={scores.gallery[0]: "data:image/jpeg;base64,AAAA"},
        made_with=f"tests{name}",
    )


class _Page(HTMLParser):
    """Elements and attributes as a browser's parser finds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    handle_startendtag = handle_starttag


def test_nothing_given_becomes_markup():
    tame, wild = _Page(render_page(_contents())), _Page(render_page(_contents(name=EVIL)))
    assert "script" not in wild.tags
    assert set(wild.tags) == set(tame.tags)
    assert {name for name, _ in wild.attributes} == {name for name, _ in tame.attributes}
    for name, value in wild.attributes:
        if name in ("src", "href"):
            assert value.startswith("data:image/")


def test_the_longest_category_of_msrvtt_is_shown_whole():
    contents = _contents()
    group = replace(contents.facts.groups[0], name="category: news/events/politics", count=2740)
    facts = replace(contents.facts, groups=[group])
    assert ">news/events/politics (2,740)<" in render_page(replace(contents, facts=facts))


def test_nothing_is_fetched_and_nothing_runs():
    text = render_page(_contents())
    page = _Page(text)
    assert any("default-src 'none'" in (value or "") for _, value in page.attributes)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    addresses = set(re.findall(r"https?://[^\"' <>]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@given(st.text())
def test_text_and_attributes_are_escaped(text):
    made = element("p", text, title=text)
    parsed = ET.fromstring(made)  # noqa: S314 -- what was just made
    assert len(parsed) == 0
    assert set(parsed.attrib) == {"title"}
    assert (parsed.text or "") == re.sub("\r\n?", "\n", clean(text))


def test_markup_stays_markup_and_direction_overrides_do_not():
    assert element("p", Html("<b>x</b>"), "<") == "<p><b>x</b>&lt;</p>"
    assert "\u202e" not in element("p", "a\u202eb")
    assert element("line", x1=1.25, y1=2.0, class_="a", stroke=None) == (
        '<line x1="1.2" y1="2" class="a"/>'
    )


def test_the_first_screen_says_how_it_was_measured():
    text = render_page(_contents())
    assert text.index("key") < text.index("Both directions") < text.index("Recall at K")
    assert "95 % interval" in text


def test_one_caption_a_video_is_told_that_map_is_mrr():
    contents = _contents(10, 10)
    both = {True: "the same number by definition", False: "MRR looks at the first of them"}
    for one_each, said in both.items():
        page = PageContents(
            contents.title, contents.result, contents.protocol, contents.facts, one_each
        )
        assert said in render_page(page)


@pytest.mark.parametrize(("texts", "videos"), [(1, 1), (1, 5), (5, 1), (3, 2)])
def test_the_smallest_evaluations_have_a_page(texts, videos):
    assert "</html>" in render_page(_contents(texts, videos))


def test_constant_scores_have_a_page():
    names = ["a", "b", "c"]
    scores = Scores(names, names, np.ones((3, 3), np.float32))
    qrels = Qrels({name: frozenset([name]) for name in names})
    spread = histogram(scores, qrels)
    assert spread.positives.sum() == pytest.approx(100)
    assert hubs(scores).skew == 0


def test_histograms_hold_every_pair():
    scores, qrels = _scored(30, 20)
    found = histogram(scores, qrels)
    assert found.positives.sum() == pytest.approx(100)
    assert found.negatives.sum() == pytest.approx(100)
    rows, columns = relevant_cells(scores, qrels)
    assert found.mean_positive == pytest.approx(scores.matrix[rows, columns].mean(), rel=1e-5)
    mask = np.ones(scores.matrix.shape, bool)
    mask[rows, columns] = False
    assert found.mean_negative == pytest.approx(scores.matrix[mask].mean(), abs=1e-6)


def test_lists_are_the_best_in_order():
    block = RNG.integers(0, 6, (40, 15)).astype(np.float32)
    for depth in (1, 4, 15):
        best = top_columns(block, depth)
        values = np.take_along_axis(block, best, axis=1)
        np.testing.assert_array_equal(values, -np.sort(-block, axis=1)[:, :depth])


def test_hubs_count_lists():
    scores, _ = _scored(50, 30)
    found = hubs(scores)
    assert found.counts.sum() == 50 * 10
    naive = np.zeros(30, int)
    for row in scores.matrix:
        naive[np.argsort(-row)[:10]] += 1
    np.testing.assert_array_equal(found.counts, naive)
    assert found.never == (naive == 0).mean()


def test_failures_are_the_worst_and_show_what_came_first():
    scores, qrels = _scored(30, 20)
    result = evaluate(scores, qrels, resamples=0)
    found = failures(scores, qrels, result.t2v, result.ties)
    ranks = sorted(result.t2v.per_query["MnR"], reverse=True)
    assert [each.rank for each in found] == ranks[: len(found)]
    for each in found:
        row = scores.matrix[scores.queries.index(each.text)]
        assert each.top[0].score == pytest.approx(row.max())
        assert each.truth.clip in qrels.relevant[each.text]


def test_curves_end_where_everything_is_found():
    scores, qrels = _scored(30, 20)
    _, ranks = rank(scores, qrels, 0.0)
    curve = recall_curve(ranks, 20, "expected")
    assert curve.values[-1] == 100
    assert (np.diff(curve.values) >= 0).all()
    assert (curve.low <= curve.values).all()
    assert (curve.values <= curve.high).all()


@pytest.mark.parametrize("high", [0.003, 1, 7.3, 100, 12345])
def test_ticks_are_round_and_reach_the_end(high):
    found = ticks(high)
    assert found[0] == 0
    assert found[-2] < high <= found[-1] * (1 + 1e-9)
    assert 2 <= len(found) <= 12
    inside = round_ticks(-high, high)
    assert all(-high - 1e-9 <= tick <= high + 1e-9 for tick in inside)
    assert powers(high)[-1] <= max(high, 1)


def test_a_chart_is_well_formed_and_inside_its_frame():
    axis = Axis(1, 100, [1, 10, 100], "x", log=True)
    series = Series("<&>", [(1, 0), (10, 50), (1000, 200)], "t2v", [(0, 1), (2, 3), (4, 300)])
    made = line_chart([series], axis, Axis(0, 100, [0, 100], "y"), label="l")
    tree = ET.fromstring(made)  # noqa: S314 -- what was just made
    for line in tree.iter("{http://www.w3.org/2000/svg}polyline"):
        for pair in line.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= 440
            assert 0 <= y <= 284
