"""Libraries go into archives and come out whole; hostile archives are refused."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import tarfile
from pathlib import Path

import pytest

import moviola
from moviola.core import MoviolaError, StoreCorruptError
from moviola.library import Library
from moviola.pipeline.upkeep.archive import export_library, import_library
from moviola.pipeline.upkeep.verify import verify
from moviola.testing import EchoEncoder

ECHO = "moviola.testing:EchoEncoder"
RED, BLUE = (220, 20, 20), (20, 20, 220)


@pytest.fixture
def library(tmp_path, colour_video) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "red.mp4", RED, seconds=2)
    colour_video(videos / "mixed.mp4", RED, BLUE, seconds=4)
    moviola.index([videos], library=tmp_path / "lib", model=ECHO, segment="windows:2/1")
    return tmp_path / "lib"


def found(library: Path) -> list[tuple]:
    moments = moviola.search("blue", library=library, top=5)
    return [(m.clip, m.path.name, m.score, m.start) for m in moments]


@pytest.fixture
def archive(library, tmp_path) -> Path:
    assert export_library(library, tmp_path / "backup") == (tmp_path / "backup").stat().st_size
    return tmp_path / "backup"


def test_a_library_comes_back_as_it_was(library, archive, tmp_path):
    opened = import_library(archive, tmp_path / "again")
    assert opened.videos() == Library.open(library).videos()
    assert found(tmp_path / "again") == found(library)
    assert verify(tmp_path / "again", deep=True).ok


def test_on_another_machine_its_videos_are_where_they_are_there(
    library, archive, tmp_path, monkeypatch
):
    shutil.move(tmp_path / "videos", tmp_path / "elsewhere")
    opened = import_library(
        archive, tmp_path / "again", roots={tmp_path / "videos": tmp_path / "elsewhere"}
    )
    assert opened.roots() == [tmp_path / "elsewhere"]
    assert all(record.path.is_file() for record in opened.videos())

    def refuse(*_args, **_kwargs):
        raise AssertionError("something was encoded")

    monkeypatch.setattr(EchoEncoder, "encode_videos", refuse)
    report = moviola.index(library=tmp_path / "again")
    assert (report.ok, report.skipped) == (0, 2)
    with pytest.raises(ValueError, match="knows no video below"):
        import_library(archive, tmp_path / "third", roots={Path("/nowhere"): tmp_path})
    assert not list(tmp_path.glob("third*"))


def test_nothing_is_written_over(library, archive, tmp_path):
    with pytest.raises(FileExistsError):
        export_library(library, archive)
    with pytest.raises(FileExistsError):
        import_library(archive, library)


def test_a_damaged_library_is_no_backup(library, tmp_path):
    (data,) = (library / "videos.lance" / "data").iterdir()
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(StoreCorruptError, match="moviola repair"):
        export_library(library, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


def test_every_truncation_and_flipped_bit_is_refused(archive, tmp_path):
    whole = archive.read_bytes()
    rng = random.Random(4)  # noqa: S311 (no secret)
    spoilt = [whole[: rng.randrange(len(whole) - 20_000)] for _ in range(10)]
    with tarfile.open(archive) as tar:
        ends = [(member.offset_data, member.size) for member in tar if member.size]
    for start, size in rng.choices(ends, k=20):
        copy = bytearray(whole)
        copy[start + rng.randrange(size)] ^= 1 << rng.randrange(8)
        spoilt.append(bytes(copy))
    for number, content in enumerate(spoilt):
        archive.write_bytes(content)
        with pytest.raises(StoreCorruptError):
            import_library(archive, tmp_path / "again")
        assert not list(tmp_path.glob("again*")), number


def forged(archive: Path, *extra: tuple[tarfile.TarInfo, bytes], listed: dict | None = None):
    """An archive like a sound one, with more members, which its list knows."""
    with tarfile.open(archive) as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar.getmembers()]
    (first, told), *rest = members
    parts = json.loads(told)
    parts["files"] |= listed or {}
    told = json.dumps(parts).encode()
    first.size = len(told)
    with tarfile.open(archive, "w:") as tar:
        for member, content in [(first, told), *rest, *extra]:
            tar.addfile(member, io.BytesIO(content))


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, target, size
    return member


NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/tmp/outside",  # noqa: S108
        "clips.lance/../../outside",
        "clips.lance/data/../../../outside",
        "clips.lance/data/.hidden",
        "head/../../outside",
        "cache/pictures/a.jpg",
        "clips.lance\\..\\outside",
        "writer.lock",
        "clips.lance/data/a\0b",
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_names_that_lead_elsewhere_are_refused(archive, tmp_path, name, is_listed):
    forged(archive, (entry(name), b""), listed={name: [0, NOTHING]} if is_listed else None)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(StoreCorruptError):
        import_library(archive, tmp_path / "again")
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, b"S"],
)
def test_only_regular_files_are_taken(archive, tmp_path, kind):
    name = "clips.lance/data/more.lance"
    forged(archive, (entry(name, kind, "/etc/passwd"), b""), listed={name: [0, NOTHING]})
    with pytest.raises(StoreCorruptError):
        import_library(archive, tmp_path / "again")
    assert not list(tmp_path.glob("again*"))


def test_an_archive_that_claims_more_than_the_disk_holds_is_refused_at_once(archive, tmp_path):
    name = "clips.lance/data/more.lance"
    forged(archive, listed={name: [1 << 60, NOTHING]})
    with pytest.raises(MoviolaError, match="free"):
        import_library(archive, tmp_path / "again")
    assert not list(tmp_path.glob("again*"))


@pytest.mark.parametrize("content", [b"", b"x", bytes(10_240), os.urandom(4096), b"PK\3\4" * 99])
def test_what_is_no_archive_is_told(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(StoreCorruptError, match="cannot be used"):
        import_library(tmp_path / "file", tmp_path / "again")


def test_a_compressed_archive_is_refused(archive, tmp_path):
    import gzip

    (tmp_path / "file").write_bytes(gzip.compress(archive.read_bytes()))
    with pytest.raises(StoreCorruptError):
        import_library(tmp_path / "file", tmp_path / "again")


def test_a_list_that_is_nested_or_long_is_refused(tmp_path):
    for told in (b"[" * 100_000, b'{"schema": 1, "files": []}', b'{"schema": 1}', b"null"):
        with tarfile.open(tmp_path / "file", "w:") as tar:
            tar.addfile(entry("moviola-library.json", size=len(told)), io.BytesIO(told))
        with pytest.raises(StoreCorruptError):
            import_library(tmp_path / "file", tmp_path / "again")
