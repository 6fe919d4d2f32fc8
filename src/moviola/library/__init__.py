"""Keep a searchable library: incremental, one writer and many readers, safe against crashes."""

from moviola.library.files import Entry, InputFile, UnreadableEntry, content_id, identify, scan
from moviola.library.filters import VideoFilter
from moviola.library.library import CACHE, Library
from moviola.library.planning import FailedFile, Plan
from moviola.library.records import NewVideo, VideoName, VideoRecord
from moviola.library.snapshot import Snapshot
from moviola.library.status import LibraryStatus
from moviola.library.storage.card import LibraryCard, write_atomically
from moviola.library.storage.verifying import Problem
from moviola.library.storage.writing import LibraryWriter

__all__ = [
    "CACHE",
    "Entry",
    "FailedFile",
    "InputFile",
    "Library",
    "LibraryCard",
    "LibraryStatus",
    "LibraryWriter",
    "NewVideo",
    "Plan",
    "Problem",
    "Snapshot",
    "UnreadableEntry",
    "VideoFilter",
    "VideoName",
    "VideoRecord",
    "content_id",
    "identify",
    "scan",
    "write_atomically",
]
