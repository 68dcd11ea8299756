"""The name by which notebook 06 imports from ``classifier``."""

from metalearn_lite.recipes.classifier import labelled

__all__ = ["labelled"]
