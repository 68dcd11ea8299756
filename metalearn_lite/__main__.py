"""``python -m metalearn_lite``: train a recipe, evaluate a checkpoint, take the challenge."""

# ruff: noqa: E402 - what takes seconds to import comes after Ctrl-C is seen to

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress


def interrupted(*_) -> None:
    """Ctrl-C ends the process with one line, whatever it is doing, such as importing."""
    with suppress(Exception):  # what is being printed, or a reader that is gone
        _flush()
    if os.environ.get("RANK", "0") == "0":  # of several processes one says it
        os.write(2, b"metalearn_lite: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupted)

import argparse
import datetime
import io
import time
from pathlib import Path

import torch

from metalearn_lite import checkpoints, distributed, recipes
from metalearn_lite.files import write_whole
from metalearn_lite.networks import ConvNet
from metalearn_lite.training import TrainingDiverged, TrainingStopped, told

FROM = "folder of the checkpoint (default: data/checkpoints)"
JUDGING = "Judging it takes a while, with some recipes minutes."
ELASTIC = ("omniglot-elastic", "omniglot-elastic-small2", "glyphs-elastic")


def train(args: argparse.Namespace) -> None:
    recipe = recipes.find(args.recipe)
    out = Path(args.out) if args.out else checkpoints.folder()
    unfinished = out / f"{args.recipe}.seed{args.seed}.unfinished.safetensors"
    started = time.perf_counter()
    with distributed.joined(), told(device=args.device, log_to=args.log_to):
        if resumed := unfinished.exists():
            print(f"Going on from {unfinished}")
        learner = recipe.train(torch.Generator().manual_seed(args.seed), unfinished)
        if not distributed.is_first():
            return
    minutes = (time.perf_counter() - started) / 60
    print(JUDGING)
    result = recipe.judge(learner)
    about = {
        "command": f"python -m metalearn_lite train {args.recipe} --seed {args.seed}",
        "data": recipe.data,
        "seed": args.seed,
        "result": result,
        "date": datetime.date.today().isoformat(),
        "minutes": "trained in several parts" if resumed else round(minutes, 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    card = checkpoints.save(learner, args.recipe, about, out)
    unfinished.unlink(missing_ok=True)
    _print_table(result)
    print(f"{minutes:.1f} minutes. Saved with its card: {card}")


def evaluate(args: argparse.Namespace) -> None:
    learner = checkpoints.load(args.checkpoint, args.source)
    recipe = recipes.find(args.checkpoint)
    print(f"{args.checkpoint}: {recipe.data}. {JUDGING}")
    _print_table(recipe.judge(learner))


def challenge(args: argparse.Namespace) -> None:
    from metalearn_lite.challenge import NOTES, PUBLISHED_ERRORS, draw_misread, in_words, read_runs
    from metalearn_lite.evaluation import Evaluation
    from metalearn_lite.tasks import characters

    picture = args.picture
    if picture and (picture.suffix.lower() != ".png" or not picture.parent.is_dir()):
        raise ValueError(
            f"--picture {picture}: name a file that ends in .png, in a folder there is"
        )
    learners = {name: checkpoints.load(name, args.source) for name in args.checkpoint or ELASTIC}
    for name, learner in learners.items():
        if not isinstance(learner.network, ConvNet):
            raise ValueError(
                f"{name} does not compare images, and cannot tell 20 classes apart: choose a "
                "prototypical, matching, Siamese or relation network, such as omniglot-elastic"
            )
    runs = characters.challenge_runs(args.runs)
    # Its tensors are small: a second thread gains little, and on a busy machine each waits for the
    # other most of the time.
    torch.set_num_threads(1)
    named = {}
    for name, learner in learners.items():
        named[name] = read_runs(learner, runs)
        wrong = named[name] != runs.query.y
        over_runs = Evaluation(100 * wrong.float().mean(1))
        print(f"{name}: {in_words(wrong.sum().item(), wrong.numel())}")
        print(
            f"  mean over runs {over_runs.mean:.1f} ± {over_runs.interval:.1f} %; wrong in each ",
            end="",
        )
        print(*wrong.sum(1).tolist(), flush=True)
    print("\nPublished errors in %, by what was trained on:")
    _print_table({name: f"{error:4.1f}" for name, error in PUBLISHED_ERRORS.items()})
    print(NOTES)
    if picture:
        image = io.BytesIO()
        draw_misread(runs, named).savefig(image, format="png", dpi=120)
        write_whole(picture, image.getvalue())
        print(f"\nWhat was misread: {picture}")


def whole_number(text: str) -> int:
    """A seed, as PyTorch takes it."""
    if not text.isdecimal() or len(text) > 20 or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is no whole number from 0 to 2⁶³ - 1")
    return int(text)


def _print_table(rows: dict[str, str]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"  {name:<{width}}  {value}")


def command_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m metalearn_lite", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "train",
        help="make a checkpoint again; goes on if it was stopped",
        description="Trains a recipe, judges it, and saves its checkpoint and card. Stopped by "
        "Ctrl-C, the same command goes on.\n\nIn several processes, which share out the tasks of "
        "each batch:\n  torchrun --nproc-per-node 2 -m metalearn_lite train RECIPE",
        epilog="Recipes:\n  " + "\n  ".join(recipes.MODULES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("recipe", metavar="RECIPE", help="one of those listed below")
    command.add_argument("--seed", type=whole_number, default=0)
    command.add_argument("--out", help="folder for the checkpoint (default: data/checkpoints)")
    command.add_argument(
        "--device", help="where to compute, such as cuda (default: cpu; judging is on the CPU)"
    )
    command.add_argument(
        "--log-to", metavar="FOLDER", help="keep the training's curves for TensorBoard"
    )
    command.set_defaults(run=train)

    command = commands.add_parser("evaluate", help="judge a checkpoint by its recipe's own measure")
    command.add_argument("checkpoint", metavar="CHECKPOINT", help="the name of its recipe")
    command.add_argument("--from", dest="source", type=Path, help=FROM)
    command.set_defaults(run=evaluate)

    command = commands.add_parser("challenge", help="score the Omniglot one-shot challenge")
    command.add_argument("--runs", type=Path, help="all_runs.zip (default: found or downloaded)")
    command.add_argument(
        "--checkpoint",
        action="append",
        help=f"may be given several times (default: {', '.join(ELASTIC)})",
    )
    command.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw what each of them misreads"
    )
    command.add_argument("--from", dest="source", type=Path, help=FROM)
    command.set_defaults(run=challenge)

    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")  # of a file on Windows it is not, and has no π
    try:
        try:
            args = command_parser().parse_args(arguments)
            args.run(args)
        finally:
            _flush()
    except TrainingStopped as stopped:
        print(f"{stopped} The same command goes on with it.", flush=True)
        return 130
    except BrokenPipeError:  # whoever reads has seen enough, such as head
        _drop_output()
        return 128 + getattr(signal, "SIGPIPE", 13)
    except (KeyError, ValueError, OSError, TrainingDiverged) as error:
        _drop_output()
        print(f"metalearn_lite: {_told(error)}", file=sys.stderr)
        return 2
    return 0


def _told(error: Exception) -> str:
    if isinstance(error, KeyError):  # str() of it puts its message in quotes
        return str(error.args[0])
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the output cannot be written: {error.strerror}"
    return str(error)


def _flush() -> None:
    if sys.stdout is not None:  # as it is where it was closed
        sys.stdout.flush()


def _drop_output() -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
