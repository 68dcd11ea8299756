"""Try inputs that cannot be right on everything public, and count what becomes of them.

    python tools/census.py                   a table by area
    python tools/census.py --show silent     and every input that ended so: also raw, hang, crash
    python tools/census.py --area learners   one area alone

Inputs are made by kind: for each public constructor, function and method whose parameters this file
knows good values for, one parameter at a time gets the values that no parameter of its kind can
mean. To these come the cases listed in `LISTED`, each with what is right. An input ends

    clear    refused by a `raise` of the package, with a sentence; or answered as is right
    raw      refused by Python's or PyTorch's own words
    silent   accepted, though it cannot be right
    hang     no answer within `SECONDS` of computing
    crash    the process died, such as for want of the `GIGABYTES` that it may use

A worker process tries one after the other and is started anew where it hangs or dies.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import inspect
import json
import linecache
import os
import pkgutil
import resource
import select
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 2  # of the processor, so that a busy machine makes no hang
WAITING = 600  # seconds for a worker that does not listen, or that makes what is needed
END = "end"
GIGABYTES = 8
OUTCOMES = ("clear", "raw", "silent", "hang", "crash")
AREAS = ("tasks", "images", "networks", "learners", "rl", "evaluation", "similarity", "interop")
Input = tuple[str, str, Callable[[], Any], bool]
"""area, what is tried, the call, and whether an answer is wrong whatever it is"""

NAN, INF = float("nan"), float("inf")
# By the kind of a parameter: what it can never mean. An answer to a huge count may be right.
NEVER = {
    "int": [-1, 2.5, NAN, "3", True],
    "float": [NAN, -INF, "0.1", [1.0]],
    "str": ["no such", 3],
}
HUGE = 10**12
# Their negative is as good as they, or says that one is missing; or they take anything.
NOT_COUNTS = {"seed", "quarters", "place", "start", "stop", "step", "default"}
FREE_STRINGS = {"source", "title", "label", "name", "what", "text", "noun", "condition"}


def good_values() -> dict[str, Callable[[], Any]]:
    """By a parameter's name, what may be given for it."""
    import torch

    from metalearn_lite.learners.maml import MAML
    from metalearn_lite.networks import MLP
    from metalearn_lite.tasks import characters
    from metalearn_lite.tasks.bandits import Bandits
    from metalearn_lite.tasks.conventions import Conventions
    from metalearn_lite.tasks.sinusoids import Sinusoids

    def generator():
        return torch.Generator().manual_seed(0)

    def waves():
        return Sinusoids().sample(4, 6, 5, generator())

    def learner():
        return MAML(MLP(1, 8, 1), MLP(1, 8, 1).init(generator()))

    return {
        "generator": generator,
        **dict.fromkeys(("num_tasks", "num_streams", "num_networks"), lambda: 2),
        **dict.fromkeys(("num_shots", "num_queries", "num_runs", "num_games"), lambda: 1),
        **dict.fromkeys(("num_points", "num_trajectories", "num_pulls", "num_arms"), lambda: 5),
        **dict.fromkeys(
            ("num_features", "num_actions", "observation_size", "task_size"), lambda: 3
        ),
        "num_ways": lambda: 3,
        "horizon": lambda: 5,
        "count": lambda: 3,
        "batch_size": lambda: 2,
        "step": lambda: 0,
        "progress": lambda: 0.5,
        "discount": lambda: 0.9,
        "trace_decay": lambda: 0.9,
        "kind": lambda: importlib.import_module("metalearn_lite.tasks.mixed").KINDS["waves"],
        "x": lambda: torch.rand(1, 3, 1, 28, 28, generator=generator()) * 0.3,
        "examples": lambda: waves().support,
        "support": lambda: waves().support,
        "episodes": waves,
        "learner": learner,
        "characters": lambda: characters.Glyphs(2, 20, 4),
        "bandits": Bandits,
        "conventions": Conventions,
        "environment": Bandits,
        "tasks": lambda: torch.rand(2, 5, generator=generator()),
        "rewards": lambda: torch.rand(2, 3, 6, generator=generator()),
        "values": lambda: torch.rand(2, 3, 6, generator=generator()),
        "first": lambda: torch.randn(5, 3, generator=generator()),
        "second": lambda: torch.randn(5, 4, generator=generator()),
        "scores": lambda: torch.rand(5, generator=generator()),
        "sizes": lambda: (1, 8, 1),
    }


