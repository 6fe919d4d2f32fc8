"""Write a generated world to disk: videos, MSR-VTT annotations, moments and facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from moviola.synthetic.shapes.facts import Claim, Clause, has_held_out, is_held_out, is_true
from moviola.synthetic.shapes.film import FRAME_RATE, write_film
from moviola.synthetic.shapes.grammar import draw_claims, full_mention, say
from moviola.synthetic.shapes.rendering import render
from moviola.synthetic.shapes.world import LEVELS, Level, Take, draw_video, look_alike, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 192
SPLITS = ("train", "val", "test")
HELD_OUT_SHARE = 0.25


@dataclass(frozen=True)
class Video:
    """Hold a video of the world before it is rendered: its takes, and what its captions say."""

    id: str
    split: str
    takes: tuple[Take, ...]
    claims: tuple[Claim, ...]
    captions: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Sum the length of the video, in seconds."""
        return sum(take.seconds for take in self.takes)

    @property
    def spans(self) -> list[tuple[float, float]]:
        """List the start and end of each shot in seconds."""
        ends = np.cumsum([take.seconds for take in self.takes]).tolist()
        return list(zip([0.0, *ends[:-1]], ends, strict=True))


def claims_held_out(claim: Claim) -> bool:
    """Tell whether a claim states a combination that training never shows."""
    stated = [(m.shape, m.colour, m.motion) for clause in claim.clauses for m in clause.mentions]
    return any(s and c and m and is_held_out(s, c, m) for s, c, m in stated)


def draw(
    seed: int, split: str, number: int, *, level: Level = LEVELS["plain"], look_alikes: bool = False
) -> Video:
    """Draw one video of a split; the same arguments give the same video, whatever else is drawn.

    Args:
        seed: the world's seed.
        split: one of `SPLITS`; only "test" shows held-out combinations, in a quarter of its videos.
        number: which video of the split.
        level: how rich the world is.
        look_alikes: give the video two shots that share background, camera and colours, one of
            which is to be told from the other.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), number, int(look_alikes)])
    special = split == "test" and rng.random() < HELD_OUT_SHARE
    takes = draw_video(rng, level, held_out=special)
    if look_alikes:
        takes = _beside_look_alike(rng, takes)
    shots = tuple(take.shot for take in takes)
    claims = draw_claims(rng, shots)
    captions: list[str] = []
    for claim in claims:
        text = say(rng, claim)
        for _ in range(20):
            if text not in captions:
                break
            text = say(rng, claim)
        captions.append(text)
    # The seed is part of the name: worlds that share a folder are not taken for each other.
    return Video(
        f"shapes-{seed}-{split}-{number:05d}", split, takes, tuple(claims), tuple(captions)
    )


def _beside_look_alike(rng: np.random.Generator, takes: Sequence[Take]) -> tuple[Take, ...]:
    seconds = [float(np.round(rng.uniform(3.0, 5.0) * FRAME_RATE) / FRAME_RATE) for _ in range(3)]
    shot = takes[0].shot
    other = look_alike(rng, shot)
    pair = [stage(rng, shot, seconds[0]), stage(rng, other, seconds[1])]
    if rng.random() < 0.5:
        pair.reverse()
    if len(takes) > 1:
        last = stage(rng, takes[1].shot, seconds[2])
        pair.insert(int(rng.integers(3)), last)
    return tuple(pair)


def video_frames(takes: Sequence[Take], size: int = SIZE) -> Iterable[NDArray[np.uint8]]:
    """Render the frames of a video, (size, size, 3) uint8 each, `FRAME_RATE` a second."""
    for take in takes:
        yield from render(take, np.arange(round(take.seconds * FRAME_RATE)) / FRAME_RATE, size)


def write_video(path: Path, takes: Sequence[Take], size: int = SIZE) -> None:
    """Write takes as an MP4 file with H.264 pictures and AAC sound."""
    write_film(path, takes, video_frames(takes, size), size)


def facts_of(video: Video) -> dict[str, Any]:
    """Write the ground truth of a video as plain lists and dictionaries."""
    return {
        "video_id": video.id,
        "split": video.split,
        "duration": round(video.seconds, 6),
        "held_out": any(has_held_out(take.shot) for take in video.takes),
        "shots": [
            {
                "start": round(start, 6),
                "end": round(end, 6),
                **asdict(take.shot),
                "sound": asdict(take.sound),
            }
            for take, (start, end) in zip(video.takes, video.spans, strict=True)
        ],
    }


def moments_of(video: Video) -> list[dict[str, Any]]:
    """Write queries for the shots that a clause tells from the others, in QVHighlights' layout."""
    found: list[dict[str, Any]] = []
    rng = np.random.default_rng(crc32(video.id.encode()))
    shots = [take.shot for take in video.takes]
    for i, (shot, span) in enumerate(zip(shots, video.spans, strict=True)):
        thing = full_mention(shot.things[int(rng.integers(len(shot.things)))])
        claim = Claim((Clause(shot.background, None, (thing,)),))
        if any(is_true(claim, [other]) for j, other in enumerate(shots) if j != i):
            continue
        found.append(
            {
                "qid": f"{video.id}-m{i}",
                "query": say(rng, claim),
                "vid": video.id,
                "duration": round(video.seconds, 6),
                "relevant_windows": [[round(span[0], 6), round(span[1], 6)]],
                "asserted": claim.to_json(),
                "held_out": claims_held_out(claim),
            }
        )
    return found


