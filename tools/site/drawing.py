"""What the site needs to draw and to play in the page: networks, their runtime, what was recorded.

Two widgets are not recorded figures there but run: *draw your own* (`DrawYourOwn`) with two shipped
networks, and the game of notebook 00 (`EpisodeGame`). `write` makes their files, `markup` their
places on a page, and the scripts in ``site/static/`` do the rest with the kit of the package.

    python -m tools.site.drawing FOLDER     the files alone, into FOLDER/drawing
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sys
import warnings
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from metalearn_lite import checkpoints
from metalearn_lite.images import frame, symmetric_versions
from metalearn_lite.learners.elastic import ElasticPrototypes, find_parts
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.tasks import characters, digits
from metalearn_lite.tasks.characters import Characters, Glyphs
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE
from metalearn_lite.tasks.characters.pens import PEN_BLUR, PEN_WIDTH
from metalearn_lite.widgets import draw, episode_game
from metalearn_lite.widgets.draw import QUERY, DrawYourOwn
from metalearn_lite.widgets.episode_game import EpisodeGame
from metalearn_lite.widgets.kit import Scene, scene, solid

REPOSITORY = Path(__file__).parents[2]
RUNTIME = REPOSITORY / "node_modules" / "onnxruntime-web" / "dist"
NETWORKS = {"elastic": "omniglot-elastic", "prototypical": "omniglot-protonet"}
OPSET = 20  # the first one with cubic GridSample
DRAWERS = 6  # of each example, which are enough to have a query by another hand
LOTS = 50  # games that chance can play before it says the same again
ORIGINS = {
    "glyphs": "The drawings are made up by the course.",
    "omniglot": "The drawings are Omniglot's, © 2015 Brenden Lake, MIT licence.",
}
WITHOUT = "It needs JavaScript."


class Figure(NamedTuple):
    """A widget that runs in the page."""

    kind: str
    """the class that a notebook's cell names"""
    says: str
    more: str
    """below it"""


FIGURES = {
    "draw": Figure(
        "DrawYourOwn",
        "Draw your own: a class on each pad, then one of them once more. Two networks answer after "
        "every stroke.",
        "Two networks that ship with the course, elastic and prototypical, run in this page. The "
        "first stroke loads them, 5.5 MB; what you draw goes nowhere. In the notebook you may ask "
        "any learner, about your own images, too.",
    ),
    "game": Figure(
        "EpisodeGame",
        "The game: which of five cards is the same character, by another hand? Three learners "
        "answer the same questions.",
        "The questions and the learners' answers are the notebook's.",
    ),
}
INSTEAD = {"08_maml_on_omniglot": "Here the elastic network takes MAML's place."}

# On a page


def markup(stem: str, source: str) -> str | None:
    """The HTML in place of the widget that a cell of notebook ``stem`` shows; None without one."""
    for name, figure in FIGURES.items():
        if f"{figure.kind}(" in source:
            return place(name, INSTEAD.get(stem, ""))
    return None


def place(name: str, instead: str = "") -> str:
    """Where "draw" or "game" is to be; without JavaScript it says what there would be.

    Args:
        instead: how it differs from what the page speaks of, in a sentence.
    """
    _, says, more = FIGURES[name]
    return (
        f'<figure class="ml-figure" data-play="{name}"><div class="ml-place"><p>{escape(says)}</p>'
        f"<noscript><p>{WITHOUT}</p></noscript></div>"
        f"<figcaption>{escape(f'{instead} {more}'.strip())}</figcaption></figure>"
    )


# Files


def write(folder: Path) -> None:
    """Writes all that the two need into ``folder/drawing``."""
    into = folder / "drawing"
    into.mkdir(parents=True, exist_ok=True)
    learners = {name: checkpoints.load(file) for name, file in NETWORKS.items()}
    for name, learner in learners.items():
        for part, model in exported(learner).items():
            (into / f"{name}-{part}.onnx").write_bytes(model)
    shutil.copy(RUNTIME / "ort.wasm.bundle.min.mjs", into / "runtime.js")
    # Packed here, and unpacked in the page: so it is small whatever the server does.
    wasm = (RUNTIME / "ort-wasm-simd-threaded.wasm").read_bytes()
    (into / "runtime.bin").write_bytes(gzip.compress(wasm, mtime=0))
    loaded = ("*.onnx", "runtime.*")
    sizes = {one.name: one.stat().st_size for glob in loaded for one in sorted(into.glob(glob))}
    _write(into / "draw.json", drawing(learners) | {"sizes": sizes})
    played = game()
    if played["note"] == ORIGINS["omniglot"]:
        (into / "LICENCE-omniglot.txt").write_text(omniglot_licence(), encoding="utf-8")
    _write(into / "game.json", played)


