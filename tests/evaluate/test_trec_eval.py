"""The measures against trec_eval, on a thousand random matrices with several relevant items."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval

from moviola.core import Qrels, Scores
from moviola.evaluate import evaluate

OURS = {
    "R@1": "success_1",
    "R@5": "success_5",
    "R@10": "success_10",
    "Recall@5": "recall_5",
    "Recall@10": "recall_10",
    "MRR": "recip_rank",
    "mAP": "map",
    "nDCG": "ndcg",
    "nDCG@10": "ndcg_cut_10",
}
FAMILIES = {"success", "recall", "recip_rank", "map", "ndcg", "ndcg_cut"}


def _drawn(rng: np.random.Generator) -> tuple[Scores, Qrels]:
    queries, gallery = int(rng.integers(1, 7)), int(rng.integers(10, 41))
    # Whole numbers, all different in a row: trec_eval keeps scores in single precision and breaks
    # ties by name, which is another definition than ours.
    matrix = np.stack([rng.permutation(gallery) for _ in range(queries)]).astype(np.float64)
    texts = [f"t{row}" for row in range(queries)]
    videos = [f"v{column}" for column in range(gallery)]
    relevant = {
        text: frozenset(rng.choice(videos, int(rng.integers(1, 6)), replace=False).tolist())
        for text in texts
    }
    return Scores(texts, videos, matrix), Qrels(relevant)


def _trec(scores: Scores, qrels: Qrels) -> dict[str, dict[str, float]]:
    run = {
        query: dict(zip(scores.gallery, map(float, row), strict=True))
        for query, row in zip(scores.queries, scores.matrix, strict=True)
        if query in qrels.relevant
    }
    truth = {query: dict.fromkeys(items, 1) for query, items in qrels.relevant.items()}
    return pytrec_eval.RelevanceEvaluator(truth, FAMILIES).evaluate(run)


@pytest.mark.parametrize("seed", range(10))
def test_every_measure_that_trec_eval_defines_is_its_number(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        scores, qrels = _drawn(rng)
        result = evaluate(scores, qrels, tolerance=0, measures=list(OURS), resamples=0)
        expected = _trec(scores, qrels)
        for name, theirs in OURS.items():
            ours = result.t2v.per_query[name]
            wanted = [expected[query][theirs] for query in result.t2v.queries]
            np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-9, err_msg=name)


def test_the_transposed_question_is_trec_evals_too():
    rng = np.random.default_rng(77)
    scores, qrels = _drawn(rng)
    # A column of row-wise ranks may hold ties; other whole numbers may not.
    order = rng.permutation(scores.matrix.size).reshape(scores.matrix.shape).astype(np.float64)
    scores = Scores(scores.queries, scores.gallery, order)
    result = evaluate(scores, qrels, tolerance=0, measures=["mAP", "MRR"], resamples=0)
    expected = _trec(scores.transposed(), qrels.transposed())
    for name, theirs in (("mAP", "map"), ("MRR", "recip_rank")):
        wanted = [expected[query][theirs] for query in result.v2t.queries]
        np.testing.assert_allclose(result.v2t.per_query[name], wanted, rtol=0, atol=1e-9)
