"""The meta-gradient as one compiled function. Optional: everything works without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes, Examples

MetaGradient = Callable[[Episodes], tuple[torch.Tensor, dict[str, torch.Tensor]]]


def compiled_meta_gradient(learner: Any) -> MetaGradient:
    """``learner.meta_gradient``, compiled for the shapes of the first episodes it is called with.

    ``torch.compile`` cannot look into ``torch.autograd.grad``. So the inner and outer gradients
    are first recorded as one flat list of tensor operations, which it can compile. Tensors that
    the learner holds are inputs of it. Plain settings, such as the order of the gradient, are part
    of it: after a change it is recorded and compiled anew. Where that fails (no C++ compiler, or
    an operation that depends on the data), a sentence says so and the learner's own
    ``meta_gradient`` is used.
    """
    compiled = {}

    def meta_gradient(episodes: Episodes):
        # What is compiled looks at no number. A head tells all training classes apart, no ways.
        if isinstance(episodes, Episodes) and "head" not in learner.params:
            checks.episodes(episodes)
        settings = tuple(v for v in vars(learner).values() if isinstance(v, int | float | str))
        if settings not in compiled:
            try:
                compiled[settings] = _compile(learner, episodes)
            except Exception as error:
                reason = str(error).strip().split("\n")[0][:120]
                print(f"Training runs uncompiled: {type(error).__name__}: {reason}")
                compiled[settings] = learner.meta_gradient
        return compiled[settings](episodes)

    return meta_gradient


def _compile(learner: Any, example: Episodes) -> MetaGradient:
    from torch.fx.experimental.proxy_tensor import make_fx

    def tensors_held() -> dict[str, torch.Tensor]:
        return {name: v for name, v in vars(learner).items() if isinstance(v, torch.Tensor)}

    def recorded(params, tensors, support, query):
        own = dict(vars(learner))
        vars(learner).update(tensors, params=params)
        try:
            result = learner.meta_gradient(Episodes(Examples(*support), Examples(*query)))
            changed = [name for name in tensors if vars(learner)[name] is not tensors[name]]
            if changed:  # what was compiled would not change it again
                raise ValueError(f"{', '.join(changed)} changes from one iteration to the next")
            return result
        finally:
            vars(learner).update(own)

    graph = make_fx(recorded)(learner.params, tensors_held(), *map(tuple, example))
    function = torch.compile(graph)

    @torch.no_grad()
    def meta_gradient(episodes: Episodes):
        params = {name: value.detach() for name, value in learner.params.items()}
        return function(params, tensors_held(), *map(tuple, episodes))

    meta_gradient(example)
    return meta_gradient
