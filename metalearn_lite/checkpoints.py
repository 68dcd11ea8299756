"""Trained learners that ship: a safetensors file for the parameters, a JSON card for the rest.

The card names the learner and the network with their settings, and holds a digest of these and of
the parameters' file. So neither can be changed, or be left from an earlier save, without notice.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import torch

from metalearn_lite import learners, paths, rl
from metalearn_lite.files import load_tensors, pack, read_header, write_together
from metalearn_lite.learners.base import Learner, trainable
from metalearn_lite.learners.neural_process import EncodeDecode
from metalearn_lite.learners.prior_fitted import TableTransformer
from metalearn_lite.learners.recurrent import GRU
from metalearn_lite.learners.transformer import Transformer
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet, Params
from metalearn_lite.resuming import settings_of
from metalearn_lite.rl.actor_critic import RecurrentActorCritic
from metalearn_lite.rl.policies import CategoricalPolicy, DeterministicPolicy, GaussianPolicy

LEARNERS = learners.LEARNERS | rl.LEARNERS
NETWORKS = {
    kind.__name__: kind
    for kind in (
        CategoricalPolicy,
        ConvClassifier,
        ConvNet,
        DeterministicPolicy,
        EncodeDecode,
        GRU,
        GaussianPolicy,
        MLP,
        RecurrentActorCritic,
        TableTransformer,
        Transformer,
    )
}
MADE_OF = ("learner", "learner_settings", "network", "network_settings")  # what the digest covers
LARGEST_CARD = 100_000  # bytes
MOST_PARAMETERS = 100_000_000
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


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

    Raises:
        ValueError: ``load`` could not read it again, or ``name`` is no plain file name. Nothing
            is written.
        OSError: it cannot be written; an earlier checkpoint of that name is as it was.
    """
    card_path, params_path = _paths(name, into)
    with _loadable(learner):
        _check_kinds(learner)
        network = getattr(learner, "network", None)
        card = {
            "name": name,
            **_entries(about),
            "learner": type(learner).__name__,
            "learner_settings": {n: v for n, v in settings_of(learner).items() if n != "network"},
            "network": type(network).__name__,
            "network_settings": getattr(network, "settings", None),
            "num_parameters": sum(value.numel() for value in learner.params.values()),
        }
        card, content = _as_read(card), pack(learner.params)
        card["digest"] = digest(card, content)
        _check(card, _shapes(learner.params))
        _built(card, learner.params)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    write_together({params_path: content, card_path: text.encode()})
    return card_path


@contextmanager
def _loadable(learner: Learner) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"this {type(learner).__name__} could not be loaded again: its card would have {error}"
        ) from error


def digest(card: dict[str, Any], parameters: bytes) -> str:
    """The SHA-256 of what a card says a learner is made of, and of its parameters' file."""
    made_of = json.dumps([card.get(entry) for entry in MADE_OF], sort_keys=True, allow_nan=False)
    return hashlib.sha256(made_of.encode() + parameters).hexdigest()


def read_card(name: str, source: Path | None = None) -> dict[str, Any]:
    """The card of checkpoint ``name``.

    Raises:
        FileNotFoundError: there is no such checkpoint; the message lists those there are.
        ValueError: the card is not readable, or ``name`` is no plain file name.
    """
    path, _ = _paths(name, source or _folder_of(name))
    if not path.is_file():
        there = ", ".join(sorted(card.stem for card in path.parent.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no checkpoint {name!r} in {path.parent}. There are: {there}.")
    if path.stat().st_size > LARGEST_CARD:
        raise ValueError(f"the card {path} is damaged: it has more than {LARGEST_CARD:,} bytes")
    try:
        card = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the card {path} is damaged: {error}") from error
    if not isinstance(card, dict):
        raise ValueError(f"the card {path} is damaged: it holds no entries")
    return card


def load(name: str, source: Path | None = None) -> Learner:
    """The trained learner ``name``, ready to adapt.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: the card or the parameters are damaged, or do not belong together.
    """
    card, (_, params_path) = read_card(name, source), _paths(name, source or _folder_of(name))
    try:
        shapes = read_header(params_path).shapes
        _check(card, shapes)
        if card.get("digest") != digest(card, params_path.read_bytes()):
            raise ValueError(
                "parameters that do not fit it: one of the two was changed, or is left from an "
                "earlier save. Fetch both again, or train it again"
            )
        return _built(card, load_tensors(params_path))
    except ValueError as error:
        raise ValueError(f"the card of {name!r} has {error}") from error


def _paths(name: str, where: Path | None) -> tuple[Path, Path]:
    """The card's and the parameters' path."""
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .-]{0,99}", name):
        raise ValueError(
            f"checkpoint name {name!r}: choose one of letters, digits, '-', '_' and '.', such as "
            "'my-maml'"
        )
    where = folder() if where is None else Path(where)
    return where / f"{name}.json", where / f"{name}.safetensors"


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number, and no JSON")


def _shapes(params: Params) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in params.items()}