def networks_for(annotation: str, learner: str) -> Any:
    """A network of the kind that the annotation of a learner's parameter names."""
    from metalearn_lite import networks

    if learner in ("SupportNorm", "NoNorm", "PerStepNorm"):
        return networks.ConvClassifier(3, 8)
    known = {
        "MLP": lambda: networks.MLP(1, 8, 1),
        "ConvNet": lambda: networks.ConvNet((8, 8, 8, 8)),
    }
    for name, module in (("GRU", "recurrent"), ("EncodeDecode", "neural_process")):
        found = getattr(importlib.import_module(f"metalearn_lite.learners.{module}"), name)
        known[name] = found
    transformer = importlib.import_module("metalearn_lite.learners.transformer").Transformer
    known["Transformer"] = transformer
    return known[annotation]() if annotation in known else None


def arguments(
    callable_: Callable, good: dict[str, Callable[[], Any]], owner: str = ""
) -> dict[str, Any] | None:
    """Good values for all required parameters; None where one is not known."""
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(callable_).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD or parameter.default is not parameter.empty:
            continue
        if name == "network":
            given[name] = networks_for(str(parameter.annotation), owner)
        elif name == "params" and "network" in given:
            init = getattr(callable_, "init", None)
            draw = init if inspect.isfunction(init) or inspect.ismethod(init) else None
            given[name] = draw(given["network"]) if draw else given["network"].init()
        elif parameter.kind is parameter.VAR_POSITIONAL:
            given["*"] = good[name]() if name in good else ()
        else:
            given[name] = good[name]() if name in good else None
        if name in given and given[name] is None:
            return None
    return given


def call(callable_: Callable, given: dict[str, Any]) -> Any:
    given = dict(given)
    positional = given.pop("*", ())
    names = [
        name
        for name, parameter in inspect.signature(callable_).parameters.items()
        if parameter.kind is parameter.POSITIONAL_ONLY
    ]
    first = [given.pop(name) for name in names if name in given]
    return callable_(*first, *positional, **given)


def never(name: str, annotation: str) -> list[tuple[Any, bool]]:
    """What the parameter can never mean, each with whether any answer is wrong."""
    kind = annotation.split(" | ")[0]
    if name in NOT_COUNTS or (kind == "str" and name in FREE_STRINGS):
        return []
    bad = [(value, True) for value in NEVER.get(kind, [])]
    if kind == "int":
        bad += [(HUGE, False)]
    if kind == "float" and name == "max_norm":
        bad = [(value, wrong) for value, wrong in bad if value != INF]
    return bad


def by_kind() -> Iterator[Input]:
    """One bad argument at a time, for all that is public and can be called."""
    import metalearn_lite

    good = good_values()
    for found in pkgutil.walk_packages(metalearn_lite.__path__, "metalearn_lite."):
        area = found.name.split(".")[1]
        if area not in AREAS:
            continue
        module = importlib.import_module(found.name)
        for name, member in list(vars(module).items()):
            if name.startswith("_") or getattr(member, "__module__", None) != found.name:
                continue
            if inspect.isfunction(member) or _is_plain_class(member):
                yield from _tried(area, name, member, good)
            if _is_plain_class(member):
                yield from _methods(area, name, member, good)


def _is_plain_class(member: Any) -> bool:
    return (
        inspect.isclass(member)
        and not issubclass(member, (tuple, BaseException))
        and not inspect.isabstract(member)
        and not getattr(member, "_is_protocol", False)
    )


def _tried(area: str, label: str, callable_: Callable, good: dict) -> Iterator[Input]:
    try:
        given = arguments(callable_, good, label.split(".")[0])
        if given is None:
            return
        call(callable_, given)  # what is good must pass, or nothing is learned from what is bad
    except Exception:
        return
    for name, parameter in inspect.signature(callable_).parameters.items():
        for value, wrong in never(name, str(parameter.annotation)):
            if parameter.kind is parameter.VAR_POSITIONAL:
                given_bad = given | {"*": (value, 8, 1)}
            else:
                given_bad = given | {name: value}
            what = f"{label}({name}={value!r})"
            yield area, what, lambda c=callable_, g=given_bad: call(c, g), wrong


def _methods(area: str, label: str, kind: type, good: dict) -> Iterator[Input]:
    try:
        instance = call(kind, arguments(kind, good, label))
    except Exception:
        return
    for name, method in inspect.getmembers(instance, inspect.ismethod):
        if not name.startswith("_") and name in _own_methods(kind):
            yield from _tried(area, f"{label}.{name}", method, good)


