"""Several processes train as one does: equal gradients, one writer, and an end that is told.

``workers.py`` is what they do. It takes seconds to start them, so each launch has many parts.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from truths import curves
from workers import HAPPENINGS, ITERATIONS, new, tiny, train, waves

from metalearn_lite import __main__ as command_line
from metalearn_lite import checkpoints, distributed, recipes
from metalearn_lite.recipes import sinusoids

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]
WORKERS = Path(__file__).with_name("workers.py")


def torchrun(size: int, *arguments: Path | str, **options) -> subprocess.Popen:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, f"--nproc-per-node={size}", WORKERS, *arguments]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, **piped | options)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The folder of all parts, done once by three workers."""
    folder = tmp_path_factory.mktemp("parts")
    process = torchrun(3, "parts", folder)
    _, told = process.communicate()
    assert process.returncode == 0, told
    return folder


@pytest.fixture(scope="module")
def unbroken():
    return train()


def said(folder: Path) -> list[str]:
    """The lines that all processes of a part wrote, one process after the other."""
    return [line for path in sorted(folder.glob("said*")) for line in path.read_text().splitlines()]


def close(a: dict, b: dict, atol: float) -> bool:
    pairs = [
        (torch.tensor(a["params"][name]), torch.tensor(b["params"][name])) for name in a["params"]
    ]
    pairs.append((torch.tensor(a["losses"]), torch.tensor(b["losses"])))
    return all(torch.allclose(*pair, rtol=0, atol=atol) for pair in pairs)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_gradient_is_that_of_one_process(parts, unbroken, size):
    """Also where the tasks do not divide, and where there are fewer than workers."""
    folder = parts / f"gradients{size}"
    found = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(size)]
    for several, differences, whole, told, once, again in found:
        assert several == (size > 1)
        assert len(differences) == 25
        assert max(differences.values()) < 1e-12
        assert whole
        assert told == "by 0"
        assert once == again == found[0][4]  # bit for bit, in every process
        assert close(once, unbroken, 1e-6)
    assert said(folder) == []


LOST = "Stopped after iteration 3 of 12: another process ended or does not answer. "
STOPPED = "Stopped after iteration 4 of 12. "


@pytest.mark.parametrize("name", [*HAPPENINGS, "hangs"])
def test_whatever_happens_is_told_in_one_sentence_and_the_file_goes_on(parts, unbroken, name):
    folder = parts / name
    message = STOPPED if name.endswith(("interrupted", "terminated")) else LOST
    kept = f"{folder / 'run.safetensors'} keeps the run, to go on from."
    lines = [line for line in said(folder) if line.startswith(("Stopped", "metalearn_lite"))]
    sentence = f"{message}{kept} The same command goes on with it."
    if name == "error":  # whoever made the mistake says it, and it is no reason to lose the run
        assert lines == [sentence, "metalearn_lite: no more waves"]
    else:
        assert [line for line in lines if "another run" not in line] == [sentence]
    for path in sorted(folder.glob("*.json")):
        assert close(json.loads(path.read_text()), unbroken, 1e-9)


def test_it_goes_on_with_any_number_of_workers(parts):
    sizes = {len(list((parts / name).glob("*.json"))) for name in HAPPENINGS}
    assert sizes == {1, 2, 3}


def test_another_run_is_refused_once(parts):
    (line,) = [line for line in said(parts / "killed") if "another run" in line]
    assert "iterations was 12 and is now 13" in line


def test_only_one_writes_the_curves_and_they_go_on(parts):
    for name in HAPPENINGS:
        folder = parts / name / "curves"
        assert len(list(folder.iterdir())) == 2  # one file of each launch
        steps = [step for step, _ in curves(folder)["loss"]]
        if name == "first-killed":  # what it had not yet written is lost with it
            steps = [1, 2, 3, *steps[-9:]]
        assert steps == list(range(1, ITERATIONS + 1))


def test_ctrl_c_to_torchrun_ends_the_command_and_one_process_goes_on(tmp_path, capsys, monkeypatch):
    """The real command line, stopped as in a terminal, and gone on with alone, in this process."""
    command = ["train", "tiny", "--out", str(tmp_path)]
    process = torchrun(2, *command)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    (kept,) = tmp_path.glob("*.safetensors")
    (done,) = re.findall(r"^Stopped after iteration ([\d,]+) of 1,000,000,000\. ", out)
    assert out.endswith(f"{kept} keeps the run, to go on from. The same command goes on with it.\n")
    assert out.count("\n") == 1
    assert process.returncode

    monkeypatch.setitem(recipes.MODULES, "tiny", "sinusoids")
    monkeypatch.setitem(sinusoids.RECIPES, "tiny", tiny(int(done.replace(",", "")) + 2))
    assert command_line.main(command) == 0
    assert capsys.readouterr().out.startswith(f"Going on from {kept}\n")
    assert checkpoints.read_card("tiny", tmp_path)["minutes"] == "trained in several parts"


@pytest.mark.parametrize("num_tasks", [0, 1, 2, 3, 5, 7, 64])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_the_shares_are_a_partition(num_tasks, size):
    shares = [distributed.share_of(num_tasks, place, size) for place in range(size)]
    assert [task for own in shares for task in range(own.start, own.stop)] == list(range(num_tasks))
    sizes = [own.stop - own.start for own in shares]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) - min(sizes) <= 1


def test_alone_nothing_is_needed():
    learner, generator = new()
    batch = waves(3, generator)
    with distributed.joined():
        assert not distributed.several()
        assert distributed.is_first()
        assert distributed.first_to("save")
        assert distributed.share_of(5) == slice(0, 5)
        assert distributed.anyone(True)
        assert not distributed.anyone(False)
        assert distributed.from_first(lambda: 3) == 3
        assert distributed.meta_gradient(lambda given: given, batch, learner) is batch
    with pytest.raises(ValueError, match="size=2: choose 3 or more"):
        distributed.share_of(5, 2, 2)
