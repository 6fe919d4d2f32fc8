"""List published evaluation protocols: named, counted and hashed, so that none is guessed.

A protocol says which split of which data set it is, how many clips and texts there are, and
digests of the clips' ids and of the captions; `coverage` holds data sets against it.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from moviola.core import RetrievalDataset


@dataclass(frozen=True, slots=True)
class Protocol:
    """Describe what a published evaluation consists of.

    Attributes:
        name: such as `msrvtt-1ka`; data sets loaded by it carry this name.
        dataset: name of the loader.
        split: the split of the loader that is tested.
        clips: number of clips in the gallery.
        texts: number of queries.
        gallery_sha256: `gallery_digest` of the clips' ids; empty where no list was at hand.
        captions_sha256: `captions_digest`; empty where no captions were at hand.
        training: split of the loader that may be trained on, to its number of videos.
        files: published annotation file to its SHA-256: what the numbers above were taken from.
    """

    name: str
    dataset: str
    split: str
    clips: int
    texts: int
    gallery_sha256: str = ""
    captions_sha256: str = ""
    training: Mapping[str, int] = field(default_factory=dict[str, int])
    files: Mapping[str, str] = field(default_factory=dict[str, str])


_PUBLISHED = (
    Protocol(
        name="msrvtt-1ka",
        dataset="msrvtt",
        split="1ka",
        clips=1000,
        texts=1000,
        gallery_sha256="49a09fb68f7ec52b3b9bbb7e856ffbd3f00233976ed435fded658309c3cd491a",
        captions_sha256="62f46b5bc864f04a925c3f30dfa46fd919742b8da4fd4b4393143ff32b60d42d",
        training={"1ka-train-7k": 7010, "1ka-train-9k": 9000},
        files={
            "MSRVTT_JSFUSION_test.csv": (
                "e61144b312c8a2fc2126f96504c981f8c23c05b3ba9655a56e2af50ac8a4b16a"
            ),
            "MSRVTT_train.7k.csv": (
                "ca0d04c34310168b620c90c67eaec702b37398943965f5e1f9f44af8f193da7d"
            ),
            "MSRVTT_train.9k.csv": (
                "0a7ece2418e1f7ac5680555a04ddfef8950293ac3c4bdd6584fb0fa6cc0ff7d3"
            ),
        },
    ),
    Protocol(
        name="msrvtt-1kb",
        dataset="msrvtt",
        split="1kb",
        clips=1000,
        texts=1000,
        gallery_sha256="a0ad82bd7f2c45e38a460e40920fa9403a3411c053ea52a27f189d11b7ca1825",
        training={"1kb-train": 6656},
        files={
            "msrvtt_test_list_miech.txt": (
                "e2b489732475874bb32dd2689bd3a1e13a8473a9bf69a6b97efb8f39a1c12d1e"
            ),
            "msrvtt_train_list_miech.txt": (
                "bd1b91cc6e07ace29fd12c2be74b69031f647567bb647c73b8dd8a28e1455b80"
            ),
        },
    ),
    Protocol(
        name="msrvtt-full",
        dataset="msrvtt",
        split="full",
        clips=2990,
        texts=59_800,
        gallery_sha256="916e9b2dd9a4518131b76a1e9b4f47fd12847f50356ebd8413bcd555abe2bca8",
        training={"full-train": 6513, "full-val": 497},
        files={
            "msrvtt_test_list_full.txt": (
                "e033df45731e025a1b7b4731ee3eddc400b6040c93fffd4ab3eb45a551f0526e"
            ),
        },
    ),
    Protocol(
        name="msvd",
        dataset="msvd",
        split="test",
        clips=670,
        texts=27_763,
        gallery_sha256="8d2c6c42af984fd02de95caffc7c6e4fafadeed81b5d99c8aa1584b12367a85c",
        captions_sha256="767e63775fe9e7e3cf04da4845d9eaf609b00a5142ab9558153f24f39ccdaa37",
        training={"train": 1200, "val": 100},
        files={
            "captions_msvd.json": (
                "11bc68e8441438121c1c7321526ef1d1fc6553d3b801baef1cca1d3429e306b1"
            ),
            "test_list.txt": "95eacd1fddb1d88cd7144267913ef02d0ecb8cc94a88bc484035433a2d8f9c7a",
        },
    ),
    Protocol(
        name="didemo",
        dataset="didemo",
        split="test",
        clips=1004,
        texts=1004,
        gallery_sha256="57c0b06b28455cd36f6953f0ee56ed5ef73ad44134f250cf5666c0f67dc75b6a",
        captions_sha256="09398e449cbef94327537c72bc76475e2b9a43f802443b345cc2ea55e58074cd",
        files={
            "didemo_test_label.csv": (
                "84d56a359986649495d89ff8b2ecfddd479189dfd486c3559df672a66bad2164"
            ),
            "didemo_test_list.txt": (
                "371f608f2c4984caa794ccfa40276069e209c2a0ea26a78acdad0613f4f61a2c"
            ),
        },
    ),
    Protocol(
        name="activitynet-val1",
        dataset="activitynet",
        split="val_1",
        clips=4917,
        texts=4917,
        gallery_sha256="6da5bed74d0b4940843c7adce3689003d1dfbefec8181c4aa269a48cddc882b3",
        captions_sha256="35ebd10e4505f8e995529d33913e859c211a3558a7b9cca81c11fc1692f7d512",
        training={"train": 10_009},
        files={"val_1.json": "466aaccb9ebe45c6db4c98488a4ddbeb5b22faffe62e1bbce81222c14fc29e1c"},
    ),
    Protocol(
        name="youcook2-val",
        dataset="youcook2",
        split="val",
        clips=3349,
        texts=3350,
        gallery_sha256="d8b64696d4ebe1a6b5e8728574fa2cb2698acb5666312206ed5e125e6b84e7ec",
        captions_sha256="d57e31f35981fce35492e1bcd9036d2b2bca87aa0f94efc10574780b17d2845d",
        training={"train": 1333},
        files={
            "validation_youcook.csv": (
                "57d6bdea77c70114cbfad5b057e9500173f14b1c3a0f9c51bd1a716cd504cac1"
            ),
            "youcookii_annotations_trainval.json": (
                "6be6f3cdcf4448b4bdef27a869fadddfddeb9b20249d55558afabe354b246e80"
            ),
        },
    ),
    Protocol(
        name="vatex",
        dataset="vatex",
        split="test",
        clips=1500,
        texts=15_000,
        training={"train": 25_991, "val": 1500},
    ),
    Protocol(name="lsmdc", dataset="lsmdc", split="test", clips=1000, texts=1000),
)

#: Protocols by name.
PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in _PUBLISHED}


def find_protocol(name: str) -> Protocol:
    """Find the protocol called `name`.

    Raises:
        ValueError: when there is none, naming those that there are.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    close = difflib.get_close_matches(name, PROTOCOLS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"no protocol is called {name!r}.{hint} There are {', '.join(PROTOCOLS)}.")


def gallery_digest(ids: Iterable[str]) -> str:
    """SHA-256 of the ids in order of their code points, one a line."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def captions_digest(dataset: RetrievalDataset) -> str:
    """SHA-256 of every text with the clips that it describes, whatever their order and ids."""
    lines = sorted(
        f"{' '.join(sorted(dataset.qrels.relevant.get(text.id, ())))}\t{text.text}"
        for text in dataset.texts
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
