"""Generate a world of moving shapes: captioned videos without a download, of known truth."""

from moviola.synthetic.shapes.facts import Claim, Clause, Mention, Shot, Sound, Thing, is_true
from moviola.synthetic.shapes.writing import Video, draw, generate

__all__ = [
    "Claim",
    "Clause",
    "Mention",
    "Shot",
    "Sound",
    "Thing",
    "Video",
    "draw",
    "generate",
    "is_true",
]
