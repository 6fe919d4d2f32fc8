"""Keep the files of a run in a folder or in an object store."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from moviola.core import MissingExtraError, StorageError, display_path

if TYPE_CHECKING:
    from typing import Any


class RunStore(Protocol):
    """Read and write small files by names with slashes; a file appears whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """Read a file; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file, over an older one; a power cut may lose it."""
        ...

    def create(self, name: str, data: bytes) -> bool:
        """Write a file where there is none; return False, and change nothing, where there is."""
        ...

    def names(self, folder: str) -> set[str]:
        """List the files below a folder, by their names in it."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is deleted already."""
        ...


def open_run_store(place: str) -> RunStore:
    """Open the store of a run: a folder, or a URL such as `s3://bucket/run`.

    Raises:
        MissingExtraError: when a URL needs what is not installed.
        ValueError: when nothing reads URLs of its kind.
    """
    return UrlStore(place) if "://" in place else FolderStore(Path(place).expanduser())


class FolderStore:
    """Keep files in a folder: written under temporary names, then renamed.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def read(self, name: str) -> bytes | None:
        """Read a file; None where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(name, error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file, over an older one; a power cut may lose it."""
        final = self.folder / name
        temporary = self._written(final, data, is_durable=False)
        try:
            temporary.replace(final)
        except OSError as error:
            raise self._fault(name, error) from error

    def create(self, name: str, data: bytes) -> bool:
        """Write a file where there is none; return False, and change nothing, where there is."""
        final = self.folder / name
        if final.exists():
            return False
        temporary = self._written(final, data, is_durable=True)
        try:
            self.publish(temporary, final)
        except FileExistsError:
            return False
        except OSError as error:
            raise self._fault(name, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def names(self, folder: str) -> set[str]:
        """List the files below a folder, by their names in it."""
        root = self.folder / folder
        found = (
            path for path in root.rglob("*") if not path.name.startswith(".") and path.is_file()
        )
        return {path.relative_to(root).as_posix() for path in found}

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is deleted already."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault(name, error) from error

    def publish(self, temporary: Path, final: Path) -> None:
        """Give a finished file its name.

        Raises:
            FileExistsError: when the name is taken.
        """
        os.link(temporary, final)  # a rename would replace what is there

    def _written(self, final: Path, data: bytes, *, is_durable: bool) -> Path:
        """Write the bytes of a file under a name of their own beside it."""
        temporary = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                if is_durable:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise self._fault(final.name, error) from error
        return temporary

    def _fault(self, name: str, error: OSError) -> StorageError:
        return StorageError(
            f"cannot read or write {name} of the run {display_path(self.folder)}: {error.strerror}"
        )


class UrlStore:
    """Keep files in an object store, through fsspec."""

    def __init__(self, url: str) -> None:
        """Open `url`.

        Raises:
            MissingExtraError: when fsspec, or its part for such URLs, is not installed.
            ValueError: when nothing reads URLs of its kind.
        """
        try:
            import fsspec

            found: tuple[Any, str] = fsspec.core.url_to_fs(url)  # pyright: ignore[reportUnknownMemberType]
        except ImportError as error:
            raise MissingExtraError(
                f"the run {url} needs what is not installed ({error}); install moviola[cloud]"
            ) from error
        self._files, self._root = found
        self._url = url

    def read(self, name: str) -> bytes | None:
        """Read an object; None where there is none."""
        try:
            return bytes(self._files.cat_file(self._path(name)))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(name, error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write an object, over an older one."""
        try:
            self._files.pipe_file(self._path(name), data)
        except OSError as error:
            raise self._fault(name, error) from error

    def create(self, name: str, data: bytes) -> bool:
        """Write an object where there is none; return False, and change nothing, where there is."""
        try:
            self._files.pipe_file(self._path(name), data, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            raise self._fault(name, error) from error
        return True

    def names(self, folder: str) -> set[str]:
        """List the objects below a folder, by their names in it."""
        root = self._path(folder).strip("/")
        self._files.invalidate_cache()
        try:
            found: list[str] = self._files.find(self._path(folder))
        except FileNotFoundError:
            return set()
        return {path.strip("/").removeprefix(root + "/") for path in found}

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is deleted already."""
        try:
            self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._fault(name, error) from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _fault(self, name: str, error: OSError) -> StorageError:
        return StorageError(f"cannot read or write {name} of the run {self._url}: {error}")
