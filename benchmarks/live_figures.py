"""Live figures as a reader feels them: JupyterLab, its kernel and Chromium on this machine.

From a slider's change to the frame in which the page has drawn it: through the kernel, and where
frames were sent beforehand; the module's own work in a frame; a held handle's moves and the
kernel's answers in a second; and how much one answer weighs. On two idle cores the course asks for
what stands in the last column.
"""

import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

SETUP = """
import torch
from metalearn_lite import checkpoints
from metalearn_lite.learners import MAML
from metalearn_lite.networks import MLP
"""
FIGURES = {
    # by name: the cell, a slider whose frames were sent beforehand, another slider, a handle
    "adaptation": (
        """
from metalearn_lite.widgets.adaptation import AdaptationExplorer, AdaptationModel
names = {"MAML": "sinusoid-maml", "joint training": "sinusoid-joint"}
learners = {name: checkpoints.load(file) for name, file in names.items()}
AdaptationExplorer(AdaptationModel(learners, torch.Generator().manual_seed(0), step=5))""",
        "step", "amplitude", "a point 2",
    ),
    "landscape": (
        """
from metalearn_lite.widgets.landscape import LandscapeExplorer, LandscapeModel
LandscapeExplorer(LandscapeModel())""",
        "inner steps", "inner rate", "θ",
    ),
    "training": (
        """
from metalearn_lite.widgets.training_explorer import TrainingExplorer, TrainingModel
model = TrainingModel(MLP(1, 40, 40, 1), torch.Generator().manual_seed(23), step=30)
TrainingExplorer(model)""",
        "step", "noise", "a training point 3",
    ),
}  # fmt: skip
WATCH = """() => {
    window.work = [];
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = act => ask(time => {
        const began = performance.now();
        act(time);
        window.work.push(performance.now() - began);
    });
}"""
SLIDE = """async ({ label, times }) => {
    const figure = document.querySelector(".ml-live");
    const box = [...figure.querySelectorAll(".ml-slider")].find(
        one => one.querySelector("label").textContent === label);
    const input = box.querySelector("input"), sentence = figure.querySelector(".ml-sentence");
    const found = [];
    for (let n = 0; n < times; n++) {
        const before = sentence.textContent, low = Number(input.min), high = Number(input.max);
        const next = Number(input.value) >= high ? low : Number(input.value) + 1;
        input.value = next;
        const began = performance.now();
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new Event("change", { bubbles: true }));
        while (sentence.textContent === before && performance.now() - began < 3000)
            await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        found.push(performance.now() - began);
        await new Promise(done => setTimeout(done, 250));
    }
    return found;
}"""
DRAG = """async ({ name, seconds }) => {
    const figure = document.querySelector(".ml-live");
    const sentence = figure.querySelector(".ml-sentence");
    const handle = [...figure.querySelectorAll("[role=slider]")].find(
        one => one.getAttribute("aria-label") === name);
    const box = handle.getBoundingClientRect();
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const tell = (kind, x, y, to = handle) => to.dispatchEvent(new PointerEvent(kind, {
        bubbles: true, cancelable: true, pointerId: 1, button: 0, buttons: 1, isPrimary: true,
        clientX: x, clientY: y }));
    let moves = 0, answers = 0, place = "", said = sentence.textContent;
    tell("pointerdown", at.x, at.y);
    const began = performance.now();
    for (let n = 0; performance.now() - began < 1000 * seconds; n++) {
        tell("pointermove", at.x + 40 * Math.sin(n / 12), at.y + 10 * Math.cos(n / 12));
        await new Promise(requestAnimationFrame);
        const now = handle.getBoundingClientRect(), here = `${now.x} ${now.y}`;
        moves += here !== place;
        answers += sentence.textContent !== said;
        [place, said] = [here, sentence.textContent];
    }
    tell("pointerup", at.x, at.y);
    return [moves / seconds, answers / seconds];
}"""


def both(times: list[float]) -> str:
    return f"{median(times):5.0f} /{quantiles(times, n=20)[-1]:5.0f}"


@pytest.mark.parametrize("name", FIGURES)
def test_live_figure(lab, name, capsys):
    cell, sent, other, handle = FIGURES[name]
    sizes = []
    lab.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda it: sizes.append(len(it)))
    )
    lab.open_cell(SETUP + cell)
    lab.run_all()
    figure = lab.figure()
    lab.page.evaluate(WATCH)
    rows = []
    for slider, what, bar in ((sent, "frames sent before", 40), (other, "through the kernel", 100)):
        if slider:
            figure.control("slider", slider).focus()
            sizes.clear()
            times = lab.page.evaluate(SLIDE, {"label": slider, "times": 40})
            rows.append((f"{what}: {slider}, p50 / p95 ms", both(times), f"p95 ≤ {bar}"))
            rows.append(
                (
                    "  largest message (all stops), kB",
                    f"{max(sizes, default=0) / 1000:.0f}",
                    "a frame: ≤ 40",
                )
            )
    if handle:
        moves, answers = lab.page.evaluate(DRAG, {"name": handle, "seconds": 4})
        rows.append((f"held: {handle}, moves a second", f"{moves:.0f}", "≥ 40"))
        rows.append(("  the kernel's answers a second", f"{answers:.0f}", "≥ 10"))
    work = lab.page.evaluate("work")
    if len(work) > 20:
        rows.append(("own work in a frame, p50 / p95 ms", both(work), "≤ 5"))
    with capsys.disabled():
        print(f"\n{name}")
        for row in rows:
            print("  {:52}{:>14}    {}".format(*row))


if __name__ == "__main__":
    # JupyterLab and the reader's gestures are those of the browser tests.
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    options = ["-q", "-p", "no:nbval", "-p", "browser.conftest", "-o", "python_files=*.py"]
    sys.exit(pytest.main([*options, __file__]))
