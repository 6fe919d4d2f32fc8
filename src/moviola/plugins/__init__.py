r"""Load encoders, scorers and data sets by name: entry points, and `module:attribute` spelled out.

The built-ins come through the same door as anybody's plug-in. Listing and describing read
metadata and source text, and import the tables of model families, which import no framework.

A model is named by one of

* `NAME`: an encoder, or a checkpoint that a family knows;
* `FAMILY:ID` or `FAMILY:FOLDER`: any checkpoint of a family, on the hub or in a folder;
* `module:attribute`: an encoder of your own;

each followed by `@REVISION` where it has one, and by `,option=value` as often as needed; a comma
of a folder's name is written `\,`.
"""

from __future__ import annotations

from moviola.plugins.checkpoints import (
    families,
    find_checkpoint,
    find_known,
    join_options,
    known_models,
    settled_name,
    split_options,
)
from moviola.plugins.datasets import dataset_names, guess_dataset, load_dataset
from moviola.plugins.describing import PluginInfo, describe_dataset, describe_encoder
from moviola.plugins.encoders import encoder_names, encoder_options, load_encoder, precision_options
from moviola.plugins.points import DATASET_GROUP, ENCODER_GROUP, FAMILY_GROUP, SCORER_GROUP
from moviola.plugins.scorers import judges, load_scorer, scorer_names

__all__ = [
    "DATASET_GROUP",
    "ENCODER_GROUP",
    "FAMILY_GROUP",
    "SCORER_GROUP",
    "PluginInfo",
    "dataset_names",
    "describe_dataset",
    "describe_encoder",
    "encoder_names",
    "encoder_options",
    "families",
    "find_checkpoint",
    "find_known",
    "guess_dataset",
    "join_options",
    "judges",
    "known_models",
    "load_dataset",
    "load_encoder",
    "load_scorer",
    "precision_options",
    "scorer_names",
    "settled_name",
    "split_options",
]
