from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Qrels, Scores
from moviola.evaluate import evaluate


def square(matrix, **options):
    texts = [f"t{i}" for i in range(matrix.shape[0])]
    videos = [f"v{i}" for i in range(matrix.shape[1])]
    qrels = Qrels({t: frozenset([v]) for t, v in zip(texts, videos, strict=True)})
    return evaluate(Scores(texts, videos, matrix), qrels, **{"resamples": 0} | options)


def test_constant_embeddings_score_chance():
    result = square(np.ones((1000, 1000), np.float32))
    for side in (result.t2v, result.v2t):
        assert side["R@1"] == pytest.approx(0.1)
        assert side["MRR"] == pytest.approx(sum(1 / i for i in range(1, 1001)) / 1000)
        assert side["MdR"] == pytest.approx(500.5)
        assert side.tied == 1000


def test_perfect_scores_are_perfect_and_untied():
    result = square(np.eye(20))
    assert result.to_json() == {
        "t2v": result.v2t.aggregates,
        "v2t": result.v2t.aggregates,
        "n_queries": 20,
        "n_gallery": 20,
        "ties": {"mode": "expected", "t2v": 0, "v2t": 0},
        "notes": [],
    }
    assert dict(result.t2v.aggregates) == {
        "R@1": 100, "R@2": 100, "R@5": 100, "R@10": 100, "MdR": 1, "MnR": 1, "MRR": 1, "mAP": 1,
    }  # fmt: skip


def test_d11_one_query_and_one_video_are_an_evaluation():
    result = square(np.ones((1, 1)))
    assert result.t2v["R@1"] == result.v2t["R@1"] == 100
    assert result.t2v["MdR"] == 1


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_d11_an_evaluation_of_nothing_is_refused(shape):
    with pytest.raises(ValueError, match=r"no |empty|nothing"):
        evaluate(
            Scores(
                [f"t{n}" for n in range(shape[0])],
                [f"v{n}" for n in range(shape[1])],
                np.zeros(shape),
            ),
            Qrels({}),
        )


def test_d15_more_than_there_is_finds_everything():
    chance = np.random.default_rng(15)
    result = square(chance.normal(size=(5, 5)), measures=["R@5", "R@10", "nDCG@100", "nDCG@5"])
    assert result.t2v["R@10"] == result.t2v["R@5"] == 100
    assert result.t2v["nDCG@100"] == pytest.approx(result.t2v["nDCG@5"])


def test_ragged_relevance_in_both_directions():
    scores = Scores(
        ["a1", "a2", "b1", "nobody"],
        ["A", "B", "unseen"],
        np.array([[3, 2, 1], [1, 3, 2], [1, 2, 3], [9, 9, 9]], np.float64),
    )
    qrels = Qrels({"a1": frozenset("A"), "a2": frozenset("A"), "b1": frozenset("B")})
    result = evaluate(scores, qrels, measures=["R@1", "MnR", "mAP"], resamples=0)
    assert result.t2v.queries == ("a1", "a2", "b1")
    assert (result.t2v.n_gallery, result.v2t.n_gallery) == (3, 4)
    assert result.t2v.per_query["MnR"].tolist() == [1, 3, 2]
    # Video A ranks nobody 9, a1 3, then a2 and b1 tied at 1; its captions a1 and a2.
    assert result.v2t.queries == ("A", "B")
    assert result.v2t.per_query["MnR"].tolist() == [2, 3.5]
    assert result.v2t.per_query["mAP"][0] == pytest.approx((1 / 2 + (2 / 3 + 2 / 4) / 2) / 2)
    assert result.v2t.tied == 2


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_video_to_text_is_the_transposed_call(texts, videos, random):
    matrix = np.array([[random.randint(0, 4) for _ in range(videos)] for _ in range(texts)], float)
    t, v = [f"t{i}" for i in range(texts)], [f"v{i}" for i in range(videos)]
    qrels = Qrels({each: frozenset(random.sample(v, random.randint(1, videos))) for each in t})
    there = evaluate(Scores(t, v, matrix), qrels, resamples=0)
    back = evaluate(Scores(v, t, matrix.T.copy()), qrels.transposed(), resamples=0)
    assert dict(there.v2t.aggregates) == pytest.approx(dict(back.t2v.aggregates))
    assert there.v2t.queries == back.t2v.queries


def test_float32_noise_counts_as_a_tie_and_float64_does_not():
    matrix = np.full((2, 2), 0.5)
    matrix[0, 1] += 1e-8
    assert square(matrix).t2v.per_query["R@1"].tolist() == [0.0, 0.5]
    single = np.full((2, 2), 0.5, np.float32)
    single[0, 1] = np.nextafter(np.float32(0.5), np.float32(1))
    assert square(single).t2v.per_query["R@1"].tolist() == [0.5, 0.5]
    assert square(single, tolerance=0.0).t2v.per_query["R@1"].tolist() == [0.0, 0.5]
    assert square(matrix, tolerance=1e-6).t2v.per_query["R@1"].tolist() == [0.5, 0.5]


def test_ties_can_be_read_in_three_ways():
    matrix = np.zeros((4, 4))
    assert square(matrix, ties="optimistic").t2v["R@1"] == 100
    assert square(matrix, ties="pessimistic").t2v["R@1"] == 0
    assert square(matrix, ties="expected").t2v["R@1"] == 25


