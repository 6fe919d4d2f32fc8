"""Names of content: all bytes of small files, blocks of large ones."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from moviola.library import InputFile, content_id, has_content, scan
from moviola.library.identity import WHOLE_BYTES, is_sampled, whole_id

SUFFIXES = frozenset({".mp4"})


def holds(folder, name: str) -> bool:
    file = only(folder)
    with file.path.open("rb") as stream:
        return has_content(stream, file.size, name)


def only(folder) -> InputFile:
    (entry,) = scan([folder], SUFFIXES)
    assert isinstance(entry, InputFile)
    return entry


def test_small_files_are_named_by_all_their_bytes(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    expected = hashlib.blake2b(b"film", digest_size=16).hexdigest()
    assert content_id(only(tmp_path)) == whole_id(only(tmp_path)) == expected


def test_a_file_of_a_terabyte_is_named_at_once(tmp_path):
    path = tmp_path / "a.mp4"
    path.touch()
    try:
        os.truncate(path, 1 << 40)
    except OSError:
        pytest.skip("this file system holds no sparse files of a terabyte")
    began = time.process_time()
    name = content_id(only(tmp_path))
    assert time.process_time() - began < 0.5
    assert is_sampled(name)
    os.truncate(path, (1 << 40) + 1)
    assert content_id(only(tmp_path)) != name


@pytest.mark.parametrize("place", [0, WHOLE_BYTES // 2, WHOLE_BYTES])
def test_large_files_differ_by_their_blocks_at_the_start_in_the_middle_and_at_the_end(
    tmp_path, place
):
    path = tmp_path / "a.mp4"
    path.touch()
    os.truncate(path, WHOLE_BYTES + 1)
    name, whole = content_id(only(tmp_path)), whole_id(only(tmp_path))
    assert name != whole
    assert holds(tmp_path, name)
    assert holds(tmp_path, whole)
    with path.open("r+b") as file:
        # Blocks are less than a megabyte apart in a file of this size.
        file.seek(max(0, place - (1 << 20)))
        file.write(b"x" * ((1 << 20) + 1))
    assert path.stat().st_size == WHOLE_BYTES + 1
    assert content_id(only(tmp_path)) != name
    assert not holds(tmp_path, name)
    assert not holds(tmp_path, whole)