def _own_methods(kind: type) -> set[str]:
    return {name for one in kind.__mro__ if one.__module__ == kind.__module__ for name in vars(one)}


# Listed cases: what is right is known for each


def spoilt() -> dict[str, Callable]:
    """Ways to spoil a support of five classes; all must be refused."""
    import torch

    def change(y, x=None):
        return lambda s: s._replace(y=y(s.y), **({} if x is None else {"x": x(s.x)}))

    return {
        "y + 1": change(lambda y: y + 1),
        "y - 100": change(lambda y: torch.where(y == 0, -100, y)),
        "y = 50": change(lambda y: torch.where(y == 4, 50, y)),
        "a class without support": change(lambda y: torch.where(y == 2, 3, y)),
        "y of floats": change(lambda y: y.float()),
        "y of another shape": change(lambda y: y[:, :-1]),
        "x of float64": change(lambda y: y, lambda x: x.double()),
        "x of (T, N)": change(lambda y: y, lambda x: x.flatten(2)[..., 0]),
        "x of 0 to 255": change(lambda y: y, lambda x: 255 * x),
        "x of NaN": change(lambda y: y, lambda x: x * NAN),
        "x a numpy array": change(lambda y: y, lambda x: x.numpy()),
        "no examples": change(lambda y: y[:, :0], lambda x: x[:, :0]),
        "no tasks": change(lambda y: y[:0], lambda x: x[:0]),
    }


def supports() -> Iterator[Input]:
    """Every learner on spoilt supports, images of five classes or waves."""
    import torch

    from metalearn_lite import learners
    from metalearn_lite.episodes import Episodes
    from metalearn_lite.evaluation import evaluate
    from metalearn_lite.learners.base import Learner
    from metalearn_lite.networks import MLP, ConvClassifier
    from metalearn_lite.tasks.characters import Glyphs
    from metalearn_lite.tasks.sinusoids import Sinusoids

    good, generator = good_values(), torch.Generator().manual_seed(0)
    images = Glyphs(1, 6, 4).sample(2, 5, 2, 1, generator)
    waves = Sinusoids().sample(2, 5, 5, generator)
    for found in pkgutil.iter_modules(learners.__path__, "metalearn_lite.learners."):
        for name, kind in vars(importlib.import_module(found.name)).items():
            own = _is_plain_class(kind) and kind.__module__ == found.name
            if not own or not issubclass(kind, Learner):
                continue
            for data, episodes in (("images", images), ("waves", waves)):
                try:
                    given = arguments(kind, good, name)
                    network = given.get("network")
                    if data == "images" and isinstance(network, (MLP, ConvClassifier)):
                        network = ConvClassifier(5, 8)
                        given |= {"network": network, "params": network.init()}
                    learner = call(kind, given)
                    evaluate(learner, episodes)
                except Exception:
                    continue
                for what, spoil in spoilt().items():
                    if data == "waves" and (
                        what == "y of floats" or "class" in what or "255" in what
                    ):
                        continue
                    if what == "no examples" and "in_context" in str(type(learner).__mro__):
                        continue  # they answer without
                    if data == "waves" and what.startswith("y ") and what != "y of another shape":
                        continue

                    def adapt(learner=learner, spoil=spoil, episodes=episodes, what=what):
                        support = spoil(episodes.support)
                        result = evaluate(learner, Episodes(support, episodes.query))
                        # No number is what comes of no number, as long as it is said.
                        if not (what == "x of NaN" and "2 diverged" in str(result)):
                            raise AssertionError("answered wrongly")

                    yield "learners", f"{name}: {data}, {what}", adapt, False


