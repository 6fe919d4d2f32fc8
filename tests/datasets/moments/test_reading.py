"""True moments in the layouts of their data sets, told apart by what is inside."""

from __future__ import annotations

import json

import pytest

from moviola.core import DatasetError
from moviola.datasets.moments.reading import read_moment_queries


def _lines(path, *values):
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def test_tvr_and_didemo_in_its_layout(tmp_path):
    line = {"desc_id": 7, "desc": "A dog.", "vid_name": "v1", "type": "vt"}
    four = [[0, 5], [0, 5], [5, 10], [25, 30]]
    path = _lines(tmp_path / "t.jsonl", line | {"ts": [1.5, 4]}, line | {"desc_id": 8, "ts": four})
    one, several = read_moment_queries(path)
    assert (one.id, one.text, one.video, one.kind) == ("7", "A dog.", "v1", "vt")
    assert (one.spans, one.agreeing) == (((1.5, 4.0),), 1)
    assert (len(several.spans), several.agreeing) == (4, 2)


def test_qvhighlights(tmp_path):
    line = {"qid": 3, "query": "A dog.", "vid": "v1", "relevant_windows": [[0, 4], [8, 10]]}
    (query,) = read_moment_queries(_lines(tmp_path / "t.jsonl", line))
    assert (query.id, query.video, query.agreeing) == ("3", "v1", 1)
    assert query.spans == ((0.0, 4.0), (8.0, 10.0))


def test_charades_sta(tmp_path):
    path = tmp_path / "charades_sta_test.txt"
    path.write_text("3MSZA 24.3 30.4##person turn a light on.\nAO8RW 6.9 0.0##a person sits.\n")
    first, second = read_moment_queries(path)
    assert (first.id, first.video, first.text) == ("0", "3MSZA", "person turn a light on.")
    assert first.spans == ((24.3, 30.4),)
    assert second.spans == ((0.0, 6.9),)


def test_activitynet(tmp_path):
    path = tmp_path / "val_1.json"
    path.write_text(
        json.dumps(
            {"v_a": {"duration": 9, "timestamps": [[0, 4], [6, 5]], "sentences": [" One.", "Two."]}}
        )
    )
    first, second = read_moment_queries(path)
    assert (first.id, first.video, first.text, first.spans) == (
        "v_a-0",
        "v_a",
        "One.",
        ((0.0, 4.0),),
    )
    assert second.spans == ((5.0, 6.0),)


@pytest.mark.shared
def test_the_real_activitynet(shared_data):
    queries = read_moment_queries(shared_data / "annotations" / "ActivityNet" / "val_1.json")
    assert len(queries) == 17505
    assert len({query.video for query in queries}) == 4917


def test_didemo(tmp_path):
    entry = {"annotation_id": 5, "description": "a dog", "video": "x.mp4"}
    path = tmp_path / "test_data.json"
    path.write_text(json.dumps([entry | {"times": [[0, 0], [0, 0], [1, 2], [5, 5]]}]))
    (query,) = read_moment_queries(path)
    assert query.spans == ((0.0, 5.0), (0.0, 5.0), (5.0, 15.0), (25.0, 30.0))
    assert query.agreeing == 2


def test_lines_of_ones_own_may_tell_several_moments(tmp_path):
    line = {"query_id": "q1", "query": "a dog", "video": "a.mp4", "start": 1, "end": 2}
    path = _lines(tmp_path / "q.jsonl", line, line | {"start": 5, "end": 7})
    (query,) = read_moment_queries(path)
    assert query.spans == ((1.0, 2.0), (5.0, 7.0))
    _lines(path, line, line | {"video": "b.mp4"})
    with pytest.raises(DatasetError, match=r"lies in 'b\.mp4' here, and in 'a\.mp4' above"):
        read_moment_queries(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.jsonl", "", "holds no queries"),
        ("t.jsonl", '{"a": 1}\n', "none of the known layouts"),
        ("t.jsonl", "[1]\n", "none of the known layouts"),
        ("t.jsonl", "no json\n", "line 1 is not JSON"),
        ("t.txt", "a 1 2 dog\n", "none of the known layouts"),
        ("t.jsonl", '{"desc_id": 1, "vid_name": "v", "ts": [4, 1]}\n', r"no \[start, end\]"),
        ("t.jsonl", '{"desc_id": 1, "vid_name": "v", "ts": []}\n', r"no \[start, end\]"),
        ("t.jsonl", '{"qid": 1, "relevant_windows": []}\n', "no list of true moments"),
        ("t.json", "[3]", "instead of an object"),
        ("t.json", '{"v": {"timestamps": [[0, 1]], "sentences": []}}', "a timestamp for every"),
        ("t.txt", "v 1 2##a\nv 1##b\n", "VIDEO START END##SENTENCE"),
    ],
)
def test_bad_files_are_refused_with_their_place(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DatasetError, match=said):
        read_moment_queries(path)


def test_a_query_that_comes_twice_is_refused(tmp_path):
    line = {"desc_id": 7, "vid_name": "v1", "ts": [1, 4]}
    with pytest.raises(DatasetError, match="'7' comes a second time"):
        read_moment_queries(_lines(tmp_path / "t.jsonl", line, line))
    with pytest.raises(FileNotFoundError, match="no file"):
        read_moment_queries(tmp_path / "absent.jsonl")
