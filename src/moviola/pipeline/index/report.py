"""Report an index run: how far it has come, and what became of every input."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.library import FailedFile
from moviola.pipeline.encode.stages import StageSeconds


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """Count what a run read through one channel.

    Attributes:
        channel: its name.
        videos: how many videos were read.
        passages: how many passages they have.
        partial: of how many something was left out.
        failed: of how many it failed; the library knows why.
    """

    channel: str
    videos: int
    passages: int
    partial: int
    failed: int


@dataclass(frozen=True, slots=True)
class IndexReport:
    """Count what became of every input: `ok + partial + failed + skipped` is their number.

    Attributes:
        ok: files read whole.
        partial: files of which a part could be read, and can be searched.
        failed: files that could not be used in this run; `failures` says why.
        skipped: files unchanged or moved since the last run, copies of one that is there, and
            those of `failed_before`.
        clips: clips of these inputs that are in the library now.
        failures: one entry a failed file.
        failed_before: files that failed in an earlier run and were left alone in this one.
        warnings: sentences about folders that could not be listed or are not there, and about mixed
            precisions.
        seconds: where the time went; None where nothing was decoded.
        channels: what was read through each channel, by name.
    """

    ok: int
    partial: int
    failed: int
    skipped: int
    clips: int
    failures: tuple[FailedFile, ...]
    failed_before: tuple[FailedFile, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: StageSeconds | None = None
    channels: tuple[ChannelCount, ...] = ()

    @property
    def inputs(self) -> int:
        """Count the inputs."""
        return self.ok + self.partial + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class IndexStep:
    """Say how far a run has come.

    Attributes:
        done: videos finished, failed ones included.
        total: videos to decode in this run.
        clips: clips added so far.
        failed: files that could not be used so far.
        estimate: seconds that the whole run may take, told once before the first video where this
            machine was measured (`moviola doctor --bench`).
        channels: whether these are videos that the library held before, whose channels are read.
    """

    done: int
    total: int
    clips: int
    failed: int
    estimate: float | None = None
    channels: bool = False
