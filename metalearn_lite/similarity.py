"""Do two layers say the same? A number that does not ask which neuron says what."""

from __future__ import annotations

from torch import Tensor

from metalearn_lite import checks


def linear_cka(first: Tensor, second: Tensor) -> Tensor:
    """Linear centred kernel alignment (Kornblith, Norouzi, Lee & Hinton, 2019).

    1: one is the other, shifted, turned, mirrored or scaled as a whole. 0: no direction of one
    goes with any direction of the other.

    Args:
        first: ``(…, N, D)``: what a layer answers for each of N examples, in rows.
        second: ``(…, N, E)``: what another layer answers for the same examples.

    Returns:
        One number in 0 … 1 for each of the leading axes.

    Raises:
        ValueError: the examples are not as many in both, or fewer than 2.
    """
    checks.tensor(first=first, second=second)
    if min(first.dim(), second.dim()) < 2 or not (
        first.is_floating_point() and first.dtype == second.dtype
    ):
        raise ValueError(
            f"first {first.dtype} {tuple(first.shape)}, second {second.dtype} "
            f"{tuple(second.shape)}: give floats of one dtype, (…, N, D) and (…, N, E)"
        )
    if first.shape[-2] != second.shape[-2]:
        raise ValueError(
            f"{first.shape[-2]} and {second.shape[-2]} examples: compare answers to the same ones"
        )
    if first.shape[-2] < 2:
        raise ValueError(f"{first.shape[-2]} example says nothing of likeness: give 2 or more")
    first, second = (rows - rows.mean(-2, keepdim=True) for rows in (first, second))
    # The N × N products of rows: no more numbers than needed where N is below D, as it is here.
    first, second = first @ first.mT, second @ second.mT

    def along(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum((-2, -1))

    return along(first, second) / (along(first, first) * along(second, second)).sqrt()
