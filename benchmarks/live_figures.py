"""Live figures as a reader feels them: the notebooks in JupyterLab and Chromium on this machine.

From a control's change to the frame in which the page has drawn the answer: where frames were sent
beforehand, and through the kernel; the largest message (all frames of a slider at once); a held
handle's moves and the kernel's answers in a second; the module's own work in a frame. The course
asks for two idle cores; its bars stand in the first row. A dash: the figure has no such control.
``python -m benchmarks.live_figures -k 04`` is one notebook.
"""

import os
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
FIGURES = {
    # by notebook: what stands in the figure's cell, and its slider whose frames are sent beforehand
    "00": ("EpisodeGame(", ""),
    "01": ("TrainingExplorer(", "step"),
    "02": ("EpisodeBuilder(", ""),
    "03": ("LandscapeExplorer(", "inner_steps"),
    "04": ("AdaptationExplorer(", "step"),
    "05": ("Race(", "stop"),
    "06": ("EpisodeViewer(", ""),
    "07": ("EmbeddingExplorer(", "snapshot"),
    "08": ("DrawYourOwn(", ""),
    "09": ("InContextExplorer(", "read"),
    "10": ("TrajectoryExplorer(", "update"),
    "11": ("BanditDuel(", ""),
    "12": ("Chooser(", ""),
    "13": ("StreamPlayer(", ""),
    "14": ("PoisonSlider(", "share"),
    "15": ("BugLab(", ""),
    "17": ("DiversityDial(", "count"),
}
ROW = "{:10}{:>9}{:>8}  {:18}{:>8}{:>8}{:>8}{:>9}{:>11}{:>8}"
HEAD = ("", "sent p50", "p95 ms", "through kernel", "p50", "p95 ms", "kB", "moves/s", "answers/s",
        "work ms")  # fmt: skip
BARS = ("bar", "", "≤ 40", "", "", "≤ 100", "", "≥ 40", "≥ 10", "≤ 5")
CHANGES, DRAG_SECONDS = 30, 4
WATCH = """() => {
    window.work = [];
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = act => ask(time => {
        const began = performance.now();
        act(time);
        window.work.push(performance.now() - began);
    });
}"""
OTHER = """by => {
    const figure = document.querySelector(".ml-live");
    const usable = one => one.offsetParent && !one.querySelector(":disabled");
    for (const kind of ["slider", "buttons", "menu", "switch", "button"])
        for (const one of figure.querySelectorAll(`.ml-control.ml-${kind}`))
            if (one.dataset.name !== by && usable(one)) return one.dataset.name;
    return null;
}"""
CHANGE = """async ({ name, times }) => {
    const figure = document.querySelector(".ml-live");
    const control = figure.querySelector(`.ml-control[data-name="${name}"]`);
    const said = () => [".ml-sentence", ".ml-code", ".ml-table"].map(
        one => figure.querySelector(one)?.textContent).join();
    const tell = (input, ...kinds) =>
        kinds.forEach(kind => input.dispatchEvent(new Event(kind, { bubbles: true })));
    const act = () => {
        const slider = control.querySelector("input[type=range]");
        const select = control.querySelector("select");
        const choices = [...control.querySelectorAll("input[type=radio]")];
        if (slider) {
            const next = Number(slider.value) + 1;
            slider.value = next > Number(slider.max) ? slider.min : next;
            tell(slider, "input", "change");
        } else if (select) {
            select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
            tell(select, "input", "change");
        } else if (choices.length) {
            choices[(choices.findIndex(one => one.checked) + 1) % choices.length].click();
        } else control.querySelector("input, button").click();
    };
    const found = [];
    for (let n = 0; n < times; n++) {
        const before = said(), began = performance.now();
        act();
        while (said() === before && performance.now() - began < 1500)
            await new Promise(requestAnimationFrame);
        const answered = said() !== before;
        await new Promise(requestAnimationFrame);
        if (answered) found.push(performance.now() - began);
        await new Promise(done => setTimeout(done, 300));
    }
    return found;
}"""
DRAG = """async seconds => {
    const figure = document.querySelector(".ml-live");
    const sentence = figure.querySelector(".ml-sentence");
    const handle = [...figure.querySelectorAll("[role=slider]")].find(
        one => getComputedStyle(one).cursor.startsWith("grab"));
    if (!handle) return null;
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


def both(times: list[float]) -> tuple[str, str]:
    """The median and the 95th percentile."""
    if len(times) < CHANGES / 2:
        return "–", "–"
    return f"{median(times):.0f}", f"{quantiles(times, n=20)[-1]:.0f}"


def say(capsys, *rows: tuple[str, ...]) -> None:
    with capsys.disabled():
        for row in rows:
            print(ROW.format(*row).rstrip())


def test_bars(capsys):
    say(capsys, ("",) * 10, HEAD, BARS)


@pytest.mark.parametrize("notebook", FIGURES)
def test_live_figure(lab, notebook, capsys):
    words, by = FIGURES[notebook]
    sizes = [0]
    lab.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda it: sizes.append(len(it)))
    )
    lab.open_notebook(next((ROOT / "notebooks").glob(f"{notebook}_*")).name)
    lab.run_to(words)
    lab.figure()
    lab.page.evaluate(WATCH)
    sizes[:] = [0]

    def change(name: str) -> list[float]:
        if not name:
            return []
        return lab.page.evaluate(CHANGE, {"name": name, "times": CHANGES})

    sent = both(change(by))
    other = lab.page.evaluate(OTHER, by)
    asked = both(change(other))
    moved = lab.page.evaluate(DRAG, DRAG_SECONDS)
    held = [f"{number:.0f}" for number in moved] if moved else ["–", "–"]
    work = both(lab.page.evaluate("work"))[1]
    say(capsys, (notebook, *sent, other or "–", *asked, f"{max(sizes) / 1000:.0f}", *held, work))


if __name__ == "__main__":
    # JupyterLab, and how a reader uses it, are those of the browser tests.
    tests = str(ROOT / "tests")
    sys.path.insert(0, tests)
    os.environ.setdefault("TQDM_DISABLE", "1")
    options = ["-q", "-p", "no:nbval", "-p", "browser.conftest", "-o", "python_files=*.py"]
    sys.exit(pytest.main([*options, __file__, *sys.argv[1:]]))
