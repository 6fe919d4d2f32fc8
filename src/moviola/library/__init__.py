"""Keep a searchable library: incremental, one writer and many readers, safe against crashes."""

from moviola.library.absence import find_absent, has_no_file, is_below, is_gone
from moviola.library.files import Entry, InputFile, UnreadableEntry
from moviola.library.filters import VideoFilter
from moviola.library.identity import content_id, has_content
from moviola.library.library import Library
from moviola.library.plan import FailedFile, Plan
from moviola.library.readings import ChannelMark, ChannelReading, version_digest
from moviola.library.records import NewVideo, VideoName, VideoRecord
from moviola.library.scanning import scan
from moviola.library.snapshot import Snapshot
from moviola.library.status import ChannelCoverage, LibraryStatus, count_channels
from moviola.library.storage.card import NO_MODEL, KnownChannel, LibraryCard
from moviola.library.storage.locking import WriterLock, writer_lock
from moviola.library.storage.places import CACHE, HEAD_NAME
from moviola.library.storage.row_checks import DamageWarning, Problem
from moviola.library.storage.writing import LibraryWriter

__all__ = [
    "CACHE",
    "HEAD_NAME",
    "NO_MODEL",
    "ChannelCoverage",
    "ChannelMark",
    "ChannelReading",
    "DamageWarning",
    "Entry",
    "FailedFile",
    "InputFile",
    "KnownChannel",
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
    "WriterLock",
    "content_id",
    "count_channels",
    "find_absent",
    "has_content",
    "has_no_file",
    "is_below",
    "is_gone",
    "scan",
    "version_digest",
    "writer_lock",
]
