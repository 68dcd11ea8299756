"""The official challenge, its drawings shrunk to 28 pixels in three ways.

The learners see 28 x 28 pixels, the published drawings have 105 x 105. How they are shrunk is no
part of the challenge and should not matter. Here is by how much it does:

- ours: the share of ink in each pixel's area, as `tasks.characters` reads every image;
- Pillow's BOX: the plain mean of the 3 or 4 x 3 or 4 original pixels whose middles lie in a pixel;
- Pillow's LANCZOS: a smoother mean, with weights that may be negative.

python -m benchmarks.challenge_by_shrinking [all_runs.zip]
"""

import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image

from metalearn_lite import checkpoints
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import answers, exact_interval
from metalearn_lite.tasks import characters
from metalearn_lite.tasks.characters import archives

LEARNERS = ("omniglot-elastic", "omniglot-elastic-small2", "glyphs-elastic")


def shrunk(path: Path, official: Episodes, by: Image.Resampling) -> Episodes:
    """The official runs in ``path``, their images shrunk by one of Pillow's filters."""
    halves = []
    with ZipFile(path) as archive:
        for half, (folder, name) in zip(
            official, (("training", "class"), ("test", "item")), strict=True
        ):
            x = torch.empty_like(half.x)
            for run, of_run in enumerate(x, 1):
                for number, image in enumerate(of_run, 1):
                    member = f"run{run:02d}/{folder}/{name}{number:02d}.png"
                    with archive.open(member) as file, Image.open(file) as drawing:
                        small = drawing.convert("L").resize((28, 28), by)
                    image[0] = torch.from_numpy(1 - np.asarray(small) / 255)
            halves.append(Examples(x, half.y))
    return Episodes(*halves)


def main(path: Path) -> None:
    ours = characters.challenge_runs(path)
    ways = {"ours": ours} | {
        f"Pillow's {by.name}": shrunk(path, ours, by)
        for by in (Image.Resampling.BOX, Image.Resampling.LANCZOS)
    }
    print("wrong of 400, and the exact binomial 95 % interval in per cent")
    print(f"{'':26}" + "".join(f"{name:>22}" for name in ways))
    for name in LEARNERS:
        learner = checkpoints.load(name)
        print(f"{name:26}", end="")
        for runs in ways.values():
            said = answers(learner, runs, num_at_once=1).argmax(-1)
            wrong = (said != runs.query.y).sum().item()
            low, high = (100 * end for end in exact_interval(wrong, runs.query.y.numel()))
            print(f"{f'{wrong} ({low:.1f} to {high:.1f})':>22}", end="", flush=True)
        print()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        source = archives.SOURCES["runs"]
        main(archives.find_archive(source) or archives.fetch_archive(source, allowed=True))
