"""File to clips to frames and sound, decoded in worker processes."""

from moviola.core.videos import VIDEO_SUFFIXES
from moviola.video.limits import Limits
from moviola.video.messages import ClipRead, ReadRequest, VideoDone
from moviola.video.pool import DecodePool, probe, read_frames_at, read_waveform
from moviola.video.segmenting import (
    GivenSegmenter,
    WholeSegmenter,
    WindowSegmenter,
    parse_segmenter,
)
from moviola.video.shots import ShotSegmenter

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipRead",
    "DecodePool",
    "GivenSegmenter",
    "Limits",
    "ReadRequest",
    "ShotSegmenter",
    "VideoDone",
    "WholeSegmenter",
    "WindowSegmenter",
    "parse_segmenter",
    "probe",
    "read_frames_at",
    "read_waveform",
]
