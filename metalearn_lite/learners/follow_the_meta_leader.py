"""Follow the meta-leader: after every task, the start that would have been best on all so far."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.maml import MAML
from metalearn_lite.networks import Params


class FollowTheMetaLeader(MAML):
    """FTML (Finn, Rajeswaran, Kakade & Levine, 2019), for S streams at once.

    The leader of a stream is the start whose adapted networks have the least loss on all tasks
    that the stream has brought. Here gradient steps on MAML's meta-loss look for it; which tasks
    they see is for whoever calls ``meta_gradient`` (`online.OnlineLearner`).

    ``params`` holds a start for each stream, ``(S, …)``. Tasks come stream by stream: of T tasks
    the first T / S belong to stream 0. Otherwise all is as in ``MAML``.
    """

    shares_tasks = False  # the tasks of a batch belong to different parameters

    @property
    def num_streams(self) -> int:
        return len(next(iter(self.params.values())))

    def start(self, support: Examples) -> Params:
        """φ before the first step: each task's copy of its own stream's start.

        Raises:
            ValueError: the tasks are no multiple of S.
        """
        checks.support(support, self.params, self.network)
        return self._copies(len(support.x))

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The query loss after adapting, averaged over a stream's tasks, *summed* over streams.

        So each stream's start gets the gradient that it would have alone.
        """
        return self.num_streams * super().meta_loss(episodes)

    def _copies(self, num_tasks: int) -> Params:
        if num_tasks % self.num_streams:
            raise ValueError(
                f"{num_tasks} tasks at once for {self.num_streams} streams: "
                "give each stream as many tasks"
            )
        each = num_tasks // self.num_streams
        return {name: value.repeat_interleave(each, 0) for name, value in self.params.items()}


class FollowTheLeader(FollowTheMetaLeader):
    """Joint training on a stream: the one network with the least loss on all tasks so far.

    It adapts as FTML does, by gradient steps on the support. Only what is trained differs: the
    loss before any step. Trained on the newest task alone, it is one network that is fine-tuned
    for ever.
    """

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The query loss without adapting, averaged over a stream's tasks, summed over streams."""
        checks.asked(episodes)
        predicted = self.predict(self._copies(episodes.num_tasks), episodes.query.x)
        return self.num_streams * task_losses(predicted, episodes.query.y).mean()


def linear_meta_leader(episodes: Episodes, inner_lr: float) -> Tensor:
    """The best start of all, in closed form, for tasks y = w · x and one inner step.

    With mean squared errors one step leads from start θ to φ = A θ + c, where
    A = I - 2α/N XᵀX and c = 2α/N Xᵀy of the support. The query's residuals are then linear in θ,
    and the start with the least meta-loss is a least-squares solution.

    Args:
        episodes: ``x`` ``(T, N, D)`` and ``y`` ``(T, N)``, all tasks so far.
        inner_lr: α. With 0 it is the joint least-squares solution.

    Returns:
        θ ``(D,)``; where several are as good, the shortest.
    """
    checks.asked(episodes)
    checks.context(episodes.support, {"y": episodes.query.y})
    checks.rate(inner_lr=inner_lr)
    (x, y), query = episodes
    if x.dim() != 3:
        raise ValueError(f"support.x has shape {tuple(x.shape)}: give (T, N, D)")
    step = 2 * inner_lr / max(x.shape[1], 1)
    onto = torch.eye(x.shape[2], dtype=x.dtype) - step * x.mT @ x
    by = step * (x.mT @ y.unsqueeze(2))
    rows = (query.x @ onto).flatten(0, 1)
    targets = (query.y.unsqueeze(2) - query.x @ by).flatten(0, 1)
    return torch.linalg.lstsq(rows, targets, driver="gelsd").solution.squeeze(1)
