"""The same training in several processes, each of which computes a share of the tasks.

``torchrun --nproc-per-node 2 -m metalearn_lite train RECIPE`` starts them. All begin with equal
parameters and equal generators, so each draws the same whole batch. It computes the meta-gradient
of its own share, and the shares are added up, each by its number of tasks: that is the mean over
the batch, which one process would have computed. All take the same outer step with it. So nothing
but this one sum travels, and all end with the same parameters.

In a process that was started alone, every function here does what needs no others.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from metalearn_lite import checks
from metalearn_lite.episodes import Episodes
from metalearn_lite.networks import Params

T = TypeVar("T")

TIMEOUT = timedelta(minutes=5)
"""how long the others are waited for; one of them may still be compiling"""

_store: dist.Store | None = None
_meetings = 0


class ProcessLost(RuntimeError):
    """Another process has ended, or does not answer."""


class Quiet(SystemExit):
    """Ends a process whose story another one tells."""


def several() -> bool:
    """Whether this is one of several processes that train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def is_first() -> bool:
    """Whether this process is the one that prints and writes; alone it is."""
    return not several() or dist.get_rank() == 0


def first_to(do: str) -> bool:
    """Whether this process is the first of all to come here with this word; alone it is.

    They agree by a number that ``torchrun`` keeps, so it also works when some have ended.
    """
    if not several() or _store is None:
        return True
    try:
        return _store.add(do, 1) == 1
    except RuntimeError:  # torchrun itself is gone
        return is_first()


@contextmanager
def joined() -> Iterator[None]:
    """While inside, the processes that ``torchrun`` started are one group; alone, nothing happens.

    They meet over gloo, and over nccl where each has a GPU of its own. Only the first prints.
    SIGTERM, which ``torchrun`` sends when another process has failed, is taken as Ctrl-C is.

    Where an exception leaves it, one process raises it, and the others end without a word. No
    signal is listened to from then on, so that the last sentence is said to its end.
    """
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        yield
        return
    global _store, _meetings
    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    store, rank, size = next(dist.rendezvous("env://", timeout=TIMEOUT))
    _meetings += 1  # what an earlier group wrote there is not this one's
    _store = dist.PrefixStore(f"metalearn_lite {_meetings}", store)
    options = {"timeout": TIMEOUT, "store": _store, "rank": rank, "world_size": size}
    dist.init_process_group(_backend(), **options)
    try:
        with _silent() if rank else nullcontext():
            yield
    except Quiet:
        _deaf()
        raise
    except BaseException as error:
        _deaf()
        if getattr(error, "kept", None) is None and not first_to("speak"):
            raise Quiet(1) from None
        raise
    else:
        signal.signal(signal.SIGTERM, before)
    finally:
        dist.destroy_process_group()
        _store = None


def _backend() -> str:
    if not (torch.cuda.is_available() and dist.is_nccl_available()):
        return "gloo"
    if torch.cuda.device_count() < int(os.environ["LOCAL_WORLD_SIZE"]):
        return "gloo"  # nccl takes no two processes on one GPU
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    # Else a process that waits too long is ended by a watchdog, without a word.
    os.environ.setdefault("TORCH_NCCL_BLOCKING_WAIT", "1")
    return "cpu:gloo,cuda:nccl"


@contextmanager
def _silent() -> Iterator[None]:
    os.environ["TQDM_DISABLE"] = "1"
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        yield


def _as_ctrl_c(number: int, frame: Any) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)


def _deaf() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def share_of(num_tasks: int, place: int | None = None, size: int | None = None) -> slice:
    """Which tasks of a batch are one process's own.

    The shares follow one another and differ by at most one task, the larger ones first. With more
    processes than tasks the last ones have none.

    Args:
        num_tasks: T, of the whole batch.
        place, size: of which process of how many; left out: this one.
    """
    if place is None or size is None:
        place, size = (dist.get_rank(), dist.get_world_size()) if several() else (0, 1)
    checks.count(0, num_tasks=num_tasks, place=place)
    checks.count(place + 1, size=size)
    each, more = divmod(num_tasks, size)
    start = place * each + min(place, more)
    return slice(start, start + each + (place < more))


def anyone(flag: bool) -> bool:
    """Whether ``flag`` is true in any process, so that all stop at the same step.

    Raises:
        ProcessLost: another process has ended, or does not answer.
    """
    if not several():
        return flag
    flags = torch.tensor(int(flag))
    _together(dist.all_reduce, flags, dist.ReduceOp.MAX)
    return bool(flags)


def from_first(make: Callable[[], T]) -> T:
    """What ``make`` returns in the first process, for all. What it raises there ends the others."""
    if not several():
        return make()
    failed, result = None, [None, False]
    if is_first():
        try:
            result = [make(), True]
        except Exception as error:
            failed = error
    _together(dist.broadcast_object_list, result)
    if failed is not None:
        raise failed
    if not result[1]:
        raise Quiet(2)
    return result[0]


def meta_gradient(
    compute: Callable[[Any], tuple[Tensor, Params]], batch: Any, learner: Any
) -> tuple[Tensor, Params]:
    """The meta-loss and meta-gradient of ``batch``, the same in every process.

    Each computes those of its own tasks, and one sum over all processes makes them the mean over
    the batch: of [loss, gradient] · (tasks of its own / tasks of the batch), in one flat tensor.

    Every process computes all of it, and nothing is summed, for what cannot be shared out: a batch
    that is no ``Episodes``, such as games played; and a learner with ``shares_tasks = False``,
    whose meta-gradient is not a mean over tasks.

    Args:
        compute: ``learner.meta_gradient``, perhaps compiled.
        batch: drawn alike by every process.

    Raises:
        ProcessLost: another process has ended, or does not answer.
    """
    shares_tasks = getattr(learner, "shares_tasks", False)
    if not (several() and isinstance(batch, Episodes) and shares_tasks):
        return compute(batch)
    own = share_of(batch.num_tasks)
    weight = (own.stop - own.start) / batch.num_tasks
    params = learner.params.values()
    if weight:
        loss, gradient = compute(batch.tasks(own.start, own.stop))
        parts = [loss, *(gradient[name] for name in learner.params)]
        flat = weight * torch.cat([part.detach().reshape(-1) for part in parts])
    else:
        first = next(iter(params))
        flat = first.new_zeros(1 + sum(value.numel() for value in params), requires_grad=False)
    _together(dist.all_reduce, flat)
    loss, *parts = flat.split([1, *(value.numel() for value in params)])
    whole = {
        name: part.view(value.shape).to(value.dtype)
        for (name, value), part in zip(learner.params.items(), parts, strict=True)
    }
    return loss.squeeze(0), whole


def _together(operation: Callable[..., Any], *args: Any) -> None:
    try:
        operation(*args)
    except RuntimeError as error:
        raise ProcessLost(str(error).split("\n")[0]) from error
