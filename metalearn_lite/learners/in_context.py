"""What learners that read have in common: one step of an adaptation is one more example read."""

from __future__ import annotations

import torch

from metalearn_lite import checks
from metalearn_lite.episodes import Examples
from metalearn_lite.learners.base import Learner, Trace, task_losses


class InContextLearner(Learner):
    """A learner whose ``adapt`` reads the support and takes no gradient step.

    What it reads is called its context. Any number of examples will do, none included.
    """

    @torch.no_grad()
    def trace(self, support: Examples) -> Trace:
        """The state after the first 0, 1, … N examples, in the order in which they come."""
        counts = range(support.y.shape[1] + 1)
        path = [self.adapt(first_examples(support, count)) for count in counts]
        losses = [task_losses(self.predict(adapted, support.x), support.y) for adapted in path]
        return Trace(path, torch.stack(losses))


def first_examples(examples: Examples, count: int) -> Examples:
    """The first ``count`` examples of every task; 0 is allowed.

    Raises:
        ValueError: there are not as many.
    """
    checks.count(0, examples.y.shape[1], count=count)
    return Examples(examples.x[:, :count], examples.y[:, :count])
