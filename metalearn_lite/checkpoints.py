"""Trained learners that ship: a safetensors file for the parameters, a JSON card for the rest."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from metalearn_lite import paths
from metalearn_lite.files import load_tensors, save_tensors, write_whole
from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.base import Learner, trainable
from metalearn_lite.learners.batch_norm import NoNorm, PerStepNorm, SupportNorm
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.elastic import ElasticPrototypes
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.learned_optimiser import LearnedOptimiser
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.recurrent import GRU, RecurrentLearner
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.policies import DeterministicPolicy, GaussianPolicy
from metalearn_lite.rl.rl2 import RL2, RecurrentActorCritic

LEARNERS = {
    kind.__name__: kind
    for kind in (
        ANIL,
        ConditionalNeuralProcess,
        ElasticPrototypes,
        FineTunedClassifier,
        ImplicitMAML,
        JointTraining,
        LearnedOptimiser,
        MAML,
        MAMLPlusPlus,
        MAMLPolicyGradient,
        MatchingNetwork,
        MetaSGD,
        NoNorm,
        PerStepNorm,
        PrototypicalNetwork,
        RL2,
        RecurrentLearner,
        RegularisedMAML,
        RelationNetwork,
        Reptile,
        SiameseNetwork,
        SupportNorm,
        TransformerLearner,
    )
}
NETWORKS = {
    kind.__name__: kind
    for kind in (
        MLP,
        ConvClassifier,
        ConvNet,
        EncodeDecode,
        GRU,
        RecurrentActorCritic,
        DeterministicPolicy,
        GaussianPolicy,
        Transformer,
    )
}


def folder() -> Path:
    """Where checkpoints are kept. Those that an installed package brings are found besides."""
    return paths.data_folder() / "checkpoints"


def _folder_of(name: str) -> Path:
    card = folder() / f"{name}.json"
    return (card if card.exists() else paths.find(f"checkpoints/{name}.json")).parent


def save(learner: Learner, name: str, about: dict[str, Any], into: Path | None = None) -> Path:
    """Writes ``name.safetensors`` and the card ``name.json``; returns the card's path.

    Args:
        learner: a learner of a kind listed in ``LEARNERS``.
        about: what the card tells a person: command, data, seed, result, date.
    """
    into = folder() if into is None else Path(into)
    card = {
        "name": name,
        **about,
        "learner": type(learner).__name__,
        "learner_settings": {
            name: getattr(learner, name)
            for name in inspect.signature(type(learner)).parameters
            if name not in ("network", "params")
        },
        "network": type(learner.network).__name__,
        "network_settings": learner.network.settings,
        "num_parameters": sum(value.numel() for value in learner.params.values()),
    }
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    save_tensors(into / f"{name}.safetensors", learner.params)
    write_whole(into / f"{name}.json", text.encode())
    return into / f"{name}.json"


def read_card(name: str, source: Path | None = None) -> dict[str, Any]:
    """The card of checkpoint ``name``.

    Raises:
        FileNotFoundError: there is no such checkpoint; the message lists those there are.
        ValueError: the card is not readable.
    """
    source = _folder_of(name) if source is None else Path(source)
    path = source / f"{name}.json"
    if not path.is_file():
        there = ", ".join(sorted(card.stem for card in source.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no checkpoint {name!r} in {source}. There are: {there}.")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the card {path} is damaged: {error}") from error
    if not isinstance(card, dict):
        raise ValueError(f"the card {path} is damaged: it holds no entries")
    return card


def load(name: str, source: Path | None = None) -> Learner:
    """The trained learner ``name``, ready to adapt.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: the card or the parameters are damaged, or do not fit each other.
    """
    source = _folder_of(name) if source is None else Path(source)
    card = read_card(name, source)
    params = load_tensors(source / f"{name}.safetensors")
    try:
        network = NETWORKS[card["network"]](*card["network_settings"])
        kind = LEARNERS[card["learner"]]
        init = getattr(kind, "init", type(network).init)  # a learner may add parameters of its own
        learner = kind(network, init(network), **card["learner_settings"])
    except KeyError as error:
        raise ValueError(f"the card of {name!r} has no entry or no known kind {error}") from error
    except TypeError as error:
        raise ValueError(f"the card of {name!r} has settings that do not fit: {error}") from error
    expected = {key: value.shape for key, value in learner.params.items()}
    if {key: value.shape for key, value in params.items()} != expected:
        raise ValueError(f"the parameters of {name!r} do not fit the network on its card")
    learner.params = trainable({key: params[key] for key in expected})
    return learner
