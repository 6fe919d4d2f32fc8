from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.core import Clip, DatasetError, Qrels, RetrievalDataset, Span, Text
from moviola.datasets.annotations.coverage import caveats, require_protocol, restrict
from moviola.datasets.annotations.protocols import (
    PROTOCOLS,
    captions_digest,
    find_protocol,
    gallery_digest,
)


def dataset(name="x", clips=4, each=2):
    ids = [f"v{number}" for number in range(clips)]
    texts = [Text(f"{clip}-{n + 1}", f"{n} of {clip}") for clip in ids for n in range(each)]
    return RetrievalDataset(
        name=name,
        clips=[Clip(clip, Path(clip), Span(0, 1)) for clip in ids],
        texts=texts,
        qrels=Qrels({text.id: frozenset([text.id.partition("-")[0]]) for text in texts}),
        moments={"v0-1": (Span(0, 1),), "v3-1": (Span(0, 1),)},
        groups={"odd": frozenset(text.id for text in texts if text.id[1] in "13")},
    )


@given(st.sets(st.integers(0, 5), min_size=1))
def test_what_is_left_of_a_data_set_fits_together(present):
    whole = dataset()
    there = {f"v{number}" for number in present}
    if present <= {4, 5}:
        with pytest.raises(DatasetError, match=r"none of the 4 clips of x .* like 'v0'"):
            restrict(whole, there)
        return
    left = restrict(whole, there)
    clips, texts = {clip.id for clip in left.clips}, {text.id for text in left.texts}
    assert clips == there & {clip.id for clip in whole.clips}
    assert clips.isdisjoint(left.missing)
    assert clips | set(left.missing) == {clip.id for clip in whole.clips}
    assert set(left.qrels.relevant) == texts
    assert all(ids <= clips for ids in left.qrels.relevant.values())
    assert set(left.moments) <= texts
    assert left.groups["odd"] <= texts
    said = () if len(clips) == 4 else (f"you have {len(clips)} of 4: not comparable",)
    assert caveats(left) == said
    assert restrict(left, there) == left


def test_a_text_with_one_of_two_relevant_clips_stays():
    whole = replace(dataset(), qrels=Qrels({"v0-1": frozenset({"v0", "v1"})}))
    left = restrict(whole, {"v1"})
    assert left.qrels.relevant == {"v0-1": frozenset({"v1"})}
    # Texts without anything relevant are no queries, and stay in the gallery of video-to-text.
    assert len(left.texts) == len(whole.texts)


def test_restricting_says_what_is_there_and_not_what_was_decoded():
    whole = replace(dataset(), missing=("v0", "v1", "v2", "v3"))
    assert caveats(whole) == ("you have 0 of 4: not comparable",)
    assert caveats(restrict(whole, ["v0", "v1", "v2", "v3"])) == ()


@given(st.permutations(["b", "a", "ä", "a-1", "10", "9"]))
def test_digests_do_not_depend_on_order(ids):
    assert gallery_digest(ids) == gallery_digest(sorted(ids))
    whole = dataset()
    turned = replace(whole, texts=whole.texts[::-1])
    assert captions_digest(turned) == captions_digest(whole)
    other = replace(whole, texts=[replace(whole.texts[0], text="other"), *whole.texts[1:]])
    assert captions_digest(other) != captions_digest(whole)


def test_ids_are_joined_unmistakably():
    assert gallery_digest(["a", "b"]) != gallery_digest(["ab"])


def test_protocols_are_found_by_name():
    assert find_protocol("msvd") is PROTOCOLS["msvd"]
    with pytest.raises(ValueError, match=r"'msrvtt-1k'.* Did you mean 'msrvtt-1k[ab]'\?"):
        find_protocol("msrvtt-1k")
    with pytest.raises(ValueError, match="There are msrvtt-1ka, msrvtt-1kb"):
        find_protocol("zzz")


def test_wrong_counts_and_wrong_ids_are_refused_with_the_file_named():
    path = Path("list.txt")
    with pytest.raises(DatasetError, match=r"list.txt gives lsmdc: clips: 4, where 1,000 were"):
        require_protocol(dataset("lsmdc"), path)
    with pytest.raises(DatasetError, match=r"lsmdc: captions: 2,000, where 1,000 were"):
        require_protocol(dataset("lsmdc", 1000, 2), path)
    right = dataset("lsmdc", 1000, 1)
    assert require_protocol(right, path) is right
    with pytest.raises(DatasetError, match=r"list.txt lists 1,000 clips, but not those of msrvtt"):
        require_protocol(dataset("msrvtt-1ka", 1000, 1), path)