def annotations_of(videos: Sequence[Video]) -> dict[str, Any]:
    """Lay out annotations as MSR-VTT does; each sentence also says what it asserts."""
    sentences: list[dict[str, Any]] = []
    for video in videos:
        for claim, caption in zip(video.claims, video.captions, strict=True):
            sentences.append(
                {
                    "caption": caption,
                    "video_id": video.id,
                    "sen_id": len(sentences),
                    "asserted": claim.to_json(),
                    "held_out": claims_held_out(claim),
                }
            )
    entries = [
        {
            "id": i,
            "video_id": video.id,
            "split": "validate" if video.split == "val" else video.split,
            "category": 0,
            "url": "",
            "start time": 0.0,
            "end time": round(video.seconds, 6),
        }
        for i, video in enumerate(videos)
    ]
    return {
        "info": {"description": "Moviola's generated world of moving shapes"},
        "videos": entries,
        "sentences": sentences,
    }


def _write_one(job: tuple[Path, Video]) -> None:
    path, video = job
    partial = path.with_suffix(".part")
    write_video(partial, video.takes)
    partial.replace(path)


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def generate(
    root: Path,
    *,
    seed: int,
    videos: Mapping[str, int],
    level: str = "plain",
    look_alikes: bool = False,
    workers: int = 1,
) -> list[Video]:
    """Write a world: `videos/*.mp4`, `annotations.json`, `moments.jsonl` and `facts.jsonl`.

    The same arguments write the same bytes, for one version of PyAV; a file that is already there
    is kept.

    Args:
        root: folder to write into, made where it is missing.
        seed: fixes the world.
        videos: how many videos each split gets, such as `{"test": 40}`.
        level: "plain", or "hard": more things and shots, textures and zooms.
        look_alikes: every video holds two shots that are alike but for shapes and motions.
        workers: processes that render.

    Raises:
        ValueError: an unknown split or level.
    """
    if level not in LEVELS or not set(videos) <= set(SPLITS):
        raise ValueError(
            f"level {level!r} must be among {sorted(LEVELS)}, "
            f"and splits {sorted(videos)} among {SPLITS}"
        )
    drawn = [
        draw(seed, split, number, level=LEVELS[level], look_alikes=look_alikes)
        for split in SPLITS
        for number in range(videos.get(split, 0))
    ]
    folder = root / "videos"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(path, video) for video in drawn if not (path := folder / f"{video.id}.mp4").exists()]
    if workers > 1:
        # Not forked: a child of a caller with threads (torch, LanceDB) could inherit held locks.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_write_one, jobs, chunksize=4))
    else:
        for job in jobs:
            _write_one(job)
    (root / "annotations.json").write_text(
        json.dumps(annotations_of(drawn), indent=1) + "\n", encoding="utf-8"
    )
    _write_lines(root / "moments.jsonl", [row for video in drawn for row in moments_of(video)])
    _write_lines(root / "facts.jsonl", [facts_of(video) for video in drawn])
    return drawn
