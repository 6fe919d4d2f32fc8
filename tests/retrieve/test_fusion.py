"""Evidence of several channels comes together in moments."""

from __future__ import annotations

import pytest

from moviola.retrieve.fusion import Evidence, best_links, fuse


def found(video, start, end, source, probability, *, rank=1, exact=False):
    explains = 0.0 if source == "seen" else 0.9
    return Evidence(video, start, end, (source, 0), probability, rank, exact, explains)


def test_what_meets_in_time_adds_up():
    moments = fuse(
        [
            found("a", 0, 10, "seen", 0.6),
            found("b", 20, 30, "seen", 0.5),
            found("b", 22, 26, "written", 0.4),
            found("a", 40, 44, "written", 0.4),
        ]
    )
    best = moments[0]
    assert (best.video, best.start, best.end) == ("b", 22, 26)
    assert best.probability == pytest.approx(1 - 0.5 * 0.6)
    assert [moment.video for moment in moments] == ["b", "a", "a"]


def test_one_source_counts_once():
    (moment,) = fuse([found("a", 0, 10, "said", 0.5), found("a", 1, 9, "said", 0.5, rank=2)])
    assert moment.probability == pytest.approx(0.5)


def test_a_name_of_a_whole_video_does_not_join_what_is_apart():
    moments = fuse(
        [
            found("a", 0, 100, "named", 0.3),
            found("a", 10, 14, "seen", 0.6),
            found("a", 50, 54, "said", 0.6),
        ]
    )
    assert {(m.start, m.end) for m in moments[:2]} == {(10, 14), (50, 54)}
    assert [len(m.evidence) for m in moments[:2]] == [2, 2]


def test_pictures_choose_among_what_a_text_leaves_open():
    sign = {"probability": 0.5, "rank": 1}
    signs = [Evidence(video, 0, 5, ("written", 0), explains=0.3, **sign) for video in "abc"]
    moments = fuse([*signs, found("b", 0, 5, "seen", 0.05), found("d", 0, 5, "seen", 0.8)])
    assert moments[0].video == "b"
    assert moments[0].probability == pytest.approx(1 - 0.5 * 0.95)
    assert moments[1].video == "d"
    assert moments[1].probability == pytest.approx(0.5 * 0.8)


def test_pictures_do_not_overrule_a_text_that_explains_everything():
    near = Evidence("b", 0, 5, ("written", 0), 0.3, 2, explains=0.95)
    right = Evidence("a", 0, 5, ("written", 0), 0.95, 1, explains=1.0)
    moments = fuse([right, near, found("b", 0, 5, "seen", 0.6)])
    assert [moment.video for moment in moments] == ["a", "b"]


def test_a_weak_text_does_not_bury_pictures():
    moments = fuse([found("a", 0, 5, "named", 0.05), found("b", 0, 5, "seen", 0.6)])
    assert [moment.video for moment in moments] == ["b", "a"]


def test_without_probabilities_ranks_decide():
    moments = fuse(
        [
            found("a", 0, 5, "seen", None, rank=1),
            found("b", 0, 5, "seen", None, rank=2),
            found("b", 0, 5, "said", 0.9, rank=1),
        ]
    )
    assert [moment.video for moment in moments] == ["b", "a"]
    assert moments[0].score == pytest.approx(1 / 62 + 0.9 / 61)
    assert moments[0].probability is None


def test_what_is_exactly_there_comes_first():
    moments = fuse([found("a", 0, 5, "seen", 0.99), found("b", 0, 5, "written", 0.5, exact=True)])
    assert moments[0].video == "b"


def test_steps_follow_each_other_within_a_while():
    first = fuse([found("a", 0, 2, "said", 0.9), found("b", 50, 52, "said", 0.9)])
    second = fuse(
        [
            found("a", 5, 7, "said", 0.8),
            found("a", 90, 92, "said", 0.9),
            found("b", 10, 12, "said", 0.9),
        ]
    )
    ((one, other),) = best_links([first, second], 30)
    assert (one.video, one.start, other.start) == ("a", 0, 5)
