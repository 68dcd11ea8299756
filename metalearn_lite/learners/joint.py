"""Joint training: one network for all tasks at once, with no thought of adapting."""

from __future__ import annotations

from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML


class JointTraining(MAML):
    """The baseline "pretrained" of Finn, Abbeel & Levine (2017), section 5.1.

    It adapts as MAML does, by gradient steps on the support. It differs only in what is trained:
    the loss of the network as it is, before any step.
    """

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The query loss without adapting, averaged over tasks: a scalar."""
        checks.asked(episodes)
        predicted = self.predict(self.params, episodes.query.x)
        return task_losses(predicted, episodes.query.y).mean()
