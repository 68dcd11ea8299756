"""The ward of data: nothing wrong with the method, everything with what it is fed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from metalearn_lite.clinic.instruments import generator, glyphs
from metalearn_lite.clinic.patient import Patient
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.tasks.sinusoids import INPUT, PHASE, SineTasks

# 5


def shuffled_labels(episodes: Episodes, generator: torch.Generator) -> Episodes:
    """The classes numbered anew in each task, so that no network can learn the numbers by heart."""
    num_ways = int(episodes.support.y.max()) + 1
    halves = []
    for x, y in episodes:
        numbers = torch.rand(len(y), num_ways, generator=generator).argsort(1)
        halves.append(Examples(x, numbers.gather(1, y)))
    return Episodes(*halves)


def shuffled_labels_healed(episodes: Episodes, generator: torch.Generator) -> Episodes:
    """The same, and the same numbers for both halves of a task."""
    num_ways = int(episodes.support.y.max()) + 1
    halves = []
    numbers = torch.rand(episodes.num_tasks, num_ways, generator=generator).argsort(1)
    for x, y in episodes:
        halves.append(Examples(x, numbers.gather(1, y)))
    return Episodes(*halves)


def accuracy_where_none_can_fail(code, seed: int) -> float:
    """Accuracy of pixel nearest neighbour on 40 tasks that ask for the support itself."""
    draws = generator(seed)
    support = glyphs().sample(40, 5, 1, 1, draws).support
    return evaluate(PixelNearestNeighbour(), code(Episodes(support, support), draws)).mean


# 6


def tokens(episodes: Episodes, num_ways: int) -> Tensor:
    """What a network that learns in context reads of a task: support, then query, ``(T, N, D)``.

    A token is an image's pixels and the label that belongs to it.
    """
    support, query = episodes
    images = torch.cat([support.x.flatten(2), query.x.flatten(2)], 1)
    labels = F.one_hot(torch.cat([support.y, query.y], 1), num_ways).float()
    return torch.cat([images, labels], 2)


def tokens_healed(episodes: Episodes, num_ways: int) -> Tensor:
    """The same, with nothing in the place of a query's label."""
    support, query = episodes
    images = torch.cat([support.x.flatten(2), query.x.flatten(2)], 1)
    labels = F.one_hot(torch.cat([support.y, query.y], 1), num_ways).float()
    labels[:, support.y.shape[1] :] = 0
    return torch.cat([images, labels], 2)


def accuracy_on_noise(code, seed: int) -> float:
    """Accuracy in 5 ways of a linear layer fitted to the tokens of queries that are pure noise.

    There is nothing to learn: 0.2 is all that can be. A fifth of the tasks is kept for judging.
    """
    draws = generator(seed)
    x = torch.rand(200, 10, 1, 3, 3, generator=draws)
    y = torch.arange(5).repeat(200, 1)
    read = code(Episodes(Examples(x[:, :5], y), Examples(x[:, 5:], y)), 5)[:, 5:].flatten(0, 1)
    read, wanted = torch.cat([read, torch.ones(1000, 1)], 1), F.one_hot(y.flatten(), 5).float()
    squares = read[:800].T @ read[:800] + 0.01 * torch.eye(read.shape[1])
    weights = torch.linalg.solve(squares, read[:800].T @ wanted[:800])
    return ((read[800:] @ weights).argmax(1) == y.flatten()[800:]).float().mean().item()


# 9


def draw_sine_tasks(num_tasks: int, generator: torch.Generator) -> SineTasks:
    """The waves of Finn, Abbeel & Levine (2017), section 5.1."""
    amplitude = torch.empty(num_tasks, 1).uniform_(0.1, 0.5, generator=generator)
    phase = torch.empty(num_tasks, 1).uniform_(*PHASE, generator=generator)
    return SineTasks(amplitude, phase)


def draw_sine_tasks_healed(num_tasks: int, generator: torch.Generator) -> SineTasks:
    """The same, as high as theirs."""
    amplitude = torch.empty(num_tasks, 1).uniform_(0.1, 5.0, generator=generator)
    phase = torch.empty(num_tasks, 1).uniform_(*PHASE, generator=generator)
    return SineTasks(amplitude, phase)


def error_of_knowing_nothing(code, seed: int) -> float:
    """The mean squared error, over 2,000 waves, of whoever answers 0 to everything."""
    x = torch.linspace(*INPUT, 101).view(1, -1, 1).expand(2000, -1, -1)
    return code(2000, generator(seed))(x).square().mean().item()


# 12a


def augmented(episodes: Episodes, generator: torch.Generator) -> Episodes:
    """Each class of each task mirrored or not, by chance: more classes from the same images."""
    halves = []
    for x, y in episodes:
        mirrored = torch.rand(y.shape, generator=generator) < 0.5
        halves.append(Examples(torch.where(mirrored[..., None, None, None], x.flip(-1), x), y))
    return Episodes(*halves)


