"""Every learner is named once, where checkpoints, contract tests and documentation look."""

import inspect
import pkgutil
from importlib import import_module

import pytest

from metalearn_lite import learners, rl
from metalearn_lite.learners import MAML
from metalearn_lite.learners.base import Learner


def defined_in(package) -> set[type]:
    found = set()
    for module in pkgutil.iter_modules(package.__path__):
        name = f"{package.__name__}.{module.name}"
        for kind in vars(import_module(name)).values():
            own = inspect.isclass(kind) and kind.__module__ == name
            if own and issubclass(kind, Learner) and not inspect.isabstract(kind):
                found.add(kind)
    return found


@pytest.mark.parametrize("package", [learners, rl], ids=lambda package: package.__name__)
def test_the_registry_names_every_learner(package):
    assert defined_in(package) <= set(package.LEARNERS.values())
    assert all(name == kind.__name__ for name, kind in package.LEARNERS.items())


def test_learners_are_imported_by_their_names_alone():
    assert learners.LEARNERS["MAML"] is MAML is learners.maml.MAML