def test_intervals_hold_the_number_and_repeat():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((200, 200)) + 2 * np.eye(200)
    names = ["R@1", "MdR", "MRR", "SumR", "GeoR"]
    one = square(matrix, resamples=300, measures=names)
    two = square(matrix, resamples=300, measures=names)
    assert one.t2v.intervals == two.t2v.intervals
    assert set(one.t2v.intervals) == set(names)
    for name, (low, high) in one.t2v.intervals.items():
        assert low <= one.t2v[name] <= high
        assert low < high
    other = square(matrix, resamples=300, measures=names, seed=1)
    assert other.t2v.intervals != one.t2v.intervals
    # A share p of n queries: half a width of about 1.96 sqrt(p (1 - p) / n).
    share = one.t2v["R@1"] / 100
    low, high = one.t2v.intervals["R@1"]
    assert (high - low) / 200 == pytest.approx(1.96 * np.sqrt(share * (1 - share) / 200), rel=0.25)


def test_the_table_says_what_it_is_about():
    matrix = np.random.default_rng(0).standard_normal((5, 5))
    scores = Scores([*"abcde"], [*"abcde"], matrix, ("unaligned",))
    qrels = Qrels({each: frozenset(each) for each in "abcde"})
    shown = str(evaluate(scores, qrels, resamples=50))
    assert shown.splitlines()[1].startswith("R@1 ")
    assert max(map(len, shown.splitlines())) <= 100
    assert "text-to-video" in shown
    assert "NOTE: unaligned" in shown
    assert "95 % bootstrap" in shown
    assert "95 %" not in str(evaluate(scores, qrels, resamples=0))
    assert max(map(len, shown.splitlines())) <= 140


@pytest.mark.parametrize(
    ("queries", "gallery", "relevant", "words"),
    [
        ("ab", "xy", {}, "nothing is relevant"),
        ("ab", "xy", {"c": "x"}, "'c' has relevant items but no row"),
        ("ab", "xy", {"a": "z"}, "'z', relevant to 'a', has no column"),
        ("aa", "xy", {"a": "x"}, "the query 'a' comes twice"),
        ("ab", "xx", {"a": "x"}, "the gallery item 'x' comes twice"),
    ],
)
def test_ids_that_do_not_match_are_named(queries, gallery, relevant, words):
    scores = Scores([*queries], [*gallery], np.zeros((2, 2)))
    with pytest.raises(ValueError, match=words):
        evaluate(scores, Qrels({q: frozenset(ids) for q, ids in relevant.items()}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ties": "lucky"}, "ties must be one of expected, optimistic, pessimistic"),
        ({"tolerance": -1.0}, "share of at least 0"),
        ({"tolerance": float("nan")}, "share of at least 0"),
        ({"measures": ["R@x"]}, "no measure"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        square(np.eye(2), **options)
    with pytest.raises(ValueError, match="float32 or float64, got int64"):
        square(np.eye(2, dtype=np.int64))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("ties", "r1", "mean_rank"), [("optimistic", 46.0, 8.674), ("pessimistic", 45.6, 8.686)]
)
def test_cap4video_is_reproduced(shared_data, ties, r1, mean_rank):
    matrix = np.load(shared_data / "similarity/cap4video/msrvtt_video_matrix.npy")
    for dtype in (np.float32, np.float64):
        result = square(
            matrix.astype(dtype), ties=ties, measures=["R@1", "R@5", "R@10", "R@50", "MdR", "MnR"]
        )
        found = [round(value, 3) for value in result.t2v.aggregates.values()]
        assert found == [48.0, 73.0, 82.9, 95.1, 2, 13.129]
        assert round(result.v2t["R@1"], 3) == r1
        assert round(result.v2t["MnR"], 3) == mean_rank


@pytest.mark.shared
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("condition", "a2t", "t2a"),
    [
        ("original", [26.36, 66.80, 80.28, 3], [24.55, 69.01, 82.70, 3]),
        ("noisy_snr10dB", [21.93, 58.55, 72.84, 4], [26.56, 62.17, 78.67, 4]),
    ],
)
def test_clap_audiocaps_is_reproduced(shared_data, dtype, condition, a2t, t2a):
    folder = shared_data / "similarity/clap_audiocaps"
    texts = np.load(folder / "text_embeddings.npy").astype(dtype)
    audios = np.load(folder / f"audio_emb_{condition}.npy").astype(dtype)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    audios /= np.linalg.norm(audios, axis=1, keepdims=True)
    names = ["R@1", "R@5", "R@10", "MdR"]
    result = square(texts @ audios.T, ties="pessimistic", measures=names)
    assert [round(value, 2) for value in result.v2t.aggregates.values()] == a2t
    assert [round(value, 2) for value in result.t2v.aggregates.values()] == t2a


@pytest.mark.shared
def test_repeated_audios_flatter_the_optimist(shared_data):
    folder = shared_data / "similarity/clap_audiocaps"
    texts = np.load(folder / "text_embeddings.npy")
    audios = np.load(folder / "audio_emb_original.npy")
    matrix = texts @ audios.T
    assert round(square(matrix, ties="pessimistic").t2v["R@1"], 1) == 24.5
    assert round(square(matrix, ties="optimistic").t2v["R@1"], 1) == 34.2


def test_the_room_imports_no_torch():
    code = "import sys, moviola.evaluate, moviola.score, moviola.datasets.msrvtt, moviola.testing\n"
    code += "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
