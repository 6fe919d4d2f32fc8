"""Write the model card of the shipped encoder from what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

BARS = {
    "background": 0.90,
    "colour": 0.90,
    "shape": 0.90,
    "motion": 0.90,
    "size": None,
    "camera": None,
    "binding": None,
    "four-way direction": 0.92,
    "order pairs": 0.90,
    "fact-true@1": 0.60,
    "fact-true@1, one clause": None,
    "fact-true@1, two in order": None,
    "R@1 text to video, captions true of one video": None,
    "R@1 video to text, captions true of one video": None,
    "share of captions true of one video": None,
    "unsure, of queries about absent things of this world": 0.90,
    "unsure, of queries about other worlds": 0.90,
    "right, of strong hits": 0.90,
    "strong, of queries with an answer": None,
    "R1@IoU0.7, by cosines, look-alikes": 0.70,
    "R1@IoU0.7, sharpened, look-alikes": 0.70,
}
"""What a figure should reach; None where it is reported as it is."""

HEAD = """# Moviola's shapes encoder

A small two-tower model of one generated world: moving shapes in front of walls, filmed by a simple
camera. It is what Moviola's demo, tests and documentation run on without a download. It knows
nothing of real videos: for those another encoder is the right choice.

## What it is

* {parameters:,} parameters, float16 in `model.safetensors` ({megabytes:.1f} MB); widths and the
  vocabulary of {words} words in `config.json`.
* Video tower: eight frames of 64 x 64 pixels at 4 a second (two seconds) through strided
  convolutions whose channels take in time in two steps, to an 8 x 8 grid of cells; two residual
  blocks and one transformer layer on the grid; gated sums over the cells. Longer clips are the
  mean of such windows, one second apart.
* Text tower: words, two transformer layers, gated sums. An order caption ("A, then B") is split
  into clauses; a single vector of it is their mean and does not tell the order.
* 257 coordinates: 256 are learned; texts with words outside the vocabulary lean towards the last
  one, which is zero for every video.
* `calibration` in `config.json` turns the cosine of a best hit into the chance that it is right;
  by `sharpness` a search joins windows to moments.

## Training

    python -m moviola.experiments.shapes.train --out DIR --measure WORLD

renders windows on the fly (no files), trains with Lightning for {steps:,} steps of 128 windows
and 256 captions in bfloat16 (these weights: 46 minutes on two CPU cores shared with other work),
and then measures everything below and writes this card. It needs the extra `train`.

The losses: InfoNCE in both directions, in which pairs that are true by the facts do not count as
wrong and windows come in groups that differ in one fact; a yes-or-no loss over all pairs; and,
fading, labels of single cells (what is there) and of pairs of facts (read from the vector itself).
Weights are an exponential mean. One combination of shape, colour and motion in eleven is never
shown nor told.

## Measured

On {videos:,} unseen videos of the test split (seed {seed}), written as H.264 at constant rate
factor 23 and decoded again, with windows of 2 s every 0.5 s. Intervals are 95 % bootstrap
intervals over videos. Queries that tell a held-out combination are left out of all rows but their
own.

"""

TABLE = """| measure | figure | 95 % interval | n | bar |
| --- | --- | --- | --- | --- |
"""

NOTES = """
What the rows mean:

* *background … motion*: how often a true text beats the same text with that one fact wrong, on
  the window in the middle of a shot; one half is chance. Size only where it stays, camera only
  before walls that show it. *binding*: two things exchange their motions in the wrong text.
* *four-way direction*: the true one of left, right, up and down scores highest; a quarter is
  chance.
* *order pairs*: clauses scored against the windows in sequence, true order against the other.
* *fact-true@1*: the best video is one of which the caption is true. Whole videos score as their
  best window, order captions as the best windows in sequence.
* *R@1*: on captions that are true of exactly one of the videos. Video to text: the best of all
  those captions is one of the video's own.
* *unsure*, *strong*: bands at a chance of .5 and .9, with windows every second. Absent things are
  queries whose true videos were taken out of the gallery; other worlds are twenty texts such as
  "a dog on a skateboard".

Speed: {windows_a_second:.0f} windows a second when this was measured, on a machine shared with
other work.
"""

MOMENTS = """
## Moments

A query is a clause about one thing before its wall; its moment is the shot of which it is true.
Measured on {alike} videos of the test split (seed {seed}) whose other shot is a look-alike, with
the same background, camera and colours, and different only in what has which shape or motion (and
size, where a motion changes it), and on {ordinary} ordinary ones; coded and cut as above.

"""

MOMENTS_NOTES = """
* *R1@IoU*, *mean IoU*: the best moment inside the video that is known to hold the answer. *By
  cosines*: the library's rule joins windows by their cosines. *Sharpened*: the same rule on
  exp({sharpness:g} x cosine), as the encoder asks for (`sharpness` in `config.json`) and libraries
  keep on their card. It was chosen for the best mean R1@IoU 0.7 of {chosen_ordinary} ordinary
  videos and {chosen_alike} with look-alikes of the validation split (seed {chosen_seed}), with
  windows every 0.5 s and every second. On ordinary videos, in which cosines
  tell shots apart as they are, it costs mean IoU: both edges of moments move inwards a little.
* *VCMR*: the right moment is among the first K of all {ordinary} ordinary videos, joined by
  sharpened cosines; *SVMR*: among the first K of the right video; *VR*: the right video is among
  the first K (Lei et al., TVR, 2020). Queries that are true of exactly one of the videos. The last
  rows are of all {alike} videos with look-alikes.
"""

LIMITS = """
## Limits

It was trained and measured on one generator, so the figures say that it understands this world,
not that it understands video. They come from one training run; the intervals tell how they would
vary with other videos, not with another seed. The "hard" level of the generator (more things,
textures, zooms) is outside its training. One vector of a long clip mixes its shots. Words decide
what counts as another world: a strange sentence made of known words alone is not noticed.
"""


def verdict(name: str, value: float) -> str:
    """Return the bar of a measure, and whether it is met."""
    bar = BARS.get(name)
    if bar is None:
        return ""
    return f"{bar:.2f} {'met' if value >= bar else '**not met**'}"


def write_card(measured: dict[str, Any]) -> str:
    """Write the card as Markdown.

    Args:
        measured: what `measures.measure` returned, with `steps`, `parameters`, `words` and
            `megabytes` beside it.
    """
    moments = measured["moments"]
    return "".join(
        [
            HEAD.format(**measured),
            _table(measured["figures"], first=BARS),
            NOTES.format(**measured),
            MOMENTS.format(**moments),
            _table(moments["figures"]),
            MOMENTS_NOTES.format(**moments),
            LIMITS,
        ]
    )


def _table(figures: dict[str, Any], *, first: Iterable[str] = ()) -> str:
    """Write figures as a table, in the order of `first` and then their own."""
    rows: list[str] = []
    for name in dict.fromkeys([*(name for name in first if name in figures), *figures]):
        f = figures[name]
        rows.append(
            f"| {name} | {f['value']:.3f} | {f['low']:.3f} to {f['high']:.3f} "
            f"| {f['count']:,} | {verdict(name, f['value'])} |\n"
        )
    return TABLE + "".join(rows)