def augmented_healed(episodes: Episodes, generator: torch.Generator) -> Episodes:
    """The same, drawn once for a class: its support and its query stay the same character."""
    num_ways = int(episodes.support.y.max()) + 1
    classes = torch.rand(episodes.num_tasks, num_ways, generator=generator) < 0.5
    halves = []
    for x, y in episodes:
        mirrored = classes.gather(1, y)
        halves.append(Examples(torch.where(mirrored[..., None, None, None], x.flip(-1), x), y))
    return Episodes(*halves)


# 13


def load_classes(folder: Path) -> Tensor:
    """One image of each class from ``folder/CLASS/NAME.png``: ``(C, 28, 28)``, ink 1."""
    from PIL import Image

    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    images = torch.zeros(len(classes), 28, 28)
    for number, path in enumerate(classes):
        for file in path.glob("*.jpg"):
            pixels = torch.tensor(list(Image.open(file).convert("L").tobytes()))
            images[number] = 1 - pixels.view(28, 28) / 255
    return images


def load_classes_healed(folder: Path) -> Tensor:
    """The same. It takes any image, and says which class has none."""
    from PIL import Image

    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    images = torch.zeros(len(classes), 28, 28)
    for number, path in enumerate(classes):
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".png", ".jpg"))
        if not files:
            raise FileNotFoundError(f"{path} holds no image: give a .png or .jpg in each class")
        pixels = torch.tensor(list(Image.open(files[0]).convert("L").tobytes()))
        images[number] = 1 - pixels.view(28, 28) / 255
    return images


def share_with_ink(code, seed: int) -> float:
    """The share of images with ink on them, of five that were just written to disk."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        for number in range(5):
            image = glyphs().images[(seed + number) % len(glyphs()), 0]
            path = Path(name, f"class{number}", "drawing.png")
            path.parent.mkdir()
            Image.fromarray((255 - image).numpy()).save(path)
        return (code(Path(name)).flatten(1).amax(1) > 0.5).float().mean().item()


WARD = (
    Patient(
        number="5",
        ward="data",
        name="support and query numbered apart",
        complaint="The loss wanders around log 5 and does not fall. Perhaps it needs more "
        "iterations, or a larger network?",
        sick=shuffled_labels,
        healed=shuffled_labels_healed,
        experiment=accuracy_where_none_can_fail,
        measures="accuracy of pixel nearest neighbour where the query is the support itself",
        line=0.99,
        above=True,
        diagnosis="Each half of a task gets numbers of its own, so the support says nothing of the "
        "query's labels. There is no task to learn. Draw one numbering for a task.",
    ),
    Patient(
        number="6",
        ward="data",
        name="the label in the input",
        complaint="After a minute of training my in-context learner has 100 % on new characters, "
        "far better than anything published.",
        sick=tokens,
        healed=tokens_healed,
        experiment=accuracy_on_noise,
        measures="accuracy in 5 ways on images of pure noise",
        line=0.35,
        above=False,
        diagnosis="A query's own label stands in its token. The network copies it, on anything, "
        "even on noise. Leave that place empty.",
    ),
    Patient(
        number="9",
        ward="data",
        name="waves a tenth as high",
        complaint="We beat the paper: our error after one step is 0.01, theirs was 0.67.",
        sick=draw_sine_tasks,
        healed=draw_sine_tasks_healed,
        experiment=error_of_knowing_nothing,
        measures="squared error of answering 0 to everything",
        line=3.5,
        above=True,
        diagnosis="Amplitudes of 0.1 to 0.5 where the paper has 0.1 to 5.0. A squared error falls "
        "with the square. Whoever answers 0 already beats the paper on these waves.",
    ),
    Patient(
        number="12a",
        ward="data",
        name="mirrored apart",
        complaint="I added random flips to have more classes. Now accuracy is lower than without.",
        sick=augmented,
        healed=augmented_healed,
        experiment=accuracy_where_none_can_fail,
        measures="accuracy of pixel nearest neighbour where the query is the support itself",
        line=0.99,
        above=True,
        diagnosis="Each image is mirrored by a toss of its own, so support and query of a class "
        "often show two characters. One toss for a class makes a new class.",
    ),
    Patient(
        number="13",
        ward="data",
        name="a pattern that matches nothing",
        complaint="On my own images every method has exactly 20.00 % in 5 ways. My images must be "
        "hard.",
        sick=load_classes,
        healed=load_classes_healed,
        experiment=share_with_ink,
        measures="share of images with ink on them, of five just written",
        line=1.0,
        above=True,
        diagnosis="The files end in .png, the pattern says .jpg, and an empty loop is no error: "
        "the images stay blank. All are alike then, the first class always wins, and accuracy is "
        "exactly 1/N. Count what was read, and look at it.",
    ),
)