def listed() -> Iterator[Input]:
    """Cases that were reported one by one."""
    import torch
    from torch import nn

    from metalearn_lite import evaluation, interop
    from metalearn_lite.episodes import Episodes, Examples
    from metalearn_lite.learners.maml import MAML
    from metalearn_lite.learners.prototypes import PrototypicalNetwork
    from metalearn_lite.networks import MLP, ConvClassifier, ConvNet
    from metalearn_lite.rl import bandit_players
    from metalearn_lite.tasks import characters
    from metalearn_lite.tasks.bandits import Bandits
    from metalearn_lite.tasks.sinusoids import Sinusoids

    generator = torch.Generator().manual_seed(0)
    images = characters.Glyphs(1, 6, 4).sample(2, 5, 2, 1, generator)
    waves = Sinusoids().sample(2, 5, 5, generator)
    network, wave_network = ConvClassifier(5, 8), MLP(1, 8, 1)
    conv = MAML(network, network.init(generator))
    wave = MAML(wave_network, wave_network.init(generator))
    narrow = ConvClassifier(3, 8)
    bad_query = Episodes(images.support, images.query._replace(y=images.query.y + 1))
    embedding = ConvNet((8, 8))
    prototypes = PrototypicalNetwork(embedding, embedding.init(generator))
    integers = waves.support._replace(y=torch.ones_like(waves.support.y).long())

    def must(condition):
        assert condition, "answered wrongly"

    def in_inference():
        with torch.inference_mode():
            wave.adapt(waves.support)

    def unused():
        MAML(wave_network, wave_network.init() | {"extra9": torch.zeros(1)}).adapt(waves.support)

    def any_integers(learner, dtype):
        support, query = (half._replace(y=half.y.to(dtype)) for half in images)
        as_they_are = evaluation.evaluate(learner, images)
        must(evaluation.evaluate(learner, Episodes(support, query)).mean == as_they_are.mean)

    def game(player, bandits):
        bandit_players.play(player, bandits, bandits.sample_tasks(2), 3)

    def white_paper():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            characters.Characters(
                255 - characters.Glyphs(1, 3, 2).images, ["A"] * 3, list("abc"), "inverted"
            )
        must(said)

    nan = torch.full((2, 5, 5), NAN)
    labels = torch.zeros(2, 5, dtype=torch.long)
    sequential = nn.Sequential
    refused = {
        "evaluate: query.y + 1": lambda: evaluation.evaluate(prototypes, bad_query),
        "meta_loss: query.y + 1": lambda: conv.meta_loss(bad_query),
        "MAML: integer y, a regression": lambda: wave.adapt(integers),
        "MAML: 5 ways on ConvClassifier(3)": lambda: MAML(narrow, narrow.init()).adapt(images[0]),
        "MAML in inference_mode": in_inference,
        "MAML: an unused parameter": unused,
        "MAML.trace: integer y": lambda: wave.trace(integers),
        "meta_gradient: float64": lambda: wave.meta_gradient(
            Episodes(*(Examples(half.x.double(), half.y.double()) for half in waves))
        ),
        "ConvNet((7,))": lambda: ConvNet((7,)),
        "MLP(1, 2.5)": lambda: MLP(1, 2.5),
        "make_runs(num_ways=0)": lambda: characters.make_runs(
            characters.Glyphs(1, 20, 2), 1, num_ways=0
        ),
        "UCB1(3), five arms": lambda: game(bandit_players.UCB1(3), Bandits(5, 10)),
        "Gittins(5, 5), ten pulls": lambda: game(bandit_players.Gittins(5, 5), Bandits(5, 10)),
        "chances of 7.0": lambda: bandit_players.play(
            bandit_players.UCB1(5), Bandits(), torch.full((2, 5), 7.0)
        ),
        "Glyphs(1, 4000, 1)": lambda: characters.Glyphs(1, 4000, 1),
        "characters, unequal drawings": lambda: characters.Characters(
            [torch.zeros(3, 28, 28), torch.zeros(2, 28, 28)], ["A", "A"], ["a", "b"], "list"
        ),
        "from_module: Conv2d": lambda: interop.from_module(
            sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
        ),
        "from_module: Tanh": lambda: interop.from_module(
            sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))
        ),
        "from_module: nested": lambda: interop.from_module(
            sequential(sequential(nn.Linear(1, 2), nn.ReLU()), nn.Linear(2, 1))
        ),
    }
    answered = {
        "NaN logits": lambda: must(evaluation.task_scores(nan, labels).sum() == 0),
        "white paper": white_paper,
        **{
            f"{type(learner).__name__}: labels of {dtype}": lambda learner=learner, dtype=dtype: (
                any_integers(learner, dtype)
            )
            for learner in (conv, prototypes)
            for dtype in (torch.int32, torch.uint8)
        },
    }
    for what, case in refused.items():
        yield "listed", what, case, True
    for what, case in answered.items():
        yield "listed", what, case, False
    yield from widgets(wave)


