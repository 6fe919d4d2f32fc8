"""Draw the world of the planted pairs: concepts in topics, videos that show some, captions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Length of a concept's vector.
LATENT = 192
_TOPICS = 20
_FORMS = 4
#: How often a caption names another concept of the topic than the one that it saw.
_SLIP = 0.15
_MOST_SHOWN, _MOST_NAMED = 10, 5
#: Words without meaning, in token mode.
_FUNCTION_WORDS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """Hold what N videos show.

    Attributes:
        topics: `(N,)`.
        concepts: `(N, 10)`, padded with 0.
        salience: `(N, 10)`, sums to 1 over a video; 0 where there is padding.
    """

    topics: Counts
    concepts: Counts
    salience: Floats


@dataclass(frozen=True, slots=True)
class Described:
    """Hold what C captions name.

    Attributes:
        concepts: `(C, 5)` in the order of the words, padded with 0.
        forms: `(C, 5)` which of the four forms of each word.
        counts: `(C,)` how many concepts are named.
        function_words: `(C,)` how many words have no meaning.
    """

    concepts: Counts
    forms: Counts
    counts: Counts
    function_words: Counts

    @property
    def lengths(self) -> Floats:
        """Count the tokens `(C,)` of each caption; a word with meaning is 1.4 of them."""
        return (1.4 * self.counts + self.function_words).astype(np.float32)

    @property
    def weights(self) -> Floats:
        """Weigh words `(C, 5)` by `sqrt(m - i)` for word i of m: early ones count more."""
        left = self.counts[:, None] - np.arange(_MOST_NAMED)
        return np.sqrt(np.maximum(left, 0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class World:
    """Hold concepts, their words, and what goes together.

    Attributes:
        topic_prior: `(20,)`.
        concept_prior: `(20, K)`, of each concept in each topic; a row sums to 1.
        concepts: `(K, 192)` unit vectors.
        forms: `(K, 4, 192)` what the forms of a word add.
        function_words: `(50, 192)`.
    """

    CONCEPTS: ClassVar[int] = 2000
    topic_prior: NDArray[np.float64]
    concept_prior: NDArray[np.float64]
    concepts: Floats
    forms: Floats
    function_words: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw a world."""
        topic_prior = np.arange(1, _TOPICS + 1) ** -0.5
        home = rng.integers(0, _TOPICS, cls.CONCEPTS)
        # One order for all topics: what is frequent is frequent everywhere.
        zipf = rng.permutation(np.arange(1, cls.CONCEPTS + 1) ** -1.1)
        prior = np.tile(zipf, (_TOPICS, 1))
        prior[home, np.arange(cls.CONCEPTS)] *= 12
        directions = _unit(rng.standard_normal((_TOPICS, LATENT)))
        own = rng.standard_normal((cls.CONCEPTS, LATENT)) / np.sqrt(LATENT)
        forms = rng.standard_normal((cls.CONCEPTS, _FORMS, LATENT), np.float32)
        return cls(
            topic_prior / topic_prior.sum(),
            prior / prior.sum(axis=1, keepdims=True),
            _unit(0.6 * directions[home] + 0.8 * own).astype(np.float32),
            np.float32(0.7 / np.sqrt(LATENT)) * forms,
            _unit(rng.standard_normal((_FUNCTION_WORDS, LATENT))).astype(np.float32),
        )

    def show(self, rng: np.random.Generator, count: int) -> Shown:
        """Draw what `count` videos show: 5 to 10 concepts of a topic, the first ones most."""
        topics = rng.choice(_TOPICS, count, p=self.topic_prior)
        shown = rng.integers(5, _MOST_SHOWN + 1, count)
        concepts = np.zeros((count, _MOST_SHOWN), np.int64)
        logits = np.log(self.concept_prior)
        for video, topic in enumerate(topics):
            # Gumbel's trick: the largest are a draw without replacement, in order.
            keys = logits[topic] + rng.gumbel(size=self.CONCEPTS)
            best = np.argpartition(-keys, _MOST_SHOWN)[:_MOST_SHOWN]
            concepts[video] = best[np.argsort(-keys[best])]
        places = np.arange(_MOST_SHOWN)
        salience = 0.8**places * rng.exponential(size=(count, _MOST_SHOWN)) + 0.02
        salience[places >= shown[:, None]] = 0
        concepts[places >= shown[:, None]] = 0
        salience /= salience.sum(axis=1, keepdims=True)
        return Shown(topics, concepts, salience.astype(np.float32))

    def describe(self, rng: np.random.Generator, shown: Shown, owners: Counts) -> Described:
        """Draw a caption for every entry of `owners` `(C,)`, which names its video."""
        salience, seen = shown.salience[owners], shown.concepts[owners]
        with np.errstate(divide="ignore"):
            keys = np.log(salience) + rng.gumbel(size=salience.shape)
        order = np.argsort(-keys, axis=1)[:, :_MOST_NAMED]
        named = np.take_along_axis(seen, order, axis=1)
        slips = rng.random(named.shape) < _SLIP
        for topic in range(_TOPICS):
            here = slips & (shown.topics[owners] == topic)[:, None]
            named[here] = rng.choice(self.CONCEPTS, int(here.sum()), p=self.concept_prior[topic])
        counts = rng.integers(2, _MOST_NAMED + 1, len(owners))
        return Described(
            np.where(np.arange(_MOST_NAMED) < counts[:, None], named, 0),
            rng.integers(0, _FORMS, named.shape),
            counts,
            rng.integers(3, 10, len(owners)),
        )

    def of_videos(self, shown: Shown, interest: Floats | None = None) -> Floats:
        """Sum meanings `(N, 192)`: concepts by salience, or by that times the `interest` `(K,)`."""
        weights = shown.salience
        if interest is not None:
            weights = weights * interest[shown.concepts]
        return self._mixed(weights, self.concepts[shown.concepts])

    def of_captions(self, described: Described) -> Floats:
        """Sum the meanings `(C, 192)` of pooled captions."""
        meanings = np.empty((len(described.concepts), LATENT), np.float32)
        for first in range(0, len(meanings), 8192):
            some = slice(first, first + 8192)
            words = self._words(described.concepts[some], described.forms[some])
            meanings[some] = self._mixed(described.weights[some], words)
        return meanings

    def of_tokens(self, rng: np.random.Generator, described: Described) -> tuple[Floats, Counts]:
        """Give the meanings `(M, 192)` of all tokens, each text's start first, and tokens a text.

        A token is 0.85 of the mean of the words so far, and 0.5 of its own word.
        """
        lengths = np.maximum(np.rint(described.lengths).astype(np.int64), described.counts) + 1
        blocks: list[Floats] = []
        for caption, length in enumerate(lengths):
            count = int(described.counts[caption])
            words = self._words(described.concepts[caption], described.forms[caption])[:count]
            own = self.function_words[rng.integers(0, _FUNCTION_WORDS, length - 1)]
            places = np.sort(rng.choice(length - 1, count, replace=False))
            own[places] = words
            named = np.zeros_like(own)
            named[places] = words
            said = np.zeros(length - 1)
            said[places] = 1
            so_far = np.sqrt(np.maximum(np.cumsum(said), 1))[:, None]
            mean = np.asarray(np.cumsum(named, axis=0) / so_far, np.float32)
            seen = np.asarray(0.85 * mean + 0.5 * own, np.float32)
            blocks.extend([np.zeros((1, LATENT), np.float32), seen])
        return np.concatenate(blocks), lengths

    def likelihood(self, described: Described, shown: Shown) -> Floats:
        """Compute the `(C, N)` log-likelihood of each caption's words, were it about each video."""
        count = len(shown.concepts)
        salience = np.zeros((count, self.CONCEPTS), np.float32)
        rows = np.repeat(np.arange(count), _MOST_SHOWN)
        np.add.at(salience, (rows, shown.concepts.ravel()), shown.salience.ravel())
        chance = (1 - _SLIP) * salience + _SLIP * self.concept_prior[shown.topics]
        logs = np.log(chance).T.astype(np.float32)
        named = np.arange(_MOST_NAMED) < described.counts[:, None]
        found = np.zeros((len(described.counts), count), np.float32)
        for word in range(_MOST_NAMED):
            found += np.where(named[:, word, None], logs[described.concepts[:, word]], 0)
        return found

    def _words(self, concepts: Counts, forms: Counts) -> Floats:
        return self.concepts[concepts] + self.forms[concepts, forms]

    @staticmethod
    def _mixed(weights: Floats, vectors: Floats) -> Floats:
        mixed = np.einsum("nw,nwl->nl", weights, vectors)
        return mixed / np.linalg.norm(weights, axis=1, keepdims=True)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
