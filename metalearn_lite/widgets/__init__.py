"""Widgets: one file each, with a model that needs no screen and a thin view of it."""
