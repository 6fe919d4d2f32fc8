"""The searchable library: incremental, one writer and many readers, safe against crashes."""

from moviola.library.bands import Band
from moviola.library.card import LibraryCard, write_atomically
from moviola.library.duplicates import collapse
from moviola.library.files import Entry, InputFile, UnreadableEntry, content_id, scan
from moviola.library.filters import VideoFilter
from moviola.library.moments import Stretch, merge_windows
from moviola.library.opening import CACHE, Library
from moviola.library.planning import FailedFile, Plan
from moviola.library.records import NewVideo, VideoName, VideoRecord
from moviola.library.searching import Moment, Snapshot
from moviola.library.status import LibraryStatus
from moviola.library.verifying import Problem
from moviola.library.writing import LibraryWriter

__all__ = [
    "CACHE",
    "Band",
    "Entry",
    "FailedFile",
    "InputFile",
    "Library",
    "LibraryCard",
    "LibraryStatus",
    "LibraryWriter",
    "Moment",
    "NewVideo",
    "Plan",
    "Problem",
    "Snapshot",
    "Stretch",
    "UnreadableEntry",
    "VideoFilter",
    "VideoName",
    "VideoRecord",
    "collapse",
    "content_id",
    "merge_windows",
    "scan",
    "write_atomically",
]