def omniglot_licence() -> str:
    """What must go with Omniglot's drawings: the MIT licence, as the code has it, in its name."""
    title, _, terms = (REPOSITORY / "LICENSE").read_text(encoding="utf-8").split("\n\n", 2)
    whose = "Copyright (c) 2015 Brenden Lake"
    return f"The drawings in game.json are Omniglot's.\n\n{title}\n\n{whose}\n\n{terms}"


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    path.write_text(text, encoding="utf-8")


# Networks


class _Embed(nn.Module):
    """One image ``(1, 28, 28)`` to its point ``(1, D)``, as a learner that is framed sees it.

    As `PrototypicalNetwork.embed`, but its eight symmetries go through the network together.
    """

    def __init__(self, learner: PrototypicalNetwork):
        super().__init__()
        self.learner = learner

    def forward(self, image: Tensor) -> Tensor:
        versions = symmetric_versions(frame(image[None, None]))
        points = self.learner.network(self.learner.params, torch.cat(versions, 1))
        return points.flatten(1)


class _Compare(_Embed):
    """A point ``(1, D)`` and prototypes ``(num_ways, D)`` to logits ``(1, num_ways)``."""

    def forward(self, point: Tensor, prototypes: Tensor) -> Tensor:
        return self.learner.compare(point[None], prototypes[None])[0]


class _Elastic(ElasticPrototypes):
    """The same, where few maps are compared: no copy of nine places around every place."""

    def similarity(self, maps: Tensor, others: Tensor) -> Tensor:
        height, width = maps.shape[-2:]
        here, around = maps.unsqueeze(3), functional.pad(others.unsqueeze(2), (1, 1, 1, 1))
        dots = [
            (here * around[..., down : down + height, right : right + width]).sum(4)
            for down in range(3)
            for right in range(3)
        ]
        dots = torch.stack(dots, -1)
        return find_parts(dots) + self.read(dots, maps, others)


def exported(learner: PrototypicalNetwork) -> dict[str, bytes]:
    """The learner as two ONNX models: "embed" for one image, "compare" for any number of ways.

    With one drawing of each class the prototypes are the drawings' points. So after a stroke only
    the sheet that it is on has to be embedded again.
    """
    learner.params = {name: value.detach() for name, value in learner.params.items()}
    if isinstance(learner, ElasticPrototypes):
        learner = _Elastic(learner.network, learner.params, learner.sharpness, True, True)
    image = torch.zeros(1, IMAGE_SIZE, IMAGE_SIZE)
    point = learner.embed(image[None, None])[0].detach()
    ways = {"point": None, "prototypes": {0: torch.export.Dim("num_ways", min=2, max=64)}}
    return {
        "embed": _onnx(_Embed(learner), {"image": image}, "point"),
        "compare": _onnx(
            _Compare(learner), {"point": point, "prototypes": point.repeat(5, 1)}, "logits", ways
        ),
    }


def _onnx(
    module: nn.Module, inputs: dict[str, Tensor], output: str, shapes: dict | None = None
) -> bytes:
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch's exporter warns of torch
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    ClearMetadataAndDocStringPass()(program.model)  # which hold paths of this machine
    return program.model_proto.SerializeToString(deterministic=True)


# What is recorded of the widgets


def examples() -> dict[str, Characters]:
    """Whose drawings *draw your own* offers: the course's own, and digits under CC BY."""
    ten = digits.load()
    few = Characters(ten.images[:, :DRAWERS], ten.alphabets, ten.names, ten.source)
    return {"invented letters": Glyphs(1, 12, DRAWERS, seed=3), "digits": few}


