from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.core import Clip, Embeddings, Qrels, Readout, Scores, Space, Span, Text
from moviola.evaluate.diagnostics import Diagnosis, diagnose, diagnose_scores
from moviola.evaluate.diagnostics.pairs import look_at_separation


def _texts(vectors: np.ndarray, words: list[str] | None = None) -> Embeddings[Text]:
    items = [Text(f"t{row}", words[row] if words else "") for row in range(len(vectors))]
    rows = list(vectors.astype(np.float32)[:, None])
    return Embeddings.from_rows(items, rows, Space.anonymous(vectors.shape[1]), Readout("none"))


def _clips(vectors: np.ndarray) -> Embeddings[Clip]:
    items = [Clip(f"v{row}", Path(), Span(0, 1)) for row in range(len(vectors))]
    rows = list(vectors.astype(np.float32)[:, None])
    return Embeddings.from_rows(items, rows, Space.anonymous(vectors.shape[1]), Readout("none"))


def _by_row(count: int) -> Qrels:
    return Qrels({f"t{row}": frozenset([f"v{row}"]) for row in range(count)})


def _found(diagnosis: Diagnosis, code: str, about: str | None = None) -> list[str]:
    return [
        each.sentence
        for each in diagnosis.findings
        if each.code == code and about in (None, each.about)
    ]


def _good(seed: int = 0, count: int = 300, noise: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    videos = rng.normal(size=(count, 64))
    return videos + noise * rng.normal(size=videos.shape), videos


def _look(texts: np.ndarray, videos: np.ndarray, **options) -> Diagnosis:
    return diagnose(_texts(texts), _clips(videos), _by_row(len(texts)), **options)


def test_the_first_token_of_a_causal_decoder_is_chance() -> None:
    _, videos = _good(count=1000)
    texts = np.repeat(np.random.default_rng(1).normal(size=(1, 64)), 1000, axis=0)
    found = _look(texts, videos)
    first = found.findings[0]
    assert (first.severity, first.code, first.about) == ("error", "constant", "texts")
    assert "Every caption of 1,000 has the same vector" in first.sentence
    assert "0.0075 is chance for 1,000" in first.sentence
    assert "causal decoder" in first.sentence
    assert found.figures["t2v"]["measured"]["MRR"] == pytest.approx(0.0074855, abs=1e-6)
    assert found.figures["t2v"]["chance"]["MRR"] == pytest.approx(0.0074855, abs=1e-6)
    assert found.figures["t2v"]["chance"]["R@1"] == pytest.approx(0.1)
    # What follows from it is not told as if it were another cause.
    assert not {"anisotropy", "low-rank", "unaligned", "collapsed", "hubs", "modality-gap"} & {
        each.code for each in found.findings
    }


def test_half_precision_noise_does_not_hide_a_constant_vector() -> None:
    _, videos = _good()
    rng = np.random.default_rng(1)
    texts = np.repeat(rng.normal(size=(1, 64)), 300, axis=0).astype(np.float16)
    noisy = texts * (1 + 5e-4 * rng.uniform(-1, 1, texts.shape))
    assert _found(_look(noisy, videos), "constant", "texts")
    assert _found(_look(videos, noisy), "constant", "videos")


def test_nothing_is_said_about_sound_vectors() -> None:
    found = _look(*_good())
    assert [each.code for each in found.findings if each.severity != "info"] == ["sound"]
    assert [each.severity for each in found.findings][-1] == "ok"
    json.dumps(found.to_json())
    assert str(found).splitlines()[-1].startswith("ok")


def test_nan_and_zero_vectors_are_named_and_left_out() -> None:
    texts, videos = _good()
    texts[7, 3] = np.nan
    texts[9] = np.inf
    videos[11] = 0.0
    found = _look(texts, videos)
    assert "2 captions (first 't7') hold NaN" in _found(found, "not-finite")[0]
    assert "1 video (first 'v11') have an all-zero vector" in _found(found, "zero")[0]
    assert found.figures["texts"]["not_finite"] == 2
    assert found.figures["t2v"]["queries"] == 297
    assert found.figures["t2v"]["measured"]["R@1"] > 95


@pytest.mark.parametrize("seed", range(3))
def test_figures_of_one_side_by_naive_loops(seed: int) -> None:
    texts, videos = _good(seed, count=40)
    videos *= np.geomspace(1, 4, 64)
    figures = _look(texts, videos).figures["videos"]
    unit = videos / np.linalg.norm(videos, axis=1, keepdims=True)
    cosines = [unit[one] @ unit[other] for one in range(40) for other in range(40) if one != other]
    assert figures["mean_cosine"] == pytest.approx(np.mean(cosines), abs=1e-5)
    values = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False) ** 2
    shares = values[values > 1e-12] / values.sum()
    entropy = -sum(share * np.log(share) for share in shares)
    assert figures["effective_rank"] == pytest.approx(np.exp(entropy), rel=1e-4)
    assert figures["top_directions"][0] == pytest.approx(shares[0], rel=1e-4)
    potential = np.mean([np.exp(-2 * (2 - 2 * cosine)) for cosine in cosines])
    assert figures["uniformity"] == pytest.approx(np.log(potential), abs=0.1)
    squares = (unit**2).mean(axis=0)
    top = {str(place): float(squares[place]) for place in np.argsort(-squares)[:3]}
    assert figures["top_dimensions"] == pytest.approx(top, abs=1e-5)


