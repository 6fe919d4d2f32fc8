"""A cascade of judges that know the facts of the generated world."""

from __future__ import annotations

import json

import pytest
import typer

import moviola
from fixtures import judges
from moviola.pipeline.search.reranking import Stage, rerank, rerank_cascade
from moviola.plugins import judges as scores_pairs
from moviola.synthetic import shapes
from moviola.synthetic.shapes import draw

ECHO = "moviola.testing:EchoEncoder"
ORACLE, CHEAP = "fixtures.judges:Oracle", "fixtures.judges:Cheap"
SEED, VIDEOS = 23, 6


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    shapes.generate(root, seed=SEED, videos={"test": VIDEOS}, workers=1)
    library = root / "library"
    moviola.index([root], library=library, model=ECHO, segment="whole")
    judges.Oracle.videos = tuple(draw(SEED, "test", number) for number in range(VIDEOS))
    return library


@pytest.fixture(autouse=True)
def forget():
    judges.Oracle.read.clear()
    judges.Cheap.read.clear()


def ids(ranked):
    return [each.moment.path.stem for each in ranked]


def ordered(judge, text, names):
    known = {video.id: video for video in judges.Oracle.videos}
    return sorted(names, key=lambda name: -judge.answer(text, known[name]))


def test_a_judge_orders_moments_as_the_truth_does(world):
    text = judges.Oracle.videos[4].captions[0]
    found = moviola.search(text, library=world, top=VIDEOS)
    ranked = rerank(text, found, model=ORACLE, workers=1)
    assert ids(ranked) == ordered(judges.Oracle, text, [moment.path.stem for moment in found])
    assert [each.score for each in ranked] == sorted((e.score for e in ranked), reverse=True)
    assert len(judges.Oracle.read) == VIDEOS


@pytest.mark.parametrize("number", [1, 4])
def test_a_cascade_gives_the_oracle_s_order_within_its_budget(world, number):
    text = judges.Oracle.videos[number].captions[0]
    found = [moment.path.stem for moment in moviola.search(text, library=world, top=VIDEOS)]
    moments = moviola.search(text, library=world, top=VIDEOS)
    ranked = rerank_cascade(text, moments, [Stage(CHEAP, 5), Stage(ORACLE, 3)], workers=1)
    assert len(judges.Cheap.read) == 5
    assert len(judges.Oracle.read) == 3
    cheap = ordered(judges.Cheap, text, found[:5])
    assert set(judges.Oracle.read) == set(cheap[:3])
    assert ids(ranked) == [*ordered(judges.Oracle, text, cheap[:3]), *cheap[3:], *found[5:]]
    assert ranked[-1].score is None
    # With a budget for all, the cheap one costs nothing in quality.
    whole = rerank_cascade(text, moments, [Stage(CHEAP), Stage(ORACLE)], workers=1)
    assert ids(whole) == ordered(judges.Oracle, text, found)


def test_the_command_line_takes_a_cascade_and_its_budgets(world, capsys):
    from moviola.cli.search import run

    text = judges.Oracle.videos[0].captions[0]
    run(text, library=world, top=2, rerank=[CHEAP, ORACLE], rerank_top=[6, 3], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert len(told) == 2
    assert (len(judges.Cheap.read), len(judges.Oracle.read)) == (6, 3)
    with pytest.raises(typer.BadParameter, match="once for each"):
        run(text, library=world, rerank=[CHEAP, ORACLE], rerank_top=[3])


def test_what_judges_is_told_by_its_name():
    assert scores_pairs(ORACLE)
    assert not scores_pairs(ECHO)
    assert not scores_pairs("shapes")
    assert scores_pairs("qwen3-vl:somewhere,layout=wrapped,score=ratio")
    assert not scores_pairs("qwen3-vl:somewhere,readout=one-word")
    assert scores_pairs("xclip-base-patch32,output=conditioned")
    with pytest.raises(ValueError, match="at least one moment"):
        Stage(ORACLE, 0)
