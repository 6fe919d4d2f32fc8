"""VCMR, SVMR and VR against a naive reading of TVR's definition, and its corner cases."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.evaluate.moments.corpus import CUTOFFS, TASKS, evaluate_corpus_moments

RNG = np.random.default_rng(12)


def _moments(count: int) -> list[FoundMoment]:
    return [
        FoundMoment(str(RNG.choice(list("abc"))), *map(float, (start, start + RNG.uniform(1, 9))))
        for start in RNG.uniform(0, 12, count)
    ]


def _naive(task, found, queries, limit, cutoff) -> float:
    right = 0
    for query in queries:
        moments = found.get(query.id, [])[:100]
        if task == "SVMR":
            moments = [m for m in moments if m.video == query.video]
        hits = []
        for video, start, end, _ in moments[:cutoff]:
            met = 0
            for s, e in query.spans:
                both = max(0.0, min(end, e) - max(start, s))
                met += both / (max(end, e) - min(start, s)) >= limit
            hits.append(video == query.video and (task == "VR" or met >= query.agreeing))
        right += any(hits)
    return round(100 * right / len(queries), 2)


def test_every_task_is_what_it_says():
    queries = [
        MomentQuery(
            str(number),
            "",
            str(RNG.choice(list("abc"))),
            tuple((float(s), float(s + 5)) for s in RNG.uniform(0, 12, 4 if number % 3 else 1)),
            agreeing=2 if number % 3 else 1,
        )
        for number in range(40)
    ]
    found = {
        task: {query.id: _moments(int(RNG.integers(0, 130))) for query in queries[:-2]}
        for task in TASKS
    }
    result = evaluate_corpus_moments(found, queries, resamples=50)
    told = result.to_json()
    assert set(told) == set(TASKS)  # no kinds of queries, no numbers by kind
    for cutoff in CUTOFFS:
        assert told["VR"][f"r{cutoff}"] == _naive("VR", found["VR"], queries, 0, cutoff)
        for task in ("VCMR", "SVMR"):
            for limit in (0.5, 0.7):
                name = f"{limit}-r{cutoff}"
                assert told[task][name] == _naive(task, found[task], queries, limit, cutoff)
                low, high = result.intervals[task][name]
                assert low <= told[task][name] + 0.01
                assert high >= told[task][name] - 0.01


def _one(spans, moment, agreeing=1):
    query = MomentQuery("q", "", "a", spans, agreeing)
    found = {"VCMR": {"q": [moment]}}
    return evaluate_corpus_moments(found, [query], resamples=0).aggregates["VCMR"]


@pytest.mark.parametrize(
    ("start", "end", "half", "more"),
    [
        (0.0, 5.0, 100, 0),  # exactly the threshold is enough
        (0.0, 7.0, 100, 100),
        (0.0, 4.99, 0, 0),
        (3.0, 3.0, 0, 0),  # without length
        (11.0, 14.0, 0, 0),  # beside it
        (10.0, 0.0, 0, 0),  # the wrong way round
    ],
)
def test_overlaps_at_the_threshold(start, end, half, more):
    found = _one(((0.0, 10.0),), FoundMoment("a", start, end))
    assert (found["0.5-r1"], found["0.7-r1"]) == (half, more)
    assert _one(((0.0, 10.0),), FoundMoment("b", start, end))["0.5-r1"] == 0


def test_two_annotators_must_agree():
    spans = ((0.0, 5.0), (5.0, 10.0), (10.0, 15.0), (10.0, 15.0))
    assert _one(spans, FoundMoment("a", 0, 5), 2)["0.5-r1"] == 0
    assert _one(spans, FoundMoment("a", 10, 15), 2)["0.7-r1"] == 100
    assert _one(spans, FoundMoment("a", 0, 5), 1)["0.7-r1"] == 100
    with pytest.raises(ValueError, match="of which 2 must be met"):
        MomentQuery("q", "", "a", ((0.0, 5.0),), 2)


def test_only_a_hundred_count_and_single_video_counts_within_them():
    query = MomentQuery("q", "", "a", ((0.0, 5.0),))
    others = [FoundMoment("b", 0, 5)] * 99
    last, beyond = [*others, FoundMoment("a", 0, 5)], [FoundMoment("b", 0, 5)] * 100
    for moments, share in ((last, 100), ([*beyond, FoundMoment("a", 0, 5)], 0)):
        found = {task: {"q": moments} for task in TASKS}
        told = evaluate_corpus_moments(found, [query], resamples=0).aggregates
        assert told["VCMR"]["0.5-r100"] == told["VR"]["r100"] == share
        assert told["VCMR"]["0.5-r10"] == told["VR"]["r10"] == 0
        # Within the right video it is the first.
        assert told["SVMR"]["0.5-r1"] == share


def test_rows_tell_the_ranks():
    queries = [
        MomentQuery("x", "", "a", ((0.0, 5.0),), kind="v"),
        MomentQuery("y", "", "a", ((0, 5),)),
    ]
    found = {"VCMR": {"x": [FoundMoment("b", 0, 5), FoundMoment("a", 0, 3)]}}
    result = evaluate_corpus_moments(found, queries, resamples=0)
    assert list(result.rows()) == [
        {"query": "x", "kind": "v", "VCMR_0.5": 2, "VCMR_0.7": 0},
        {"query": "y", "kind": "", "VCMR_0.5": 0, "VCMR_0.7": 0},
    ]
    assert result.to_json()["VCMR_by_type"]["v-0.5-r5"] == 100
    assert result.to_json()["VCMR_by_type"]["desc_type_ratio"] == "v 50.0"


def test_what_cannot_be_measured_is_refused():
    query = MomentQuery("q", "", "a", ((0.0, 5.0),))
    for queries, found, said in (
        ([], {}, "there is no query"),
        ([query, query], {}, "comes twice"),
        ([query], {"VR": {"p": []}}, "'p' has moments for VR but no truth"),
    ):
        with pytest.raises(ValueError, match=said):
            evaluate_corpus_moments(found, queries)
