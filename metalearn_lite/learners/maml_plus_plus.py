"""MAML++: MAML with the training tricks that make it steady, each with its own switch."""

from __future__ import annotations

import torch
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.learners.base import task_losses
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.networks import Network, Params


class MAMLPlusPlus(MetaSGD):
    """MAML++ (Antoniou, Edwards & Storkey, 2019).

    Three of its six changes are here. Its cosine outer schedule is ``meta_train``'s
    ``schedule=cosine``; what it does to batch normalisation needs a network that has some.

    Args:
        network: called as ``network(params, x)``.
        params: the initialisation θ to start from.
        inner_lr: α, the unit of the learned rates.
        inner_steps: k.
        multi_step: judge θ after every inner step, not after the last alone. At first each step
            counts 1/k; the steps before the last fade until ``last_step_share`` is left to it.
        last_step_share: what the last step counts when meta-training ends.
        learned_rates: learn a rate for each parameter tensor and each step: ``rate.weight1``
            ``(k,)`` in ``params``. Steps beyond the k-th use the rate of the k-th.
        first_order_until: the fraction of meta-training that is first-order, which costs less.
        per_parameter: learn a rate for each step and every single parameter, as Meta-SGD would.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        inner_lr: float = 0.01,
        inner_steps: int = 5,
        multi_step: bool = True,
        last_step_share: float = 1.0,
        learned_rates: bool = True,
        first_order_until: float = 0.0,
        per_parameter: bool = False,
    ):
        checks.count(1, checks.MOST_STEPS, inner_steps=inner_steps)
        checks.chance(last_step_share=last_step_share, first_order_until=first_order_until)
        checks.flag(learned_rates=learned_rates, multi_step=multi_step, per_parameter=per_parameter)
        self.learned_rates = learned_rates
        self.multi_step = multi_step
        self.last_step_share = last_step_share
        self.first_order_until = first_order_until
        self.per_parameter = per_parameter
        super().__init__(network, params, inner_lr, inner_steps)
        self.advance(1.0)

    def advance(self, progress: float) -> None:
        """Sets the order of the gradient and what each step counts."""
        checks.chance(progress=progress)
        self.order = 1 if progress < self.first_order_until else 2
        k = self.inner_steps
        last = (1 - progress) / k + progress * self.last_step_share if self.multi_step else 1.0
        others = (1 - last) / (k - 1) if k > 1 else 0
        self.step_shares = torch.tensor([others] * (k - 1) + [last])

    def first_rates(self, params: Params) -> Params:
        """The rates of each step before meta-training, or none where they are not learned."""
        if not self.learned_rates:
            return {}
        shapes = {n: value.shape if self.per_parameter else () for n, value in params.items()}
        return {n: value.new_ones(self.inner_steps, *shapes[n]) for n, value in params.items()}

    def rate(self, name: str, step: int) -> Tensor | float:
        """The rate of parameter ``name`` in inner step ``step``, in units of ``inner_lr``."""
        if not self.learned_rates:
            return 1.0
        return super().rate(name, step)[min(step, self.inner_steps - 1)]

    def meta_loss(self, episodes: Episodes) -> Tensor:
        """The query loss after each inner step, by the share of the step, averaged over tasks."""
        checks.asked(episodes)
        support, query = episodes
        adapted, total = self.start(support), 0.0
        for step, share in enumerate(self.step_shares):
            adapted = self.inner_step(adapted, support, step)
            if self.multi_step or step + 1 == self.inner_steps:
                losses = task_losses(self.predict(adapted, query.x), query.y)
                total = total + share * losses.mean()
        return total