# In what follows, a ValueError says what "the card has".


def _entries(about: Any) -> dict[str, Any]:
    if not isinstance(about, dict):
        raise ValueError(f"a {type(about).__name__} for about: give a dict of entries")
    return about


def _as_read(card: dict[str, Any]) -> dict[str, Any]:
    """The card as it will be read: JSON knows lists only, and has no tensors and no NaN."""
    try:
        text = json.dumps(card, allow_nan=False, ensure_ascii=False)
        text.encode()
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"what JSON cannot hold ({error}): give texts, numbers, lists") from error


def _check_kinds(learner: Learner) -> None:
    """The registries must lead to the very classes, not to others of the same name."""
    for thing, registry in ((learner, LEARNERS), (getattr(learner, "network", None), NETWORKS)):
        if registry.get(type(thing).__name__) is not type(thing):
            raise ValueError(f"{type(thing).__name__}, which is not one of {', '.join(registry)}")


def _check(card: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    """Refuses a card whose entries are missing, of a wrong type, or beyond all measure.

    Args:
        shapes: of the parameters that it comes with.
    """
    if missing := [entry for entry in MADE_OF if entry not in card]:
        raise ValueError(f"no entry {', '.join(missing)}")
    for entry, registry in (("learner", LEARNERS), ("network", NETWORKS)):
        if not isinstance(card[entry], str) or card[entry] not in registry:
            raise ValueError(f"the {entry} {card[entry]!r}, not one of {', '.join(registry)}")
    num_parameters = sum(math.prod(shape) for shape in shapes.values())
    if num_parameters > MOST_PARAMETERS:
        raise ValueError(f"{num_parameters:,} parameters, more than {MOST_PARAMETERS:,}")
    sizes, settings = card["network_settings"], card["learner_settings"]
    if not isinstance(sizes, list) or not isinstance(settings, dict):
        raise ValueError("settings that do not fit: a list for the network, else by name")
    # No size in a network is larger than the count of all parameters.
    _check_settings(NETWORKS[card["network"]], sizes, {}, num_parameters)
    _check_settings(LEARNERS[card["learner"]], [None, None], settings)


def _check_settings(kind: type, sizes: list, settings: dict[str, Any], largest: int | None = None):
    """Each must have the type that ``kind``'s constructor asks for."""
    signature, hints = inspect.signature(kind), get_type_hints(kind.__init__)
    try:
        given = signature.bind(*sizes, **settings).arguments
    except TypeError as error:
        raise ValueError(f"settings that do not fit: {error}") from error
    for name, value in given.items():
        several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        hint = Sequence[hints[name]] if several else hints[name]
        if name not in ("network", "params") and not _is_a(hint, value, largest):
            raise ValueError(f"settings that do not fit: {name} is {value!r}")


def _is_a(hint: Any, value: Any, largest: int | None) -> bool:
    """Whether ``value`` is of the type ``hint``, finite, and if a size from 0 to ``largest``."""
    if isinstance(hint, UnionType):
        return any(_is_a(one, value, largest) for one in get_args(hint))
    if get_origin(hint) is Sequence:
        return isinstance(value, list | tuple) and all(
            _is_a(get_args(hint)[0], one, largest) for one in value
        )
    if hint is float:
        return type(value) in (int, float) and abs(value) < math.inf
    if hint is int:
        return type(value) is int and (largest is None or 0 <= value <= largest)
    return type(value) is hint


def _built(card: dict[str, Any], params: Params) -> Learner:
    """The learner that a checked card speaks of, with these parameters."""
    for name, value in params.items():
        if value.dtype not in FLOATS or not value.isfinite().all():
            raise ValueError(f"parameters that are no finite real numbers: {name} ({value.dtype})")
    kind, network_kind = LEARNERS[card["learner"]], NETWORKS[card["network"]]
    init = getattr(kind, "init", network_kind.init)  # a learner may add parameters of its own
    try:
        network = network_kind(*card["network_settings"])
        with torch.device("meta"):  # shapes only, without memory for numbers
            first = init(network)
        learner = kind(network, first, **card["learner_settings"])
    except Exception as error:  # whatever a constructor says of a network that is not for it
        raise ValueError(f"settings that do not fit: {error}") from error
    if _shapes(learner.params) != _shapes(params):
        raise ValueError("parameters that do not fit the network on it")
    learner.params = trainable({name: params[name] for name in learner.params})
    return learner
