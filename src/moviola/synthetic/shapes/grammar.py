"""Say claims in words: a small paraphrasing grammar, and the plan of which claims a video gets.

No word serves two things: what is said of a wall is never said of a thing, and only cameras pan,
tilt or zoom.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from moviola.synthetic.shapes.facts import COLOURS, Claim, Clause, Mention, Shot, Thing

if TYPE_CHECKING:
    import numpy as np

WordT = TypeVar("WordT")

SIZE_WORDS = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}
TEXTURE_WORDS = {"plain": ("plain",), "spotted": ("spotted",), "hatched": ("hatched",)}
COLOUR_WORDS = {"purple": ("purple", "violet")}
SHAPE_WORDS = {
    "circle": ("circle", "circle", "disc"),
    "square": ("square", "square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "cross": ("cross", "cross", "plus sign"),
}
MOTION_WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "left": (
        ("moves left", "moving left"),
        ("slides to the left", "sliding to the left"),
        ("drifts left", "drifting left"),
        ("goes to the left", "going to the left"),
    ),
    "right": (
        ("moves right", "moving right"),
        ("slides to the right", "sliding to the right"),
        ("drifts right", "drifting right"),
        ("goes to the right", "going to the right"),
    ),
    "up": (
        ("moves up", "moving up"),
        ("rises", "rising"),
        ("goes upward", "going upward"),
        ("climbs", "climbing"),
    ),
    "down": (
        ("moves down", "moving down"),
        ("sinks", "sinking"),
        ("goes downward", "going downward"),
        ("falls", "falling"),
    ),
    "grow": (
        ("grows", "growing"),
        ("gets bigger", "getting bigger"),
        ("swells", "swelling"),
        ("expands", "expanding"),
    ),
    "shrink": (
        ("shrinks", "shrinking"),
        ("gets smaller", "getting smaller"),
        ("dwindles", "dwindling"),
    ),
    "loop": (
        ("goes round and round", "going round and round"),
        ("loops around", "looping around"),
        ("moves in circles", "moving in circles"),
    ),
    "bounce": (
        ("bounces", "bouncing"),
        ("bounces up and down", "bouncing up and down"),
        ("hops", "hopping"),
        ("jumps", "jumping"),
    ),
    "still": (
        ("stays still", "staying still"),
        ("does not move", "not moving"),
        ("rests", "resting"),
        ("stands still", "standing still"),
    ),
}
WALL_WORDS = {
    "grey": ("a grey wall", "a gray wall"),
    "beige": ("a beige wall", "a sandy wall"),
    "teal": ("a teal wall",),
    "striped": ("a striped wall", "a wall with stripes"),
    "checkered": ("a checkered wall", "a checkerboard wall"),
    "dotted": ("a dotted wall", "a wall with polka dots"),
    "brick": ("a brick wall", "a wall of bricks"),
    "wavy": ("a wavy wall", "a wall with waves"),
}
WALL_LINKS = ("in front of", "on", "against")
CAMERA_WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "fixed": (
        ("the camera stays fixed", "the camera staying fixed"),
        ("the camera is static", "the camera is static"),
    ),
    "pan_left": (
        ("the camera pans left", "the camera panning left"),
        ("the camera pans to the left", "the camera panning to the left"),
    ),
    "pan_right": (
        ("the camera pans right", "the camera panning right"),
        ("the camera pans to the right", "the camera panning to the right"),
    ),
    "tilt_up": (
        ("the camera tilts up", "the camera tilting up"),
        ("the camera tilts upward", "the camera tilting upward"),
    ),
    "tilt_down": (
        ("the camera tilts down", "the camera tilting down"),
        ("the camera tilts downward", "the camera tilting downward"),
    ),
    "zoom_in": (("the camera zooms in", "the camera zooming in"),),
    "zoom_out": (("the camera zooms out", "the camera zooming out"),),
}
NOBODY = ("something", "an object", "a shape")
SHAPELESS = ("object", "shape", "thing")
CONNECTIVES = (", then ", ", and then ", " before ", ", followed by ", " after ")
"""What joins the clauses of an order caption. The last one names the later shot first."""
REVERSED_CONNECTIVE = " after "
JOINS = (" and ", " while ")
GLUE = "there is a an and while as with the camera , in front of on against near scene is"


def vocabulary() -> tuple[str, ...]:
    """List every word that a caption can hold, sorted."""
    said: list[str] = [GLUE, *NOBODY, *SHAPELESS, *WALL_LINKS, *CONNECTIVES, *JOINS]
    tables = (SIZE_WORDS, TEXTURE_WORDS, SHAPE_WORDS, WALL_WORDS, COLOUR_WORDS)
    said += [form for table in tables for forms in table.values() for form in forms]
    pairs = (MOTION_WORDS, CAMERA_WORDS)
    said += [form for table in pairs for forms in table.values() for pair in forms for form in pair]
    said += COLOURS
    return tuple(sorted({word for text in said for word in re.findall(r"[a-z]+", text)}))


def _one(rng: np.random.Generator, among: tuple[WordT, ...]) -> WordT:
    """Pick one of `among` by a single draw, so that like claims are worded alike from one seed."""
    return among[int(rng.random() * len(among))]


def _noun_phrase(rng: np.random.Generator, mention: Mention) -> str:
    words: list[str] = []
    if mention.size:
        words.append(_one(rng, SIZE_WORDS[mention.size]))
    if mention.texture:
        words.append(_one(rng, TEXTURE_WORDS[mention.texture]))
    if mention.colour:
        words.append(_one(rng, COLOUR_WORDS.get(mention.colour, (mention.colour,))))
    if mention.shape:
        words.append(_one(rng, SHAPE_WORDS[mention.shape]))
    elif not words:
        return _one(rng, NOBODY)
    else:
        words.append(_one(rng, SHAPELESS))
    return ("an " if words[0] == "orange" else "a ") + " ".join(words)


def _mention(rng: np.random.Generator, mention: Mention, *, finite: bool) -> str:
    noun = _noun_phrase(rng, mention)
    if mention.motion is None:
        return noun
    verb = _one(rng, MOTION_WORDS[mention.motion])
    return f"{noun} {verb[0] if finite else verb[1]}"


def say_clause(rng: np.random.Generator, clause: Clause) -> str:
    """Word a clause in one way; every fact that it states is in the words, and no other."""
    finite = all(m.motion for m in clause.mentions) and rng.random() < 0.65
    said = [_mention(rng, mention, finite=finite) for mention in clause.mentions]
    if len(said) == 2 and rng.random() < 0.5:
        said.reverse()
    text = (_one(rng, JOINS) if finite else " and ").join(said)
    if said and not finite and rng.random() < 0.15:
        text = f"there is {text}"
    if clause.background:
        wall = _one(rng, WALL_WORDS[clause.background])
        text = f"{text} {_one(rng, WALL_LINKS)} {wall}" if text else wall
    if clause.camera:
        form = _one(rng, CAMERA_WORDS[clause.camera])
        if not text:
            return form[0]
        way = rng.random()
        if way < 0.6:
            text += f"{' while ' if way < 0.3 else ' as '}{form[0]}"
        else:
            text += f", {form[1]}" if way < 0.8 else f" with {form[1]}"
    return text


def say(rng: np.random.Generator, claim: Claim) -> str:
    """Word a claim of one clause, or of two in the order of their shots."""
    said = [say_clause(rng, clause) for clause in claim.clauses]
    if len(said) == 1:
        return said[0]
    connective = _one(rng, CONNECTIVES)
    if connective == REVERSED_CONNECTIVE:
        said.reverse()
    return connective.join(said)


def full_mention(thing: Thing) -> Mention:
    """Mention all that can be said of a thing; a plain texture goes without saying."""
    texture = None if thing.texture == "plain" else thing.texture
    return Mention(thing.shape, thing.colour, thing.size, thing.motion, texture)


def full_clause(shot: Shot, *, mentions: int = 2) -> Clause:
    """Say all that can be said of a shot, about at most `mentions` of its things."""
    return Clause(shot.background, shot.camera, tuple(map(full_mention, shot.things[:mentions])))


def _choose(rng: np.random.Generator, shot: Shot, count: int) -> tuple[Mention, ...]:
    order: list[int] = rng.permutation(len(shot.things))[:count].tolist()
    return tuple(full_mention(shot.things[i]) for i in order)


def draw_clause(rng: np.random.Generator, shot: Shot) -> Clause:
    """Draw a clause true of a shot, of any detail: for training, and for short captions."""
    mentions: list[Mention] = []
    for mention in _choose(rng, shot, 2 if rng.random() < 0.65 else 1):
        keep = rng.random(4) < (0.8, 0.85, 0.55, 0.8)
        kept = replace(
            mention,
            shape=mention.shape if keep[0] else None,
            colour=mention.colour if keep[1] else None,
            size=mention.size if keep[2] else None,
            motion=mention.motion if keep[3] else None,
        )
        if kept != Mention():
            mentions.append(kept)
    background = shot.background if rng.random() < 0.6 else None
    camera = shot.camera if rng.random() < 0.4 else None
    if not mentions and background is None:
        return replace(full_clause(shot, mentions=1), camera=camera)
    return Clause(background, camera, tuple(mentions))


def detailed_clause(rng: np.random.Generator, shot: Shot) -> Clause:
    """Say all things, the background, and the camera where it moves (else sometimes)."""
    says_camera = shot.camera != "fixed" or rng.random() < 0.3
    return Clause(shot.background, shot.camera if says_camera else None, _choose(rng, shot, 2))


def middling_clause(rng: np.random.Generator, shot: Shot) -> Clause:
    """Say one thing with its wall, or two things without."""
    if len(shot.things) == 1 or rng.random() < 0.5:
        return Clause(shot.background, None, _choose(rng, shot, 1))
    return Clause(None, None, _choose(rng, shot, 2))


def brief_clause(rng: np.random.Generator, shot: Shot) -> Clause:
    """Say one thing with its colour, shape and motion."""
    return Clause(mentions=(replace(_choose(rng, shot, 1)[0], size=None),))


def draw_claims(rng: np.random.Generator, shots: tuple[Shot, ...], count: int = 20) -> list[Claim]:
    """Draw claims true of a video; about seven in ten are true of no other among 1,000.

    Args:
        rng: the source of chance.
        shots: the shots of the video in time order.
        count: how many captions.
    """
    claims: list[Claim] = []
    while len(claims) < count:
        kind = rng.random()
        if len(shots) > 1 and kind < 0.25:
            pair: list[int] = sorted(rng.choice(len(shots), 2, replace=False).tolist())
            claims.append(Claim(tuple(brief_clause(rng, shots[k]) for k in pair)))
            continue
        shot = shots[int(rng.integers(len(shots)))]
        if kind < 0.60:
            clause = detailed_clause(rng, shot)
        elif kind < 0.85:
            clause = middling_clause(rng, shot)
        elif kind < 0.92:
            clause = brief_clause(rng, shot)
        else:
            clause = draw_clause(rng, shot)
        claims.append(Claim((clause,)))
    return claims
