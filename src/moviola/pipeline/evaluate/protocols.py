"""Check that an evaluation is of the protocol it claims, and say what keeps it from comparison."""

from __future__ import annotations

from collections.abc import Sequence


def check_protocol(
    name: str | None, texts: Sequence[str], clips: Sequence[str], *, named: bool
) -> tuple[str, ...]:
    """Collect what must be said wherever a result is shown that claims to be of a protocol.

    Args:
        name: the protocol; None where none is claimed.
        texts: ids of the texts.
        clips: ids of the gallery.
        named: whether these are ids of the data set, which can be checked, or row numbers.

    Raises:
        ValueError: when there is no such protocol, or there is more here than it holds, or other
            videos.
    """
    if name is None:
        return ()
    from moviola.datasets.annotations.protocols import find_protocol, gallery_digest

    protocol = find_protocol(name)
    said: list[str] = []
    for what, found, published in (
        ("videos", len(clips), protocol.clips),
        ("texts", len(texts), protocol.texts),
    ):
        if found > published:
            raise ValueError(
                f"{name} has {published:,} {what}, and here are {found:,}: this is not {name}; "
                f"leave --protocol out, or evaluate its {what} only"
            )
        if found < published:
            said.append(f"{name}: you have {found:,} of {published:,} {what}: not comparable")
    if not named:
        return (*said, f"{name}: only the counts could be checked, since the rows have no ids")
    complete = len(clips) == protocol.clips and bool(protocol.gallery_sha256)
    if complete and gallery_digest(clips) != protocol.gallery_sha256:
        raise ValueError(
            f"here are {len(clips):,} videos, as many as {name} has, but other ones, such as "
            f"{clips[0]!r}; leave --protocol out"
        )
    return tuple(said)
