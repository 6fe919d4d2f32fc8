"""Generate a world of moving shapes: captioned videos without a download, of known truth."""

from moviola.synthetic.shapes.facts import Claim, Clause, Mention, Shot, Sound, Thing, is_true
from moviola.synthetic.shapes.texted import TextedQuery, TextedVideo, generate_texted
from moviola.synthetic.shapes.writing import Video, draw, generate

__all__ = [
    "Claim",
    "Clause",
    "Mention",
    "Shot",
    "Sound",
    "TextedQuery",
    "TextedVideo",
    "Thing",
    "Video",
    "draw",
    "generate",
    "generate_texted",
    "is_true",
]