def drawing(learners: dict[str, PrototypicalNetwork]) -> dict[str, Any]:
    """What the page needs to be a `DrawYourOwn` with these learners."""
    widget = DrawYourOwn(learners, examples())
    ways = {}
    for num_ways in range(draw.MIN_WAYS, draw.MAX_WAYS + 1):
        widget.model.set_num_ways(num_ways)
        widget.model.draw_all_examples()
        ways[num_ways] = _template(widget.scene())
    # Where the page begins, with the answers: nothing is loaded before a gesture.
    widget.press("all_but_one_stroke")
    widget.model.set_num_ways(len(draw.EXAMPLE_CLASSES))
    begun = {name: one.probabilities.tolist() for name, one in widget.model.frame().answers.items()}
    return {
        "learners": list(learners),
        "ways": ways,
        "begun": begun,
        "hint": next(one.look for one in widget.scene().tries if one.press == "all_but_one_stroke"),
        "signs": {"classes": draw.EXAMPLE_CLASSES, "query": draw.EXAMPLE_QUERY},
        "examples": {name: _packed(pool.images) for name, pool in examples().items()},
        "query": QUERY,
        "pen": {
            "size": IMAGE_SIZE,
            "longer_side": draw.LONGER_SIDE,
            "smallest": draw.SMALLEST,
            "width": PEN_WIDTH,
            "blur": PEN_BLUR,
        },
        "note": "The letters are made up by the course; the digits are scikit-learn's, CC BY 4.0.",
    }


def game() -> dict[str, Any]:
    """What the page needs to be the `EpisodeGame` of notebook 00, with the learners' answers."""
    widget = game_of_the_notebook()
    model = widget.model
    lots = []
    for _ in range(LOTS):
        model.play_by_chance()
        lots += model.answers
        model.play_again()
    asked = _template(widget.scene())
    widget.pick("cards", 0)
    answered = _template(widget.scene())
    tasks = [model.learners_frame(task) for task in range(model.num_tasks)]
    drawings = np.stack([[*task.support, task.query] for task in tasks])
    origin = "omniglot" if _split().source.startswith("Omniglot") else "glyphs"
    return {
        "look": asked["look"],
        "moving": {"asked": asked["moving"], "answered": answered["moving"]},
        "num_rounds": model.num_rounds,
        "num_ways": model.num_ways,
        "names": {"you": episode_game.YOU, "chance": episode_game.CHANCE,
                  "both": episode_game.BOTH},
        "verdicts": {"right": episode_game.RIGHT, "wrong": episode_game.WRONG},
        "line": episode_game.LINE,
        "colors": {name: one["color"] for name, one in solid([*model.overall]).items()},
        "drawings": _packed(torch.from_numpy(np.round(255 * drawings).astype(np.uint8))),
        "truths": [task.truth for task in tasks],
        "choices": {name: [task.choices[name] for task in tasks] for name in model.overall},
        "telling": model.telling_task(),
        "overall": model.overall_sentence(),
        "points": [f"{100 / played:.0f}" for played in range(1, model.num_rounds + 1)],
        "lots": lots,
        "note": ORIGINS[origin],
    }  # fmt: skip


def game_of_the_notebook() -> EpisodeGame:
    """The game as notebook 00 begins it, with the same questions."""
    generator = torch.Generator().manual_seed(0)
    torch.randint(1, 7, (100_000,), generator=generator)  # the die that the notebook rolls before
    learners = {
        "pixels": PixelNearestNeighbour(),
        "prototypical": checkpoints.load("omniglot-protonet"),
        "MAML": checkpoints.load("omniglot-maml"),
    }
    return EpisodeGame(_split().sample(10, 5, 1, 1, generator=generator), learners)


@cache
def _split() -> Characters:
    return characters.load_split("small1")[2]


def _template(shown: Scene) -> dict[str, Any]:
    """A scene as it travels, without drawings: the page has those."""
    moving, fixed = scene.data(shown)
    columns = {
        key: {name: column for name, column in mark.items() if not _holds_bytes(column)}
        for key, mark in (moving | fixed).items()
    }
    return {"look": scene.look(shown), "moving": columns}


def _holds_bytes(column: Any) -> bool:
    return isinstance(column, dict) and "bytes" in column


def _packed(images: Tensor) -> dict[str, Any]:
    content = images.contiguous().numpy().tobytes()
    return {"shape": list(images.shape), "bytes": base64.b64encode(content).decode()}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
