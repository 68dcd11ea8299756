"""Raters: made-up people who rate made-up items. One person is a task. No real person's data."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples


class People(NamedTuple):
    """``P`` people and what each would say of each of ``V`` items."""

    tastes: Tensor
    """``(P, rank)``: what nobody sees"""
    ratings: Tensor
    """``(P, V)``: what each says when asked, noise included"""

    def ask(
        self, num_ratings: int, num_queries: int, generator: torch.Generator | None = None
    ) -> Episodes:
        """Each person's ratings of ``num_ratings`` items, and of ``num_queries`` others.

        ``x`` ``(P, N, V)`` is 1 at the item and 0 elsewhere; ``y`` ``(P, N)`` the rating.
        """
        num_people, num_items = self.ratings.shape
        checks.count(0, num_ratings=num_ratings)
        checks.count(num_queries=num_queries)
        if num_ratings + num_queries > num_items:
            raise ValueError(
                f"num_ratings={num_ratings} and num_queries={num_queries} need "
                f"{num_ratings + num_queries} items but there are {num_items}"
            )
        checks.fits(people=num_people, items=num_items, asked=num_ratings + num_queries)
        items = torch.rand(num_people, num_items, generator=generator).argsort(1)
        return Episodes(
            self.of(items[:, :num_ratings]),
            self.of(items[:, num_ratings : num_ratings + num_queries]),
        )

    def of(self, items: Tensor) -> Examples:
        """What the people say of ``items`` ``(P, N)``, by number from 0."""
        checks.tensor(items=items)
        checks.labels(items, self.ratings.shape[1], "items")
        x = torch.nn.functional.one_hot(items, self.ratings.shape[1]).to(self.ratings.dtype)
        return Examples(x, self.ratings.gather(1, items))


class Raters:
    """A catalogue of items, and the people who rate them.

    rating = quality of the item + taste of the person · factors of the item + noise

    Tastes have ``rank`` numbers only, from N(0, 1), though there are many items: so a few ratings
    can tell them. Factors and qualities are drawn once for the catalogue, from N(0, 1 / rank) and
    N(0, 1): a person's own part of a rating then has variance 1. Of an item can be seen
    ``num_features`` numbers: mixtures of its factors, with as much noise again.

    Args:
        generator: draws the catalogue.
        num_items: V.
        rank: how many numbers a taste has.
        num_features: how many can be seen of an item.
        noise: standard deviation of what the same person says of the same item.
    """

    def __init__(
        self,
        generator: torch.Generator,
        num_items: int = 60,
        rank: int = 3,
        num_features: int = 8,
        noise: float = 0.5,
    ):
        checks.count(num_items=num_items, rank=rank, num_features=num_features)
        checks.rate(noise=noise)
        checks.fits(num_items=num_items, rank=rank, num_features=num_features)
        self.num_items, self.rank, self.noise = num_items, rank, noise
        self.quality = torch.randn(num_items, generator=generator)
        self.factors = torch.randn(num_items, rank, generator=generator) / math.sqrt(rank)
        mixed = self.factors @ torch.randn(rank, num_features, generator=generator)
        self.features = mixed + torch.randn(mixed.shape, generator=generator)

    def draw(self, num_people: int, generator: torch.Generator | None = None) -> People:
        """``num_people`` new people, and what they would say of everything."""
        checks.count(num_people=num_people)
        checks.fits(num_people=num_people, num_items=self.num_items)
        tastes = torch.randn(num_people, self.rank, generator=generator)
        noise = self.noise * torch.randn(num_people, self.num_items, generator=generator)
        return People(tastes, self.quality + tastes @ self.factors.T + noise)

    def sample(
        self,
        num_tasks: int,
        num_shots: int,
        num_queries: int = 10,
        generator: torch.Generator | None = None,
    ) -> Episodes:
        """New people, each with ``num_shots`` ratings known and ``num_queries`` to guess."""
        return self.draw(num_tasks, generator).ask(num_shots, num_queries, generator)
