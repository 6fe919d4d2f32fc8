import json
from collections import Counter

import av
import numpy as np
import pytest

from moviola.synthetic.shapes import generate_texted
from moviola.synthetic.shapes.facts import Claim, Clause, Mention, true_videos
from moviola.synthetic.shapes.signs import paint_sign
from moviola.synthetic.shapes.texted import SIZE, draw_queries, draw_texted, texted_frames
from moviola.synthetic.shapes.texts import COMMON_SIGNS, HEIGHTS, Sign, first_words
from moviola.synthetic.shapes.writing import draw, video_frames

SEED = 11


@pytest.fixture(scope="module")
def world():
    return [draw_texted(SEED, number) for number in range(300)]


@pytest.fixture(scope="module")
def queries(world):
    return list(draw_queries(world, SEED))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("texted")
    return root, *generate_texted(root, seed=SEED, count=2)


def test_the_shots_are_those_of_the_world_without_texts(world):
    for number in (0, 7):
        assert world[number].video == draw(SEED, "test", number)
    assert draw_texted(SEED, 7) == world[7]
    assert draw_texted(SEED + 1, 7).texts != world[7].texts


def test_names_first_subtitles_and_own_signs_are_of_one_video(world):
    names = [each.texts.name for each in world]
    said = [first_words(each.texts.said[0]) for each in world]
    signs = [
        sign.words for each in world for sign in each.texts.signs if sign.words not in COMMON_SIGNS
    ]
    assert len(set(names)) == len(set(said)) == len(set(signs)) == len(signs) == 300
    assert len({name.rsplit(" ", 1)[1] for name in names}) == 300


def test_signs_have_all_heights_and_lie_in_their_shot(world):
    signs = [(each, sign) for each in world for sign in each.texts.signs]
    heights = Counter(round(sign.height * 240) for _, sign in signs)
    assert set(heights) == set(HEIGHTS)
    for each, sign in signs:
        assert 0 <= sign.shot < len(each.video.takes)
    for each in world:
        assert len({sign.shot for sign in each.texts.signs}) == len(each.texts.signs)
        assert all(line.end <= each.video.seconds for line in each.texts.said)


def test_each_kind_is_asked_and_each_query_has_one_answer(world, queries):
    kinds = Counter(query.kind for query in queries)
    assert min(kinds.values()) >= 25
    assert kinds["written"] == kinds["named"] == 300
    assert kinds["said"] > 250
    assert len({(query.kind, query.query) for query in queries}) == len(queries)
    assert {query.file for query in queries} <= {each.file for each in world}


def test_mixed_queries_need_the_sign_and_the_shape(world, queries):
    shots = [[take.shot for take in each.video.takes] for each in world]
    signs = Counter(sign.words for each in world for sign in each.texts.signs)
    by_file = {each.file: each for each in world}
    for query in queries:
        if query.kind != "mixed":
            continue
        words = query.query.rsplit(" ", 1)[1]
        assert signs[words] > 2
        each = by_file[query.file]
        [sign] = [sign for sign in each.texts.signs if sign.words == words]
        assert query.window == each.video.spans[sign.shot]
        claims = [
            Claim((Clause(mentions=(Mention(shape=thing.shape, colour=thing.colour),)),))
            for thing in each.video.takes[sign.shot].shot.things
        ]
        assert true_videos(claims, shots).sum(axis=1).max() >= 4


@pytest.mark.parametrize("words", ["EXIT", "HARBOUR CANDLESTICK MUSEUM OF ANCIENT THINGS"])
@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
@pytest.mark.parametrize("paper", [(20, 20, 20), None])
def test_a_sign_changes_its_place_and_nothing_else(words, place, paper):
    picture = np.full((SIZE, SIZE, 3), 120, np.uint8)
    kept = picture.copy()
    painted = paint_sign(picture, Sign(0, words, 18 / 240, place, (255, 255, 255), paper))
    assert np.array_equal(picture, kept)
    rows, columns = np.nonzero((painted != picture).any(axis=2))
    assert len(rows)
    assert np.ptp(rows) < 60
    assert np.ptp(columns) <= 0.94 * SIZE
    if place == (0.0, 0.0):
        assert max(rows.min(), columns.min()) < 20
    if place == (1.0, 1.0):
        assert min(rows.max(), columns.max()) > SIZE - 20
    assert painted.max() > 200


def test_signs_are_painted_in_their_shots_alone(world):
    each = next(each for each in world if len(each.video.takes) > len(each.texts.signs))
    plain = list(video_frames(each.video.takes, SIZE))
    shown = list(texted_frames(each))
    assert len(plain) == len(shown)
    differs = [not np.array_equal(a, b) for a, b in zip(plain, shown, strict=True)]
    signed = {sign.shot for sign in each.texts.signs}
    place = 0
    for number, take in enumerate(each.video.takes):
        count = round(take.seconds * 12)
        assert set(differs[place : place + count]) == {number in signed}
        place += count


def test_subtitles_lie_beside_one_half_and_in_the_other(written):
    root, drawn, queries = written
    beside, inside = (root / "videos" / each.file for each in drawn)
    said = drawn[0].texts.said[0]
    text = beside.with_suffix(".srt").read_text(encoding="utf-8")
    assert text.startswith(f"1\n00:00:00,250 --> 00:00:02,250\n{said.text}\n")
    assert not inside.with_suffix(".srt").exists()
    with av.open(str(inside)) as file:
        [titles] = file.streams.subtitles
        packets = [packet for packet in file.demux(titles) if packet.size > 2]
        cues = [(float(p.pts * p.time_base), bytes(p)[2:].decode()) for p in packets]
    assert cues == [(line.start, line.text) for line in drawn[1].texts.said]
    with av.open(str(beside)) as file:
        assert not file.streams.subtitles
    lines = (root / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["query"] for line in lines] == [query.query for query in queries]


def test_a_world_that_is_there_is_kept(written):
    root, drawn, _ = written
    path = root / "videos" / drawn[0].file
    before = path.stat().st_mtime_ns
    generate_texted(root, seed=SEED, count=2)
    assert path.stat().st_mtime_ns == before
