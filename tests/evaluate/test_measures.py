"""Every measure against the average (best, worst) over all orders of tied items, spelled out."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core.ranks import Ranks, rank_block
from moviola.evaluate.chance import chance_level
from moviola.evaluate.measures import Combined, Measure, hit, parse_measure, parse_measures

NAMES = ["R@1", "R@2", "R@5", "Recall@2", "Recall@4", "MnR", "MRR", "mAP", "nDCG", "nDCG@3"]
#: For these, less is better.
RANKS = {"MnR"}


def naive(name, order, relevant):
    """One measure of one order of gallery items, straight from its definition."""
    positions = [place for place, item in enumerate(order, start=1) if item in relevant]
    family, _, cutoff = name.partition("@")
    k = int(cutoff) if cutoff else len(order)
    if family == "R":
        return float(positions[0] <= k)
    if family == "Recall":
        return sum(place <= k for place in positions) / len(relevant)
    if family == "MnR":
        return float(positions[0])
    if family == "MRR":
        return 1 / positions[0]
    if family == "mAP":
        return sum((i + 1) / place for i, place in enumerate(positions)) / len(relevant)
    gain = sum(1 / math.log2(place + 1) for place in positions if place <= k)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(relevant)) + 1))
    return gain / best


def orders(scores):
    """Every ranking that agrees with the scores."""
    return [
        order
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]


def ranked(rows, relevant):
    columns = np.array([column for columns in relevant for column in sorted(columns)], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in relevant])]).astype(np.int64)
    return rank_block(np.array(rows, np.float64), columns, offsets, 0.0)


@st.composite
def cases(draw):
    size = draw(st.integers(1, 6))
    scores = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    relevant = draw(st.sets(st.integers(0, size - 1), min_size=1))
    return scores, relevant


@settings(max_examples=60)
@given(st.lists(cases(), min_size=1, max_size=3))
def test_measures_agree_with_every_order_of_ties(queries):
    size = min(len(scores) for scores, _ in queries)
    queries = [(s[:size], {i % size for i in r}) for s, r in queries]
    ranks = ranked([scores for scores, _ in queries], [relevant for _, relevant in queries])
    for name in NAMES:
        measure = parse_measure(name)
        found = {
            ties: measure.of(ranks, ties) for ties in ("expected", "optimistic", "pessimistic")
        }
        for number, (scores, relevant) in enumerate(queries):
            values = [naive(name, order, relevant) for order in orders(scores)]
            best, worst = max(values), min(values)
            if name in RANKS:
                best, worst = worst, best
            assert found["expected"][number] == pytest.approx(np.mean(values), abs=1e-12), name
            assert found["optimistic"][number] == pytest.approx(best, abs=1e-12), name
            assert found["pessimistic"][number] == pytest.approx(worst, abs=1e-12), name


@settings(max_examples=40)
@given(
    g=st.integers(0, 30),
    t=st.integers(1, 40),
    r=st.integers(1, 40),
    cutoff=st.integers(1, 60),
)
def test_closed_forms_agree_with_sums_over_places(g, t, r, cutoff):
    r = min(r, t)
    ranks = Ranks(*(np.array(x, np.int64) for x in ([0, 1], [g], [t], [r])))
    chances = [
        math.comb(t - place, r - 1) / math.comb(t, r) if t - place >= r - 1 else 0.0
        for place in range(1, t + 1)
    ]

    def expected(name):
        return parse_measure(name).of(ranks, "expected")[0]

    assert sum(chances) == pytest.approx(1)
    assert expected(f"R@{cutoff}") == pytest.approx(
        sum(chance for place, chance in enumerate(chances, 1) if g + place <= cutoff), abs=1e-12
    )
    assert expected("MRR") == pytest.approx(
        sum(chance / (g + place) for place, chance in enumerate(chances, 1)), abs=1e-12
    )
    assert expected("MnR") == pytest.approx(
        sum(chance * (g + place) for place, chance in enumerate(chances, 1)), abs=1e-9
    )


@given(cases())
def test_one_relevant_item_makes_map_and_mrr_one_number(case):
    scores, relevant = case
    ranks = ranked([scores], [{min(relevant)}])
    for ties in ("expected", "optimistic", "pessimistic"):
        assert parse_measure("mAP").of(ranks, ties) == pytest.approx(
            parse_measure("MRR").of(ranks, ties)
        )


@given(cases())
def test_expected_lies_between_pessimistic_and_optimistic(case):
    ranks = ranked([case[0]], [case[1]])
    for name in NAMES:
        low, middle, high = (
            parse_measure(name).of(ranks, ties)[0]
            for ties in ("pessimistic", "expected", "optimistic")
        )
        if name in RANKS:
            low, high = high, low
        assert low - 1e-12 <= middle <= high + 1e-12


def test_a_thousand_ties_of_everything_are_chance():
    ranks = ranked(np.zeros((1, 1000)), [{3}])
    harmonic = sum(1 / place for place in range(1, 1001))
    assert parse_measure("R@1").of(ranks, "expected")[0] == pytest.approx(0.001, abs=1e-15)
    assert parse_measure("MRR").of(ranks, "expected")[0] == pytest.approx(
        harmonic / 1000, abs=1e-15
    )


def test_a_large_tie_keeps_its_digits():
    # 100,000 tied items far down: closed forms through differences would lose digits here.
    ranks = Ranks(*(np.array(x, np.int64) for x in ([0, 1], [10**5], [3], [2])))
    exact = 2 / 3 / (10**5 + 1) + 1 / 3 / (10**5 + 2)
    assert parse_measure("MRR").of(ranks, "expected")[0] == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("name", [*NAMES, "MdR", "R@50", "SumR", "GeoR", "Recall@10", "nDCG@10"])
def test_measures_print_as_they_parse(name):
    measure = parse_measure(name)
    assert str(measure) == name
    assert parse_measure(name.upper()) == measure == parse_measure(name.lower())
    assert hash(measure) == hash(parse_measure(name))


@pytest.mark.parametrize("name", ["", "R", "R@", "R@0", "R@-1", "R@1.5", "MdR@5", "precision@3"])
def test_what_is_no_measure_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match=r"no measure is called .* there are R@K, .*mAP.*SumR"):
        parse_measure(name)


def test_combined_measures_are_made_of_aggregates():
    total, geometric = parse_measures(["SumR", "GeoR"])
    assert isinstance(total, Combined)
    assert isinstance(hit(1), Measure)
    assert [str(part) for part in total.parts] == ["R@1", "R@5", "R@10"]
    assert total.combine(np.array([10.0, 20.0, 80.0])) == pytest.approx(110)
    assert geometric.combine(np.array([10.0, 20.0, 40.0])) == pytest.approx(20)


@pytest.mark.parametrize("name", ["R@1", "R@10", "Recall@3", "nDCG", "MnR", "MRR", "mAP"])
def test_chance_is_what_random_orders_give(name):
    measure = parse_measure(name)
    gallery, relevant, draws = 7, 2, 4000
    rng = np.random.default_rng(3)
    scores = rng.random((draws, gallery))
    columns = np.tile(np.arange(relevant), draws)
    offsets = np.arange(0, relevant * draws + 1, relevant)
    values = measure.of(rank_block(scores, columns, offsets, 0.0), "expected")
    found = chance_level(gallery, measure=measure, relevant=[relevant])
    assert found == pytest.approx(measure.scale * values.mean(), rel=0.05)


def test_chance_of_one_among_many_is_harmonic():
    assert chance_level(1000) == pytest.approx(sum(1 / n for n in range(1, 1001)) / 1000)
    with pytest.raises(ValueError, match="can be relevant"):
        chance_level(3, relevant=[4])
