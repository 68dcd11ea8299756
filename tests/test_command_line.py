"""The command line, on a recipe that takes a second."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from functools import wraps

import pytest
import torch
from PIL import Image

from metalearn_lite import __main__ as command_line
from metalearn_lite import checkpoints, recipes
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import ConvNet
from metalearn_lite.tasks.characters import Glyphs
from metalearn_lite.tasks.sinusoids import Sinusoids
from metalearn_lite.training import constant


@pytest.fixture
def tiny(monkeypatch):
    """A recipe "tiny": joint training for ten iterations."""
    from metalearn_lite.learners.joint import JointTraining
    from metalearn_lite.recipes import sinusoids

    def train(generator, save_to):
        return sinusoids.train(JointTraining, 5, 10, constant, generator, save_to)

    monkeypatch.setitem(recipes.MODULES, "tiny", "sinusoids")
    monkeypatch.setattr(
        "metalearn_lite.training.compiled_meta_gradient", lambda learner: learner.meta_gradient
    )
    monkeypatch.setitem(
        sinusoids.RECIPES, "tiny", recipes.Recipe("a few waves", train, lambda _: {"error": "2.0"})
    )


def test_train_writes_a_checkpoint_and_its_card(tiny, tmp_path, capsys):
    assert command_line.main(["train", "tiny", "--out", str(tmp_path), "--seed", "3"]) == 0
    card = checkpoints.read_card("tiny", tmp_path)
    assert card["seed"] == 3
    assert card["command"] == "python -m metalearn_lite train tiny --seed 3"
    assert card["result"] == {"error": "2.0"}
    assert checkpoints.load("tiny", tmp_path).params
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]
    assert "2.0" in capsys.readouterr().out


def test_a_stopped_training_is_kept_and_goes_on(tiny, tmp_path, capsys, monkeypatch):
    """Ctrl-C must not ship what is half trained. Another seed is another run."""
    sample = Sinusoids.sample

    @wraps(sample)
    def stop(self, *args, **options):
        signal.raise_signal(signal.SIGINT)
        return sample(self, *args, **options)

    command = ["train", "tiny", "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr(Sinusoids, "sample", stop)
        assert command_line.main(command) == 130
    assert "Stopped after iteration 1 of 10." in capsys.readouterr().out
    (unfinished,) = tmp_path.iterdir()
    assert unfinished.name == "tiny.seed0.unfinished.safetensors"

    assert command_line.main([*command, "--seed", "1"]) == 0
    assert unfinished.exists()
    other = checkpoints.load("tiny", tmp_path).params
    assert command_line.main(command) == 0
    assert "Going on" in capsys.readouterr().out
    assert not unfinished.exists()
    in_parts = checkpoints.load("tiny", tmp_path).params
    assert checkpoints.read_card("tiny", tmp_path)["minutes"] == "trained in several parts"
    command_line.main(command)
    at_once = checkpoints.load("tiny", tmp_path).params
    assert all(torch.equal(in_parts[name], at_once[name]) for name in at_once)
    assert not torch.equal(other["weight1"], at_once["weight1"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_train_takes_a_device_and_a_folder_for_curves(tiny, tmp_path, capsys):
    command = ["train", "tiny", "--out", str(tmp_path), "--log-to", str(tmp_path / "curves")]
    assert command_line.main([*command, "--device", "cuda"]) == 2
    told = "metalearn_lite: device='cuda': this PyTorch finds no GPU that it can use; "
    assert capsys.readouterr().err.startswith(told)
    assert command_line.main([*command, "--device", "cpu"]) == 0
    assert len(list((tmp_path / "curves").iterdir())) == 1


def test_help_tells_how_to_train_in_several_processes(capsys):
    with pytest.raises(SystemExit, match="0"):
        command_line.main(["train", "--help"])
    assert "torchrun --nproc-per-node 2 -m metalearn_lite train RECIPE" in capsys.readouterr().out


def test_evaluate_prints_the_recipe_s_measure(tiny, tmp_path, capsys, monkeypatch):
    command_line.main(["train", "tiny", "--out", str(tmp_path)])
    capsys.readouterr()
    assert command_line.main(["evaluate", "tiny", "--from", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "a few waves" in out
    assert "error  2.0" in out


def test_what_does_not_exist_is_named(capsys):
    assert command_line.main(["train", "nonesuch"]) == 2
    assert "sinusoid-maml" in capsys.readouterr().err
    assert command_line.main(["evaluate", "nonesuch"]) == 2
    assert command_line.main(["challenge", "--runs", "nonesuch.zip"]) == 2
    assert "nonesuch.zip" in capsys.readouterr().err


def test_the_challenge_is_not_for_every_learner(capsys):
    for name in ("sinusoid-maml", "omniglot-maml", "bandits-rl2-10"):
        assert command_line.main(["challenge", "--checkpoint", name]) == 2
        assert f"{name} does not compare images" in capsys.readouterr().err


def write_challenge(path, num_wrong: int) -> None:
    """20 runs in the official layout. Query and support show the same image, but the first
    ``num_wrong`` labels of each run are swapped around, so a perfect matcher gets them wrong."""
    images = 255 - Glyphs(1, 20, 2, seed=5).images[:, 0]
    with zipfile.ZipFile(path, "w") as archive:
        for run in range(1, 21):
            lines = []
            for item in range(1, 21):
                png = io.BytesIO()
                picture = Image.fromarray(images[item - 1].numpy()).resize((105, 105))
                picture.point(lambda value: 255 * (value > 128)).convert("1").save(png, "PNG")
                archive.writestr(f"run{run:02}/training/class{item:02}.png", png.getvalue())
                archive.writestr(f"run{run:02}/test/item{item:02}.png", png.getvalue())
                named = item % num_wrong + 1 if item <= num_wrong else item
                lines.append(
                    f"run{run:02}/test/item{item:02}.png run{run:02}/training/class{named:02}.png"
                )
            archive.writestr(f"run{run:02}/class_labels.txt", "\n".join(lines))


@pytest.fixture
def two_learners(tmp_path, monkeypatch):
    """Checkpoints "one" and "two", of equal parameters, and what the command finds them in."""
    network = ConvNet((8, 8, 8))
    learner = PrototypicalNetwork(network, network.init(torch.Generator().manual_seed(0)))
    for name in ("one", "two"):
        checkpoints.save(learner, name, {}, tmp_path)
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("num_wrong", "said"),
    [(0, "0 of 400 wrong, 0.0 % (95 % interval 0.0–0.9)"),
     (5, "100 of 400 wrong, 25.0 % (95 % interval 20.8–29.5)")],
)  # fmt: skip
def test_challenge_prints_what_is_wrong_of_400(two_learners, capsys, num_wrong, said):
    runs = str(two_learners / "all_runs.zip")
    write_challenge(two_learners / "all_runs.zip", num_wrong)
    assert command_line.main(["challenge", "--runs", runs, "--checkpoint", "one"]) == 0
    out = capsys.readouterr().out
    assert f"one: {said}\n" in out
    assert f"mean over runs {5 * num_wrong:.1f} ± 0.0 %; wrong in each" in out
    assert "wrong in each" + f" {num_wrong}" * 20 + "\n" in out
    assert "two" not in out.split("Published")[0]
    for line in ("people                                 4.5", "BPL, minimal set 2", "30.1", "†"):
        assert line in out


@pytest.mark.slow
def test_challenge_takes_several_checkpoints_and_draws_what_they_misread(two_learners, capsys):
    write_challenge(two_learners / "all_runs.zip", 1)
    write_challenge(two_learners / "hard.zip", 2)
    sizes = []
    for runs in ("all_runs.zip", "hard.zip"):
        picture = two_learners / f"{runs}.png"
        command = ["challenge", "--runs", str(two_learners / runs), "--picture", str(picture)]
        assert command_line.main([*command, "--checkpoint", "one", "--checkpoint", "two"]) == 0
        out = capsys.readouterr().out
        assert out.count(" of 400 wrong") == 2
        assert str(picture) in out
        with Image.open(picture) as drawn:
            assert drawn.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
            sizes.append(drawn.size)
    assert sizes[0][1] < sizes[1][1]  # 2 times 40 items take more rows than none


def test_a_picture_that_cannot_be_is_refused_before_the_work(two_learners, capsys):
    for picture in ("misread.jpg", "nonesuch/misread.png"):
        assert command_line.main(["challenge", "--picture", picture]) == 2
        assert f"--picture {picture}: name a file that ends in .png" in capsys.readouterr().err


@pytest.mark.slow
def test_without_the_file_and_a_network_the_challenge_ends_in_one_sentence(
    two_learners, monkeypatch, capsys
):
    from metalearn_lite import paths
    from metalearn_lite.tasks.characters import runs

    monkeypatch.setattr(paths, "data_folders", lambda: [two_learners / "data"])
    fetch = runs.fetch_archive
    monkeypatch.setattr(
        runs, "fetch_archive", lambda source, *_: fetch(source, True, None, "http://127.0.0.1:1/")
    )
    assert command_line.main(["challenge", "--checkpoint", "one"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "all_runs.zip" in said.err


def command(*arguments, **options) -> subprocess.Popen:
    """The command line in a process of its own, whose output comes at once."""
    return subprocess.Popen(
        [sys.executable, *options.pop("python", ()), "-m", "metalearn_lite", *arguments],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_ctrl_c_while_it_is_imported_is_one_line():
    process = command("evaluate", "sinusoid-maml", python=("-X", "importtime"))
    for line in process.stderr:
        if line.split("|")[-1].strip() == "torch._utils":
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    told = [line for line in rest.splitlines() if not line.startswith("import time:")]
    assert told == ["metalearn_lite: interrupted"]
    assert process.returncode == 130


@pytest.mark.slow
def test_ctrl_c_while_it_judges_is_one_line():
    process = command("evaluate", "sinusoid-maml")
    assert "Judging" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "metalearn_lite: interrupted\n")
    assert process.returncode == 130


@pytest.mark.slow
def test_ctrl_c_while_it_trains_keeps_the_run_and_says_so(tmp_path):
    """The bar on stderr tells that training has begun."""
    environment = {**os.environ, "TQDM_DISABLE": "", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "metalearn_lite", "train", "bandits-rl2-10", "--out", tmp_path],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while "/1000" not in process.stderr.read(1) + process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert out.startswith("Stopped after iteration ")
    assert out.count("\n") == 1
    assert process.returncode == 130


@pytest.mark.slow
def test_a_reader_who_has_seen_enough_ends_it_quietly():
    process = command("evaluate", "sinusoid-learned-optimiser")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 128 + signal.SIGPIPE


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_cannot_be_written_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "metalearn_lite", "evaluate", "sinusoid-learned-optimiser"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr == (
        "metalearn_lite: the output cannot be written: No space left on device\n"
    )
    assert done.returncode == 2


@pytest.mark.parametrize("seed", ["99999999999999999999999999", "-1", "x", "1.5"])
def test_a_seed_that_is_none_is_named(capsys, seed):
    with pytest.raises(SystemExit, match="2"):
        command_line.main(["train", "sinusoid-maml", "--seed", seed])
    assert f"{seed!r} is no whole number from 0 to" in capsys.readouterr().err


def test_a_full_disk_in_training_names_the_file(tiny, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert command_line.main(["train", "tiny", "--out", str(tmp_path)]) == 2
    unfinished = tmp_path / "tiny.seed0.unfinished.safetensors"
    assert capsys.readouterr().err == f"metalearn_lite: {unfinished}: No space left on device\n"
