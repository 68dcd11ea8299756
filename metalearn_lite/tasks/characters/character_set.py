"""A set of handwritten characters, and the few-shot episodes sampled from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.images import turned
from metalearn_lite.tasks.characters.choosing import choose, uniform
from metalearn_lite.tasks.characters.sheets import draw_sheet
from metalearn_lite.tasks.characters.splitting import divide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGE_SIZE = 28


class Characters:
    """The character classes that episodes are sampled from.

    A character is a class; its examples are one drawing by each of `num_drawers` people. Within an
    alphabet a drawer's index is one person, who drew every character of that alphabet.

    Attributes:
        images: uint8 tensor (num_characters, num_drawers, 28, 28), paper 0, ink 255.
        alphabets: the alphabet of each character.
        names: the name of each character within its alphabet.
        source: where the images come from, for titles: "Omniglot small1", "Glyphs", ...

    Raises:
        ValueError: if shapes or lengths do not fit, or one alphabet has two characters of a name.
    """

    def __init__(
        self, images: Tensor, alphabets: Sequence[str], names: Sequence[str], source: str
    ) -> None:
        _check_images(images)
        if not len(images) == len(alphabets) == len(names):
            raise ValueError(
                f"{len(images)} characters need as many alphabets and names, "
                f"not {len(alphabets)} and {len(names)}."
            )
        if len(set(zip(alphabets, names, strict=True))) < len(names):
            raise ValueError("Two characters share both alphabet and name: name each differently.")
        self.images = images
        self.alphabets = list(alphabets)
        self.names = list(names)
        self.source = source
        self._alphabet_names = list(dict.fromkeys(alphabets))
        index_of = {alphabet: index for index, alphabet in enumerate(self._alphabet_names)}
        self._alphabet_of = torch.tensor([index_of[a] for a in alphabets], dtype=torch.int64)
        self._alphabet_sizes = self._alphabet_of.bincount(minlength=len(index_of))

    @property
    def num_characters(self) -> int:
        return self.images.shape[0]

    @property
    def num_drawers(self) -> int:
        return self.images.shape[1]

    @property
    def alphabet_sizes(self) -> dict[str, int]:
        """The number of characters of each alphabet."""
        return dict(zip(self._alphabet_names, self._alphabet_sizes.tolist(), strict=True))

    def __len__(self) -> int:
        return self.num_characters

    def __repr__(self) -> str:
        return (
            f"<{self.source}: {self.num_characters} characters of {len(self._alphabet_names)} "
            f"alphabets, each by {self.num_drawers} drawers>"
        )

    # Choosing classes

    def take(self, indices: Iterable[int]) -> Characters:
        """The characters at `indices`, as a set of their own."""
        indices = list(indices)
        return Characters(
            self.images[indices],
            [self.alphabets[i] for i in indices],
            [self.names[i] for i in indices],
            self.source,
        )

    def select(self, alphabets: Sequence[str]) -> Characters:
        """Only the characters of these `alphabets`. Raises ValueError if one is not here."""
        wanted = self._known(alphabets)
        return self.take(i for i, a in enumerate(self.alphabets) if a in wanted)

    def exclude(self, alphabets: Sequence[str]) -> Characters:
        """All characters but those of `alphabets`. Raises ValueError if one is not here."""
        unwanted = self._known(alphabets)
        return self.take(i for i, a in enumerate(self.alphabets) if a not in unwanted)

    def _known(self, alphabets: Sequence[str]) -> set[str]:
        alphabets = {alphabets} if isinstance(alphabets, str) else set(alphabets)
        if unknown := alphabets - set(self._alphabet_names):
            raise ValueError(
                f"No alphabet {', '.join(sorted(unknown))} in {self.source}; "
                f"it has {', '.join(self._alphabet_names)}."
            )
        return alphabets

    def with_rotations(self) -> Characters:
        """Four classes of each character: itself, and turned by 90, 180 and 270 degrees.

        The turned ones belong to alphabets of their own, "Greek@90" and so on. First used to have
        more classes by Santoro et al. (2016).
        """
        if any("@" in alphabet for alphabet in self.alphabets):
            raise ValueError("These characters are rotated already: rotate a set only once.")
        return Characters(
            torch.cat([turned(self.images, quarters) for quarters in range(4)]),
            [f"{a}@{90 * k}" if k else a for k in range(4) for a in self.alphabets],
            self.names * 4,
            self.source,
        )

    def split(
        self,
        sizes: Sequence[float] = (0.7, 0.1, 0.2),
        generator: torch.Generator | None = None,
        by_alphabet: bool = False,
    ) -> tuple[Characters, ...]:
        """Parts that share no character: meta-training, -validation and -test, unless told else.

        A character and its rotations always stay in one part, even if you rotate before you split.

        Args:
            sizes: one per part, shares of the whole that sum to 1 (0.7, 0.1, 0.2) or whole numbers
                of characters (1100, 100, 423), whose rest goes unused.
            generator: shuffles the characters. Without one the split is the same each time, so
                that two notebooks never train on each other's meta-test tasks.
            by_alphabet: keep each alphabet in one part; `sizes` then counts alphabets.

        Raises:
            ValueError: if the sizes ask for more than there is, or leave a part empty.
        """
        bases = [alphabet.partition("@")[0] for alphabet in self.alphabets]
        groups = bases if by_alphabet else list(zip(bases, self.names, strict=True))
        parts = divide(groups, sizes, generator, "alphabets" if by_alphabet else "characters")
        return tuple(self.take(part) for part in parts)

    def to(self, device: torch.device | str) -> Characters:
        """The same characters with their images on `device`, where episodes will then be."""
        return Characters(self.images.to(device), self.alphabets, self.names, self.source)

    # Sampling

    def sample(
        self,
        num_tasks: int,
        num_ways: int,
        num_shots: int,
        num_queries: int = 5,
        generator: torch.Generator | None = None,
        within_alphabet: bool = False,
    ) -> Episodes:
        """Sample classification tasks (Vinyals et al., 2016): N ways, K shots.

        Each task has `num_ways` different characters, all equally likely; a character's images are
        by different drawers, so that support and query share none.

        Args:
            num_queries: query images per class.
            within_alphabet: take a task's characters from one alphabet, drawn evenly from those
                that have enough.

        Returns:
            Episodes with float32 images in [0, 1], ink = 1, and int64 labels in class order
            (0, 0, 1, 1, ...). Support x (num_tasks, num_ways * num_shots, 1, 28, 28), y
            (num_tasks, num_ways * num_shots); query the same with `num_queries` for `num_shots`.

        Raises:
            ValueError: if there are too few characters, alphabets or drawers.
        """
        checks.count(num_tasks=num_tasks, num_ways=num_ways)
        checks.count(num_shots=num_shots, num_queries=num_queries)
        if num_shots + num_queries > self.num_drawers:
            raise ValueError(
                f"num_shots={num_shots} and num_queries={num_queries} need "
                f"{num_shots + num_queries} images of each character but there are "
                f"{self.num_drawers}; choose a sum of at most {self.num_drawers}."
            )
        numbers = max(self.num_characters, num_ways * (num_shots + num_queries) * IMAGE_SIZE**2)
        checks.fits(num_tasks=num_tasks, numbers_of_a_task=numbers)
        classes = self.sample_classes(num_tasks, num_ways, generator, within_alphabet)
        drawers = choose(num_tasks, num_ways, self.num_drawers, num_shots + num_queries, generator)
        support, query = drawers.split([num_shots, num_queries], dim=-1)
        return Episodes(self.examples(classes, support), self.examples(classes, query))

    def sample_classes(
        self,
        num_tasks: int,
        num_ways: int,
        generator: torch.Generator | None,
        within_alphabet: bool,
    ) -> Tensor:
        """Indices (num_tasks, num_ways) of different characters for each task."""
        most = int(self._alphabet_sizes.max()) if within_alphabet else self.num_characters
        if num_ways > most:
            where = "the largest alphabet of this split" if within_alphabet else "this split"
            raise ValueError(
                f"num_ways={num_ways} but {where} has {most} characters; choose at most {most}."
            )
        scores = uniform((num_tasks, self.num_characters), generator)
        if within_alphabet:
            large = (self._alphabet_sizes >= num_ways).nonzero().squeeze(1)
            chosen = large[choose(num_tasks, 1, len(large), 1, generator).flatten()]
            scores = scores.masked_fill(self._alphabet_of != chosen.unsqueeze(1), -1.0)
        return scores.topk(num_ways).indices

    def examples(self, classes: Tensor, drawers: Tensor) -> Examples:
        """The images of `classes` (T, N) by `drawers` (T, N, K), in class order."""
        num_tasks, num_ways, per_class = drawers.shape
        images = self.images[classes.unsqueeze(-1), drawers].flatten(1, 2).unsqueeze(2)
        labels = torch.arange(num_ways, device=images.device).repeat_interleave(per_class)
        return Examples(images.float() / 255, labels.repeat(num_tasks, 1))

    def contact_sheet(
        self, num_characters: int = 12, num_drawers: int = 10, title: str | None = None
    ) -> Figure:
        """A figure of the first characters, one a row, each by the first drawers, one a column."""
        checks.count(num_characters=num_characters, num_drawers=num_drawers)
        images = self.images[:num_characters, :num_drawers].cpu()
        return draw_sheet(images, title or self.source)


def _check_images(images: Tensor) -> None:
    if isinstance(images, list | tuple):
        raise ValueError(
            "images is a list: stack it into one tensor (num_characters, num_drawers, 28, 28); all "
            "characters need as many drawings."
        )
    checks.tensor(images=images)
    if images.dtype != torch.uint8 or images.shape[2:] != (IMAGE_SIZE,) * 2 or not images.numel():
        raise ValueError(
            "images must be a uint8 tensor of shape (num_characters, num_drawers, 28, 28), "
            f"not {images.dtype} of shape {tuple(images.shape)}."
        )
    checks.ink_on_paper(images, 255)