def test_figures_of_pairs_by_naive_loops() -> None:
    texts, videos = _good(5, count=60)
    figures = _look(texts, videos).figures["pairs"]
    one = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    other = videos / np.linalg.norm(videos, axis=1, keepdims=True)
    squared = [float(((a - b) ** 2).sum()) for a, b in zip(one, other, strict=True)]
    assert figures["alignment"] == pytest.approx(np.mean(squared), rel=1e-4)
    gap = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))
    assert figures["modality_gap"] == pytest.approx(gap, rel=1e-4)
    assert sum(figures["histogram"]["positives"]) == 60
    assert len(figures["histogram"]["edges"]) == len(figures["histogram"]["negatives"]) + 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=12),
    st.lists(st.integers(-3, 3), min_size=1, max_size=12),
)
def test_separation_is_the_chance_that_a_positive_scores_higher(
    positives: list[int], negatives: list[int]
) -> None:
    won = [(one > two) + 0.5 * (one == two) for one in positives for two in negatives]
    _, figures = look_at_separation(np.array(positives, float), np.array(negatives, float))
    assert figures["auc"] == pytest.approx(np.mean(won))


def test_cones_and_rogue_dimensions_are_told_with_their_numbers() -> None:
    texts, videos = _good()
    texts[:, 5] += 60.0
    texts[:, 17] -= 60.0
    found = _look(texts, videos)
    assert "Two random texts have a mean cosine of 0.9" in _found(found, "anisotropy")[0]
    sentence = _found(found, "rogue-dimensions", "texts")[0]
    assert "5, 17" in sentence
    assert "standardise" in sentence
    assert not _found(found, "rogue-dimensions", "videos")


def test_a_collapse_is_told() -> None:
    rng = np.random.default_rng(0)
    # Points of one line, beside the origin.
    line = rng.normal(size=(1, 64)) + rng.normal(size=(300, 1)) * rng.normal(size=(1, 64))
    texts, videos = (line + 0.001 * rng.normal(size=line.shape) for _ in range(2))
    assert "% of it in one" in _found(_look(texts, videos), "low-rank", "texts")[0]
    near, other = (1 + 0.05 * rng.normal(size=(300, 64)) for _ in range(2))
    assert "within about 0.0" in _found(_look(near, other), "collapsed")[0]


def test_collapsed_scores_name_the_loss() -> None:
    rng = np.random.default_rng(0)
    findings, _ = look_at_separation(
        0.5 + 0.001 * rng.normal(size=100), 0.5 + 0.001 * rng.normal(size=100)
    )
    assert [each.code for each in findings] == ["collapsed", "unaligned"]
    assert "InfoNCE" in findings[0].sentence


def test_spaces_that_were_never_aligned_are_told() -> None:
    rng = np.random.default_rng(0)
    found = _look(rng.normal(size=(300, 64)), rng.normal(size=(300, 64)))
    assert "as good as a coin" in _found(found, "unaligned")[0]
    assert {each.about for each in found.findings if each.code == "chance"} == {"t2v", "v2t"}
    assert all(each.severity == "error" for each in found.findings if each.code == "chance")


def test_another_length_of_vectors_is_a_finding() -> None:
    found = _look(np.random.default_rng(0).normal(size=(300, 32)), _good()[1])
    assert found.findings[0].code == "dimensions"
    assert "t2v" not in found.figures


def test_the_modality_gap_is_told() -> None:
    texts, videos = _good()
    found = _look(texts + 4.0, videos - 4.0)
    assert "lie 1." in _found(found, "modality-gap")[0]


def test_hubs_are_named() -> None:
    texts, videos = _good(noise=2.0)
    texts += 1.5
    videos[:6] += 8.0
    found = _look(texts, videos)
    sentence = _found(found, "hubs", "t2v")[0]
    assert any(f"'v{row}'" in sentence for row in range(6))
    assert "QB-Norm" in sentence
    occurrences = np.zeros(300)
    one = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    other = videos / np.linalg.norm(videos, axis=1, keepdims=True)
    for row in one @ other.T:
        occurrences[np.argsort(-row)[:10]] += 1
    hubness = found.figures["t2v"]["hubness"]
    centred = occurrences - occurrences.mean()
    assert hubness["skew"] == pytest.approx((centred**3).mean() / occurrences.std() ** 3, rel=0.02)
    assert hubness["never_retrieved"] == pytest.approx((occurrences == 0).mean(), abs=0.01)


