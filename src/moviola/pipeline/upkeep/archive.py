"""Put a whole library into one checksummed archive, and take it out of one.

The archive is a plain tar file without compression, for vectors hardly get smaller. Its first
member lists every other one with size and SHA-256, so that whatever is missing, changed or added
is found before a library comes to be. An archive may come from a stranger: nothing is written but
regular files of a library, each of its declared size, in a new folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from moviola.core import MoviolaError, StorageError, StoreCorruptError, display_path
from moviola.core.json_text import decode_json
from moviola.library import HEAD_NAME, Library, writer_lock
from moviola.library.storage.card import CARD_NAME, sync_folder
from moviola.library.storage.seals import SEALS_NAME, table_files
from moviola.library.storage.state_files import CALIBRATION, FAVOURITES
from moviola.library.storage.whole_digests import WHOLE_DIGESTS
from moviola.pipeline.upkeep.verify import verify

_LIST = "moviola-library.json"
_SCHEMA = 1
_LONGEST_LIST = 64 << 20  # bytes; a library of a million clips has a few hundred thousand
_BLOCK = 1 << 20
_BESIDE = (CARD_NAME, SEALS_NAME, CALIBRATION, FAVOURITES, WHOLE_DIGESTS)
# What Python raises over an archive that is none, or not one of ours.
_STRANGE = (
    *(tarfile.TarError, EOFError, ValueError, LookupError, TypeError),
    *(AttributeError, RecursionError, OverflowError),
)
# Names of files that a library is made of. No part of one begins with a dot.
_NAME = re.compile(
    rf"(?:{'|'.join(map(re.escape, _BESIDE))}"
    rf"|{HEAD_NAME}/[A-Za-z0-9_-][\w.-]*"
    r"|[a-z]+\.lance/(?:[A-Za-z0-9_-][\w.-]*/){1,3}[A-Za-z0-9_-][\w.-]*)",
    re.ASCII,
)


def export_library(library: Path, archive: Path) -> int:
    """Put a library into a new file; return its bytes.

    Pictures and other things that are made again are left out, and so are the videos.

    Args:
        library: the folder of the library.
        archive: the file, which must not be there.

    Raises:
        FileNotFoundError: when there is no library.
        FileExistsError: when there is something at `archive`.
        LibraryLockedError: when another process writes to the library.
        StoreCorruptError: when the library is damaged; a damaged backup is none.
        StorageError: when the archive cannot be written.
    """
    Library.open(library)
    unfinished = archive.with_name(archive.name + ".part")
    with writer_lock(library):
        problems = verify(library).problems
        if problems:
            raise StoreCorruptError(
                f"the library {display_path(library)} is damaged: {problems[0].what}. Mend it "
                f"with: moviola repair {display_path(library)}"
            )
        if archive.exists():
            raise FileExistsError(f"{display_path(archive)} is there already; name another file")
        with _disk(archive):
            try:
                with unfinished.open("wb") as file:
                    _write(library, file)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(archive)
                sync_folder(archive.absolute().parent)
            finally:
                unfinished.unlink(missing_ok=True)
            return archive.stat().st_size


def import_library(
    archive: Path, library: Path, *, roots: Mapping[Path, Path] = MappingProxyType({})
) -> Library:
    """Take a library out of an archive into a new folder, and verify every row of it.

    Args:
        archive: a file that `export_library` wrote.
        library: the folder, which must not be there, or be empty.
        roots: where folders of videos are on this machine, by where they were.

    Raises:
        FileNotFoundError: when there is no such file.
        FileExistsError: when there is something in the folder.
        StoreCorruptError: when the archive is damaged, cut short, or no archive of a library.
        StorageError: when there is no room or no permission.
        ValueError: when the library knows no video below one of `roots`.
    """
    if not archive.is_file():
        raise FileNotFoundError(f"there is no archive {display_path(archive)}; check its path")
    library = library.absolute()
    if library.exists() and (not library.is_dir() or any(library.iterdir())):
        raise FileExistsError(f"{display_path(library)} is there already; name a new folder")
    unfinished = library.with_name(library.name + ".importing")
    with _disk(library):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        try:
            _read(archive, unfinished)
            _settle(archive, unfinished, roots)
            if library.exists():
                library.rmdir()
            unfinished.rename(library)
            sync_folder(library.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return Library.open(library)


def _settle(archive: Path, library: Path, roots: Mapping[Path, Path]) -> None:
    """Verify a library that came out of an archive, and name its videos as they are named here."""
    problems = verify(library, deep=True).problems
    if problems:
        raise _damaged(archive, problems[0].what)
    opened = Library.open(library)
    with opened.writer() as writer:
        for before, now in roots.items():
            if not writer.move_root(before, now):
                known = ", ".join(map(display_path, opened.roots()))
                raise ValueError(
                    f"the library knows no video below {display_path(before)}; it knows {known}"
                )


def _write(library: Path, file: IO[bytes]) -> None:
    names = [name for name in _BESIDE if (library / name).is_file()]
    names += sorted(f"{HEAD_NAME}/{path.name}" for path in (library / HEAD_NAME).glob("*"))
    names += sorted(table_files(library))
    listed = {name: _size_and_digest(library / name) for name in names}
    told = json.dumps({"schema": _SCHEMA, "files": listed}).encode()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_member(_LIST, len(told)), io.BytesIO(told))
        for name in names:
            with (library / name).open("rb") as held:
                tar.addfile(_member(name, listed[name][0]), held)


def _read(archive: Path, folder: Path) -> None:
    """Write the files of an archive into `folder`, each compared with the list."""
    try:
        with tarfile.open(archive, mode="r:") as tar:
            first = tar.next()
            if first is None or first.name != _LIST or first.size > _LONGEST_LIST:
                raise _damaged(archive, "it does not begin with the list of a library's files")
            listed = _listed(archive, _content(tar, first).read())
            _refuse_too_large(folder, sum(size for size, _ in listed.values()))
            while (member := tar.next()) is not None:
                size, digest = listed.pop(member.name, (-1, ""))
                if member.size != size or member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                    raise _damaged(archive, f"{display_path(member.name)} is not what it lists")
                if _copied(_content(tar, member), folder / member.name) != digest:
                    raise _damaged(archive, f"{display_path(member.name)} is not what was written")
    except _STRANGE as error:
        raise _damaged(archive, str(error)) from error
    if listed:
        raise _damaged(archive, f"it lacks {display_path(min(listed))}")


def _listed(archive: Path, text: bytes) -> dict[str, tuple[int, str]]:
    """Read the list of an archive; no name in it leads anywhere but into a library."""
    parts = decode_json(text)
    if int(parts["schema"]) > _SCHEMA:
        raise StoreCorruptError(
            f"a newer Moviola wrote {display_path(archive)}; upgrade Moviola to import it"
        )
    listed = {
        str(name): (int(size), str(digest)) for name, (size, digest) in parts["files"].items()
    }
    strange = [name for name, (size, _) in listed.items() if not _NAME.fullmatch(name) or size < 0]
    if strange:
        raise _damaged(archive, f"{display_path(strange[0])} is no file of a library")
    return listed


def _refuse_too_large(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise StorageError(
            f"the archive holds {wanted} bytes and there are {free} free at "
            f"{display_path(folder.parent)}; free some space"
        )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise tarfile.TarError(f"{display_path(member.name)} is no regular file")
    return content


def _copied(content: IO[bytes], path: Path) -> str:
    """Write a file, and give the SHA-256 of its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Make an entry that tells nothing of the machine it was made on."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _size_and_digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(archive: Path, what: Any) -> StoreCorruptError:
    return StoreCorruptError(
        f"the archive {display_path(archive)} cannot be used: {what}; export the library again"
    )


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except (MoviolaError, FileExistsError, FileNotFoundError, ValueError):
        raise
    except OSError as error:
        raise StorageError(f"cannot write {display_path(path)}: {error.strerror}") from error
