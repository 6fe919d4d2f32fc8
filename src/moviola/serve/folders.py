"""List the folders that hold videos, under ids: no path ever comes from a request."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.core import display_path
from moviola.library import VideoName, VideoRecord
from moviola.serve.schemas import FolderAnswer


def shown_folder(name: VideoName, *, absolute: bool = False) -> str:
    """Display where a file lies, from the folder that was indexed on, or absolutely."""
    return _display(name.path.parent, name.root, absolute=absolute)


def _display(folder: Path, root: Path, *, absolute: bool) -> str:
    """Display a folder from its root on, or absolutely."""
    if absolute or not folder.is_relative_to(root):
        return display_path(folder) if absolute else display_path(folder.name)
    below = folder.relative_to(root)
    return display_path(Path(root.name or "/") / below)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of a library.

    Attributes:
        paths: their paths by id.
        answers: what the API tells of them, parents first.
    """

    paths: dict[str, Path]
    answers: list[FolderAnswer]

    @classmethod
    def of(cls, records: Sequence[VideoRecord], *, absolute: bool = False) -> Folders:
        """List the folders of the videos that can be searched."""
        held: dict[tuple[Path, Path], set[str]] = {}
        for record in records:
            if not record.code.has_clips:
                continue
            for name in record.names:
                for folder in _above(name):
                    held.setdefault((name.root, folder), set()).add(record.id)
        paths: dict[str, Path] = {}
        answers: list[FolderAnswer] = []
        known = {folder for _, folder in held}
        for (root, folder), videos in sorted(held.items(), key=lambda item: _order(item[0])):
            number = folder_id(folder)
            if number in paths:  # a folder that was indexed, within another
                continue
            paths[number] = folder
            parent = folder.parent
            answers.append(
                FolderAnswer(
                    id=number,
                    name=display_path(folder.name or "/"),
                    path=_display(folder, root, absolute=absolute),
                    depth=len(folder.relative_to(root).parts) if folder.is_relative_to(root) else 0,
                    parent=folder_id(parent) if folder != root and parent in known else None,
                    videos=len(videos),
                )
            )
        return cls(paths, answers)


def folder_id(folder: Path) -> str:
    """Make the id of a folder."""
    return "f-" + hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()


def _above(name: VideoName) -> list[Path]:
    """List the folders from the one indexed down to the file."""
    parent = name.path.parent
    if not parent.is_relative_to(name.root):
        return [parent]
    found = [parent]
    while found[-1] != name.root:
        found.append(found[-1].parent)
    return found[::-1]


def _order(key: tuple[Path, Path]) -> tuple[bytes, list[bytes]]:
    """Order folders by root, then part by part."""
    root, folder = key
    parts = folder.relative_to(root).parts if folder.is_relative_to(root) else (folder.name,)
    return os.fsencode(root), [os.fsencode(part) for part in parts]
