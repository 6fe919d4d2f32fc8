"""The hallway: the only place where the rooms are wired together."""

from moviola.pipeline.encoding import EncodeReport, encode_captions, encode_videos
from moviola.pipeline.indexing import IndexReport, IndexStep, index
from moviola.pipeline.searching import open_library, search

__all__ = [
    "EncodeReport",
    "IndexReport",
    "IndexStep",
    "encode_captions",
    "encode_videos",
    "index",
    "open_library",
    "search",
]
