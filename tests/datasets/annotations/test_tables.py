"""Bad annotation files: each is refused by file, row and remedy."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import DatasetError
from moviola.datasets import table
from moviola.datasets.annotations.captions import read_caption_table, read_captions
from moviola.datasets.annotations.files import read_json, read_text
from moviola.datasets.annotations.footage import Footage
from moviola.datasets.annotations.gallery import read_ids
from moviola.datasets.annotations.tables import read_rows, read_tabbed
from moviola.plugins import load_dataset
from moviola.testing import check_dataset

GOOD = "video,caption\r\na,one\r\nb,two\r\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.encode("utf-16"), "is UTF-16; save the file as UTF-8"),
        (GOOD.encode("utf-16-le"), "line 1: there is a NUL"),
        (b"video,caption\na,caf\xe9\n", "line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"video,caption\na,b\0c\n", "line 2: there is a NUL"),
        (b"video,caption,caption\na,b,c\n", "line 1: two columns are called 'caption'; rename"),
        (b"video;caption\na;b\n", "no column 'caption'.* semicolons; separate them by commas"),
        (b"video\tcaption\na\tb\n", "no column 'caption'.* tabs; separate them by commas"),
        (b"video,text\n", "line 1: there is no column 'caption'; there are 'video', 'text'"),
        (b"video,caption\na,   \n", "line 2: 'caption' is '   '; write words"),
        (b"video,caption\na,one,two\n", "line 2: 3 fields under 2 columns; put double quotes"),
        (b"video,caption\na\n", "line 2: 1 fields under 2 columns"),
        (b'video,caption\na,"two\nlines"\nb,"open\nc,x\n', "line 4: .* is not closed"),
        (b'video,caption\na,"closed" twice"\nb,x\n', "line 2: .*write a quote twice"),
        (b"video,caption\n,words\n", "line 2: 'video' is ''; write words"),
        (b"video,caption,start,end\na,b,nan,3\n", "line 2: a span needs finite seconds"),
        (b"video,caption,start,end\na,b,-1,3\n", "line 2: a span needs 0 <= start"),
        (b"video,caption,start,end\na,b,0:10,3\n", "line 2: 'start' is '0:10'; write seconds"),
        (b"", "is empty; its first line must name the columns"),
        (b"\n\n", "is empty"),
    ],
)
def test_a_bad_csv_is_refused_by_file_row_and_remedy(tmp_path, content, words):
    path = tmp_path / "captions.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=words) as caught:
        read_captions(path)
    assert "captions.csv" in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"caption": "a", "caption": "b"}', "one object has 'caption' twice; keep one"),
        ('{"caption": "a"}\n{"caption": "a", "x": 1, "x": 1}', "line 2: one object has 'x' twice"),
        ('{"caption": "a"}\n{"words": "b"}', "line 2: there is no column 'caption'"),
        (r'{"caption": "a\u0000b"}', "line 1: 'caption' holds a NUL"),
        (r'{"caption": "a\ud800b"}', "line 1: 'caption' holds half a character"),
        ('{"caption": ["a"]}', "line 1: 'caption' is "),
        ('{"caption": "a"', "line 1: not JSON"),
        ('{"caption": "a", "n": ' + "1" * 5000 + "}", "line 1: not JSON that can be read"),
    ],
)
def test_a_bad_jsonl_is_refused_by_line(tmp_path, content, words):
    path = tmp_path / "captions.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(DatasetError, match=words):
        read_captions(path)


def test_a_bad_parquet_is_refused(tmp_path):
    path = tmp_path / "captions.parquet"
    pq.write_table(pa.table({"caption": ["a", None]}), path)
    with pytest.raises(DatasetError, match="row 2: 'caption' is None; write words"):
        read_captions(path)
    doubled = pa.table([pa.array(["a"]), pa.array(["b"])], names=["caption", "caption"])
    pq.write_table(doubled, path)
    with pytest.raises(DatasetError, match="two columns are called 'caption'"):
        read_captions(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DatasetError, match="cannot be read as Parquet"):
        read_captions(path)


def test_a_parquet_file_has_no_column_from_the_name_of_its_folder(tmp_path):
    path = tmp_path / "split=train" / "captions.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"caption": ["a"]}), path)
    assert list(read_rows(path, ["caption"])[0].values) == ["caption"]


@pytest.mark.parametrize("length", [10_000, 1_000_000])
def test_a_long_caption_is_read_whole(tmp_path, length):
    before = csv.field_size_limit()
    path = tmp_path / "captions.csv"
    path.write_text("video,caption\na," + "x" * length + "\n")
    assert len(read_captions(path)[0].text) == length
    assert csv.field_size_limit() == before


def test_a_long_bad_cell_is_not_printed_whole(tmp_path):
    path = tmp_path / "captions.csv"
    path.write_text("video,caption\na," + " " * 1_000_000 + "\n")
    with pytest.raises(DatasetError) as caught:
        read_captions(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "words",
    ["שלום עולם", "a\u202eb", "👩\u200d🚒 runs", "a\u0085b", "a\x1cb", "=1+1", "a\u2028b", "a\tb"],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
def test_strange_words_stay_as_they_are(tmp_path, words, kind):
    path = tmp_path / f"captions.{kind}"
    line = {"csv": words, "jsonl": json.dumps({"caption": words}), "txt": words}[kind]
    path.write_bytes((("caption\n" if kind == "csv" else "") + line + "\r\n").encode())
    assert [text.text for text in read_captions(path)] == [words]


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, end):
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("caption", "more"), *rows])
    path.write_bytes(text.getvalue().encode())
    found = read_rows(path, ["caption", "more"])
    assert [(row.text("caption"), row.text("more")) for row in found] == rows


@given(st.binary(max_size=300))
def test_noise_is_refused_or_read_and_nothing_else(tmp_path_factory, noise):
    folder = tmp_path_factory.mktemp("noise")
    for kind in ("csv", "jsonl", "json", "parquet", "txt"):
        path = folder / f"t.{kind}"
        path.write_bytes(noise)
        with suppress(DatasetError):
            assert read_captions(path)


def test_json_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "captions_msvd.json"
    path.write_text('{"a": ["x"],\n "a": ["y"]}')
    with pytest.raises(DatasetError, match="one object has 'a' twice"):
        read_json(path)


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(DatasetError, match=r"no.txt: No such file"):
        read_text(tmp_path / "no.txt")


def test_a_list_of_ids(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a\r\n\r\nb \n")
    assert read_ids(path) == ["a", "b"]
    path.write_text("a\nb\na\n")
    with pytest.raises(DatasetError, match=r"list.txt, line 3: 'a' comes a second time"):
        read_ids(path)
    path.write_text("\n")
    with pytest.raises(DatasetError, match="lists no videos"):
        read_ids(path)
    table_of_ids = tmp_path / "list.csv"
    table_of_ids.write_text("video_id\nx\ny\n")
    assert read_ids(table_of_ids) == ["x", "y"]


def test_tabbed_files_take_quotes_for_words(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('a\t"open\nb\tsays "x"\n')
    assert [row.values["words"] for row in read_tabbed(path, ("id", "words"))] == [
        '"open',
        'says "x"',
    ]
    with pytest.raises(DatasetError, match="the first line must name the columns"):
        read_tabbed(path, ("id", "words"), header=True)
    with pytest.raises(DatasetError, match=r"line 1: 2 fields .* must be 3: id, words, more"):
        read_tabbed(path, ("id", "words", "more"))


def write_table(root, rows, head="video,caption,split"):
    (root / "captions.csv").write_text("\n".join([head, *rows]))
    return root / "captions.csv"


def test_a_table_with_its_videos_beside_it(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    path = write_table(tmp_path, ["a.mp4,one,test", "gone.mp4,two,test", "b,three,train"])
    found = check_dataset(table.load, path, "test")
    assert found.name == "captions-test"
    assert [clip.id for clip in found.clips] == ["a", "gone"]
    assert found.missing == ("gone",)
    assert [text.id for text in found.texts] == ["a-1", "gone-1"]
    assert found.clips[1].path == tmp_path / "gone.mp4"
    with pytest.raises(DatasetError, match="no split 'val'; it has all, test, train"):
        table.load(path, "val")
    with pytest.raises(DatasetError, match=r"is no table .*'folder' takes a folder"):
        table.load(tmp_path, "test")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            ["a,x,train", "b,y,test", "a,z,test"],
            "line 4: 'a' is in the split 'test' and in 'train'",
        ),
        (["a,x,test", "a.mp4,y,test"], "line 3: 'a.mp4' is called 'a' in a row above"),
        (["a,x,test", "videos/a.mp4,y,test"], "'a' and 'videos/a' are the same clip of .*a.mp4"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(tmp_path, rows, words):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    with pytest.raises(DatasetError, match=words):
        table.load(write_table(tmp_path, rows), "test")


def test_the_path_of_what_is_missing_stays_in_the_folder(tmp_path):
    path = write_table(tmp_path, ["../../etc/passwd,x", "/etc/passwd,y"], "video,caption")
    for clip in table.load(path, "all").clips:
        assert clip.path == tmp_path / "etc" / "passwd"


def test_blanks_round_fields_are_no_part_of_names_and_captions(tmp_path):
    table = tmp_path / "captions.csv"
    table.write_text(
        'video , caption\n red.mp4 , it is red\n"b,c.mp4" ,  "it says ""hi"", twice" \n'
        'd.mp4,"two\nlines, "" , and more"\n'
    )
    found = read_caption_table(table)
    assert [caption.video for caption in found] == ["red.mp4", "b,c.mp4", "d.mp4"]
    assert [caption.text for caption in found] == [
        "it is red",
        'it says "hi", twice',
        'two\nlines, " , and more',
    ]


@pytest.mark.parametrize(
    ("written", "on_disk"),
    [
        ("Caf\u00e9.mp4", "Cafe\u0301.mp4"),
        ("Cafe\u0301.mp4", "Caf\u00e9.mp4"),
        ("clips\\red.mp4", "clips/red.mp4"),
        ("clips\\\\red.mp4", "clips/red.mp4"),
        ("clips//red.mp4", "clips/red.mp4"),
        ("./clips/red.mp4", "clips/red.mp4"),
        ("  red.mp4 ", "red.mp4"),
        ("CLIP0001.mp4", "CLIP0001.MP4"),
        ("CLIP0001.MP4", "clips/CLIP0001.mp4"),
    ],
)
def test_every_loader_finds_a_file_however_its_name_is_spelled(tmp_path, written, on_disk):
    videos = tmp_path / "videos"
    (videos / on_disk).parent.mkdir(parents=True)
    (videos / on_disk).write_bytes(b"not looked into")
    assert Footage(videos).find(written) == videos / on_disk
    (videos / "captions.csv").write_text(f"video,caption\n{written},words\n")
    (tmp_path / "val.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": written}],
                "annotations": [{"image_id": 1, "id": 1, "caption": "words"}],
            }
        )
    )
    corpus = json.dumps({"_id": "c", "video": written})
    (tmp_path / "corpus.jsonl").write_text(corpus)
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "words"}')
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq \tc\t1\n")
    for found in (
        load_dataset("table", videos / "captions.csv", "all"),
        load_dataset("folder", videos, "all"),
        load_dataset("coco", tmp_path, "val"),
        load_dataset("beir", tmp_path, "test"),
    ):
        assert found.missing == (), found.name
        assert [clip.path for clip in found.clips] == [videos / on_disk]


def test_a_name_that_fits_two_files_is_not_guessed(tmp_path):
    for name in ("Cafe\u0301.mp4", "Caf\u00e9.mp4"):
        (tmp_path / name).write_bytes(b"not looked into")
    footage = Footage(tmp_path)
    assert footage.find("Caf\u00e9.mp4") == tmp_path / "Caf\u00e9.mp4"
    with pytest.raises(DatasetError, match="may mean"):
        footage.find(" Caf\u00e9.MP4")
