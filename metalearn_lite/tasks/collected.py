"""Small tables that somebody did collect: scikit-learn's own, in new splits each time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.tasks.tables import every_class_first

TABLES = ("iris", "wine", "breast cancer", "digits", "diabetes")
"""what `load` knows, with 3, 3, 2, 10 and 2 classes; their licences are scikit-learn's"""


class CollectedTable:
    """One table. A task is a split of its rows: some to learn from, some of the others asked.

    Splits of one table share rows, so their scores are not independent: an interval over splits
    says how much depends on the split, not what another table of its kind would give (Nadeau &
    Bengio, 2003).

    Args:
        name: as it is called.
        x: ``(N, D)``.
        y: ``(N,)``, classes 0, 1, …, each with two rows or more.
        classes: their names.
    """

    def __init__(self, name: str, x: Tensor, y: Tensor, classes: Sequence[str]):
        checks.tensor(x=x, y=y)
        if x.dim() != 2 or y.shape != x.shape[:1]:
            raise ValueError(f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}: give (N, D), (N,)")
        checks.labels(y, len(classes))
        self.name, self.x, self.y, self.classes = name, x, y, tuple(classes)

    @property
    def num_ways(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        rows, columns = self.x.shape
        return f"{self.name}: {rows:,} rows, {columns} columns, {self.num_ways} classes"

    def sample(
        self,
        num_tasks: int,
        num_rows: int,
        num_queries: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """``num_tasks`` splits: ``num_rows`` to learn from, every class among them.

        Args:
            num_queries: how many of the other rows are asked; left out: all of them.

        Returns:
            Episodes with ``x`` ``(T, N, D)`` and ``y`` ``(T, N)``.
        """
        checks.count(num_tasks=num_tasks)
        checks.count(self.num_ways, len(self.y) - 1, num_rows=num_rows)
        left = len(self.y) - num_rows
        num_queries = left if num_queries is None else num_queries
        checks.count(1, left, num_queries=num_queries)
        labels = self.y.expand(num_tasks, -1)
        order = every_class_first(labels, self.num_ways, generator)[:, : num_rows + num_queries]
        x, y = self.x[order], self.y[order]
        return Episodes(
            Examples(x[:, :num_rows], y[:, :num_rows]), Examples(x[:, num_rows:], y[:, num_rows:])
        )


def load(name: str) -> CollectedTable:
    """One of ``TABLES``, out of scikit-learn's own files: nothing is downloaded.

    Iris (Fisher, 1936), wine (Forina et al., 1988), breast cancer (Wolberg et al., 1995), digits
    (Alpaydin & Kaynak, 1998). The diabetes table (Efron et al., 2004) has a number for each
    patient, the progress of the disease; its classes are whether that lies above the median.

    Raises:
        ValueError: there is no such table.
    """
    checks.choice(TABLES, name=name)
    from sklearn import datasets  # takes a second to import

    if name == "diabetes":
        x, progress = datasets.load_diabetes(return_X_y=True, scaled=False)
        progress = torch.from_numpy(progress)
        y, classes = (progress > progress.median()).long(), ("slow", "fast")
    else:
        file = getattr(datasets, f"load_{name.replace(' ', '_')}")()
        x, y, classes = file.data, torch.from_numpy(file.target).long(), file.target_names
    return CollectedTable(name, torch.from_numpy(x).float(), y, [str(one) for one in classes])