def widgets(learner) -> Iterator[Input]:
    import torch

    from metalearn_lite.widgets.adaptation import AdaptationModel
    from metalearn_lite.widgets.training_explorer import TrainingModel

    def model(**settings):
        return AdaptationModel({"MAML": learner}, torch.Generator().manual_seed(0), **settings)

    def asked(name, value):
        shown = model()
        setattr(shown, name, value)
        return shown.frame().sentence

    for value in (NAN, INF, "3"):
        yield "listed", f"widget: amplitude={value}", lambda v=value: asked("amplitude", v), True
        yield "listed", f"widget: inner_lr={value}", lambda v=value: asked("inner_lr", v), True
    for value in (-1, 10**6, 2.5):
        yield "listed", f"widget: max_steps={value}", lambda v=value: model(max_steps=v), True
        run = lambda v=value: TrainingModel(  # noqa: E731
            learner.network, torch.Generator().manual_seed(0), max_steps=v
        ).frame()
        yield "listed", f"training widget: max_steps={value}", run, True
    for value in (10**9, -1, 2.5):
        yield (
            "listed",
            f"widget: draw_points({value})",
            lambda v=value: model().draw_points(v),
            True,
        )


# Trying them


class Hang(BaseException):
    """An input took its `SECONDS`."""


def _hang(*_) -> None:
    raise Hang


def outcome(case: Callable[[], Any], wrong: bool) -> tuple[str, str]:
    import metalearn_lite

    package = str(Path(metalearn_lite.__file__).parent)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        case()
    except Hang:
        return "hang", ""
    except MemoryError as error:
        return "crash", f"MemoryError: {error}"
    except Exception as error:
        said = f"{type(error).__name__}: {error}".split("\n")[0][:140]
        if "answered wrongly" in said:
            return "silent", said
        frame = traceback.extract_tb(error.__traceback__)[-1]
        line = linecache.getline(frame.filename, frame.lineno).strip()
        own = frame.filename.startswith(package) and line.startswith("raise ")
        return ("clear" if own and not isinstance(error, TypeError) else "raw"), said
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ("silent" if wrong else "clear"), "answered"


def work(area: str | None, start: int) -> None:
    """Prints one line of JSON before and one after each input from number ``start`` on."""
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, GIGABYTES << 30))
    signal.signal(signal.SIGPROF, _hang)
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever is printed, C's words included
    for number, (where, what, case, wrong) in enumerate(inputs()):
        if number < start or (area and where != area):
            continue
        print(json.dumps([number, where, what]), file=out, flush=True)
        print(json.dumps(outcome(case, wrong)), file=out, flush=True)
    print(json.dumps(END), file=out, flush=True)


def inputs() -> Iterator[Input]:
    for made in (by_kind, supports, listed):
        yield from made()


def census(area: str | None) -> list[tuple[str, str, str, str]]:
    """Area, input, outcome and what was said, for every input."""
    done: list[tuple[str, str, str, str]] = []
    start, ended = 0, False
    while not ended:
        command = [sys.executable, __file__, "--work", str(start)]
        command += ["--area", area] if area else []
        # Without a buffer, as `select` knows nothing of what has been read ahead.
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as worker:
            trying: list | None = None
            while line := _line(worker, WAITING):
                read = json.loads(line)
                if ended := read == END:
                    break
                if trying is None:
                    trying = read
                else:
                    done.append((*trying[1:], *read))
                    start, trying = trying[0] + 1, None
            hangs = not ended and worker.poll() is None
            worker.kill()
        if trying:
            done.append((*trying[1:], "hang" if hangs else "crash", ""))
            start = trying[0] + 1
        elif not ended:
            raise SystemExit(f"the worker ended before it could try input {start}")
    return done


def _line(worker: subprocess.Popen, seconds: float) -> bytes:
    """The next line of the worker's; empty where it has ended or says nothing for ``seconds``."""
    ready, _, _ = select.select([worker.stdout], [], [], seconds)
    return worker.stdout.readline() if ready else b""


def table(done: list[tuple[str, str, str, str]]) -> str:
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for area, _, ended, _ in done:
        counts[area][ended] += 1
        counts["all"][ended] += 1
    rows = [("area", "inputs", *OUTCOMES)]
    for area in [*sorted(set(counts) - {"all"}), "all"]:
        rows.append((area, counts[area].total(), *(counts[area][ended] for ended in OUTCOMES)))
    return "\n".join(f"{row[0]:12}" + "".join(f"{cell:>8}" for cell in row[1:]) for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--show", nargs="*", default=[], choices=OUTCOMES)
    parser.add_argument("--area")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        return work(options.area, options.work)
    done = census(options.area)
    print(table(done))
    for area, what, ended, said in done:
        if ended in options.show:
            print(f"{ended:7} {area}: {what} -> {said}")
    return None


if __name__ == "__main__":
    main()
