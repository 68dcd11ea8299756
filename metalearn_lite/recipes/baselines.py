"""The name by which notebook 02 imports from ``mean_of_networks``."""

from metalearn_lite.recipes.mean_of_networks import INNER_RATES, with_best_inner_lr

__all__ = ["INNER_RATES", "with_best_inner_lr"]
