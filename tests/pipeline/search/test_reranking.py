"""A second model orders what a search found, and a model's own scorer is evaluated."""

from __future__ import annotations

import json

import numpy as np
import pytest

import moviola
from moviola.core import Text
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.pipeline.evaluate.evaluate import evaluate_vectors
from moviola.pipeline.evaluate.evaluation import EvaluateOptions
from moviola.pipeline.search.reranking import rerank
from moviola.plugins import load_encoder
from moviola.store import open_embeddings

ECHO = "moviola.testing:EchoEncoder"
RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)


@pytest.fixture(scope="module")
def videos(tmp_path_factory, colour_video):
    folder = tmp_path_factory.mktemp("films")
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        colour_video(folder / f"{name}.mp4", colour, seconds=2)
    return folder


@pytest.fixture(scope="module")
def conditioned(make_checkpoint):
    return f"xclip:{make_checkpoint('xclip')},output=conditioned"


@pytest.fixture(scope="module")
def stores(tmp_path_factory, videos, conditioned):
    out = tmp_path_factory.mktemp("stores")
    encode_videos([videos], out=out / "videos", model=conditioned)
    captions = [Text("blue-1", "a blue square"), Text("red-1", "the red dog")]
    encode_captions(captions, out=out / "texts", model=conditioned)
    return out


def test_moments_are_ordered_by_the_model_s_own_scores(
    videos, conditioned, stores, tmp_path, make_checkpoint
):
    library = tmp_path / "library"
    towers = f"xclip:{make_checkpoint('xclip')}"
    moviola.index([videos], library=library, model=towers, segment="whole")
    found = moviola.search("the red dog", library=library)
    assert len(found) == 3
    ranked = rerank("the red dog", found, model=conditioned)
    assert {each.moment for each in ranked} == set(found)
    scores = [each.score for each in ranked]
    assert scores == sorted(scores, reverse=True)
    # The same as the scorer says of rows that were encoded beforehand.
    scorer = load_encoder(conditioned).scorer
    texts, clips = open_embeddings(stores / "texts"), open_embeddings(stores / "videos")
    row = scorer(texts, clips).matrix[1]
    wanted = {clip.path.name: score for clip, score in zip(clips.items, row, strict=True)}
    for each in ranked:
        # Stores round to half precision.
        assert each.score == pytest.approx(wanted[each.moment.path.name], abs=5e-3)


def test_any_model_can_order_anew_and_files_that_are_gone_come_last(
    videos, tmp_path, make_checkpoint
):
    library, folder = tmp_path / "library", tmp_path / "films"
    folder.mkdir()
    for path in videos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    model = f"two-tower:{make_checkpoint('clip')}"
    moviola.index([folder], library=library, model=model, segment="whole")
    found = moviola.search("blue", library=library)
    (folder / "red.mp4").unlink()
    ranked = rerank("blue", found, model=ECHO)
    assert [each.moment.path.name for each in ranked][::2] == ["blue.mp4", "red.mp4"]
    assert [each.score is None for each in ranked] == [False, False, True]


def test_a_model_s_own_scorer_is_evaluated(stores, conditioned):
    qrels = stores / "qrels.txt"
    qrels.write_text("blue-1 0 blue 1\nred-1 0 red 1\n")
    found = evaluate_vectors(
        str(stores / "texts"),
        str(stores / "videos"),
        relevance=qrels,
        scorer=conditioned,
        asked=EvaluateOptions(),
    )
    assert found.scoring == "model"
    assert "texts conditioned on each video" in found.result.notes
    texts, clips = open_embeddings(stores / "texts"), open_embeddings(stores / "videos")
    wanted = load_encoder(conditioned).scorer(texts, clips).matrix
    assert np.allclose(found.scores.matrix, wanted, atol=1e-5)
    with pytest.raises(ValueError, match="leave out --head"):
        evaluate_vectors(
            str(stores / "texts"),
            str(stores / "videos"),
            scorer="x",
            head="h",
            asked=EvaluateOptions(),
        )
    with pytest.raises(ValueError, match="no scorer of its own"):
        evaluate_vectors(
            str(stores / "texts"), str(stores / "videos"), scorer=ECHO, asked=EvaluateOptions()
        )


def test_the_command_line_shows_both_scores(videos, conditioned, tmp_path, capsys):
    from moviola.cli.search import run

    library = tmp_path / "library"
    moviola.index([videos], library=library, model=ECHO, segment="whole")
    run("red", library=library, rerank=[conditioned], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [set(entry) >= {"score", "rerank", "band"} for entry in told] == [True] * 3
    assert [e["rerank"] for e in told] == sorted((e["rerank"] for e in told), reverse=True)
    run("red", library=library, rerank=[conditioned])
    assert "rerank" in capsys.readouterr().out.splitlines()[0]
