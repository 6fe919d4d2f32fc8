"""The hallway: the only place where the rooms are wired together."""

from moviola.pipeline.encode.encode import EncodeReport, encode_captions, encode_videos
from moviola.pipeline.index.index import IndexReport, IndexStep, index
from moviola.pipeline.search.search import open_library, search

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