def test_few_queries_of_a_large_gallery_make_no_hubs() -> None:
    texts, videos = _good(count=3000, noise=0.3)
    found = _look(texts, videos, sample=100)
    hubness = found.figures["t2v"]["hubness"]
    assert hubness["never_retrieved"] > 0.6
    assert hubness["skew"] > 1.5
    assert not _found(found, "hubs")


def test_copies_and_false_negatives_are_told() -> None:
    texts, videos = _good()
    texts[20:26] = texts[10]
    videos[50] = videos[40] + 1e-3
    words = [f"caption {row}" for row in range(300)]
    words[3], words[4], words[5] = "A dog runs.", "a  dog runs", "A DOG runs"
    found = diagnose(_texts(texts, words), _clips(videos), _by_row(300))
    assert "6 captions of 300" in _found(found, "duplicates", "texts")[0]
    assert "3 of 300 captions are word for word" in _found(found, "false-negatives")[0]
    assert "'v50' and 'v40'" in _found(found, "near-copies")[0]
    assert found.figures["videos"]["near_copies"] == 2
    assert found.figures["texts"]["distinct"] == 294


def test_captions_of_one_video_may_say_the_same() -> None:
    texts, videos = _good(count=40)
    qrels = Qrels({f"t{row}": frozenset([f"v{row // 2}"]) for row in range(40)})
    words = [f"caption {row // 2}" for row in range(40)]
    found = diagnose(_texts(texts, words), _clips(videos[:20]), qrels)
    assert not _found(found, "false-negatives")
    assert found.figures["texts"]["captions_of_several_videos"] == 0


def test_a_sample_stands_for_all_and_is_the_same_again() -> None:
    texts, videos = _good(count=900, noise=1.5)
    whole, part = _look(texts, videos), _look(texts, videos, sample=300, seed=1)
    assert part.figures["t2v"]["queries"] == 300
    assert part.to_json() == _look(texts, videos, sample=300, seed=1).to_json()
    exact, sampled = (each.figures["t2v"]["measured"]["MRR"] for each in (whole, part))
    assert sampled == pytest.approx(exact, abs=0.05)


def test_unpooled_embeddings_are_refused() -> None:
    texts, videos = _good(count=4)
    ragged = Embeddings.from_rows(
        [Text("t0", ""), Text("t1", "")],
        [texts[:1].astype(np.float32), texts[1:].astype(np.float32)],
        Space.anonymous(64),
        Readout("none"),
    )
    with pytest.raises(ValueError, match="pool them first"):
        diagnose(ragged, _clips(videos), _by_row(2))


def test_relevance_to_what_is_not_there_is_refused() -> None:
    texts, videos = _good(count=4)
    with pytest.raises(ValueError, match="'v9' is relevant to 't0'"):
        diagnose(_texts(texts), _clips(videos), Qrels({"t0": frozenset({"v9"})}))
    with pytest.raises(ValueError, match="nothing is relevant"):
        diagnose(_texts(texts), _clips(videos), Qrels({}))


def test_a_matrix_is_diagnosed_without_vectors() -> None:
    texts, videos = _good(noise=2.0)
    matrix = texts @ videos.T
    ids = [f"t{row}" for row in range(300)], [f"v{row}" for row in range(300)]
    found = diagnose_scores(Scores(*ids, matrix), _by_row(300))
    assert set(found.figures) == {"pairs", "t2v", "v2t"}
    constant = Scores(*ids, np.repeat(matrix[:1], 300, axis=0).astype(np.float32))
    told = diagnose_scores(constant, _by_row(300)).findings[0]
    assert told.code == "constant"
    assert "0.0209 is chance for 300" in told.sentence
    turned = diagnose_scores(Scores(*ids, constant.matrix.T), _by_row(300)).findings[0]
    assert "Every video of 300 has the same scores" in turned.sentence


@pytest.mark.shared
def test_real_frozen_vectors_say_why_they_need_a_head(shared_data: Path) -> None:
    place = shared_data / "frozen_pairs"
    texts = np.load(place / "caption_embeddings.npy")
    videos = np.load(place / "video_embeddings.npy")
    index = np.load(place / "caption_video_index.npy")
    qrels = Qrels({f"t{row}": frozenset([f"v{video}"]) for row, video in enumerate(index)})
    found = diagnose(_texts(texts), _clips(videos), qrels)
    assert found.findings[0].code == "dimensions"
    assert "68, 161, 307 of 768" in _found(found, "rogue-dimensions", "videos")[0]
