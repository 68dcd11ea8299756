"""A real JupyterLab and a real headless Chromium, and the few gestures the widget tests need."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from cells import needed

REPOSITORY = Path(__file__).parents[2]
REQUIRED = os.environ.get("METALEARN_LITE_REQUIRE_BROWSER") == "1"
# A notebook's budget is 60 s on two idle cores.
RUN_SECONDS = 180
SETTINGS = {
    # No question about news and no look for updates: both would need the network.
    "@jupyterlab/apputils-extension/notification": {
        "checkForUpdates": False,
        "doNotDisturbMode": True,
        "fetchNews": "false",
    },
    # Every cell stays in the page, also while it is scrolled out of sight.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
CODE_CELLS = """window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .filter(cell => cell.cell_type === "code" && cell.source.length > 0)"""
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


NO_BROWSER = (
    "no Chromium, so no widget is tried in a browser: install one (apt-get install chromium, or "
    "python -m playwright install chromium) or name it in $CHROMIUM. It is driven by playwright, "
    "of requirements.txt."
)


@cache
def find_chromium() -> str | None:
    """An installed Chromium, or the one of playwright."""
    names = ("chromium", "chromium-browser", "google-chrome")
    for path in (os.environ.get("CHROMIUM"), *map(shutil.which, names)):
        if path and Path(path).exists():
            return path
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as api:
        own = api.chromium.executable_path
    return own if Path(own).exists() else None


@pytest.hookimpl(trylast=True)  # when -m has taken out what it does not want
def pytest_collection_modifyitems(config, items):
    """Without a Chromium one test is left, to say so; no JupyterLab is started for the others."""
    tests = [item for item in items if item.get_closest_marker("browser")]
    if tests and not find_chromium():
        config.hook.pytest_deselected(items=tests[1:])
        items[:] = [item for item in items if item not in tests[1:]]


@pytest.fixture(scope="session")
def playwright_api():
    if not find_chromium():
        # Where a browser is required it is a failure.
        (pytest.fail if REQUIRED else pytest.skip)(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as api:
        yield api


@pytest.fixture(scope="session")
def browser(playwright_api):
    options = {"executable_path": find_chromium(), "args": CHROMIUM_OPTIONS}
    browser = playwright_api.chromium.launch(**options)
    yield browser
    browser.close()


@pytest.fixture
def new_page(browser):
    """A page with options of its context. Whatever it asks of the network would fail."""
    contexts = []

    def opened(**options):
        options = {"viewport": {"width": 1000, "height": 700}, "reduced_motion": "reduce"} | options
        contexts.append(browser.new_context(**options))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory) -> Path:
    """The folder that JupyterLab shows: a copy, so that no test changes a notebook."""
    copy = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(REPOSITORY / "notebooks", copy)
    return copy


@pytest.fixture(scope="session")
def lab_url(notebooks, tmp_path_factory):
    """The address of a running JupyterLab, ``{}`` where the notebook's name goes."""
    home = tmp_path_factory.mktemp("jupyter")
    for name, settings in SETTINGS.items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    token = secrets.token_hex(16)
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={notebooks}",
        f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    environment = os.environ | {
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        # The browser needs a core of its own.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
    }
    log = home / "log.txt"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        info = wait_for(
            lambda: _server_info(home / "runtime"),
            60,
            lambda: f"JupyterLab did not start:\n{log.read_text()[-2000:]}",
        )
        yield f"{info['url']}lab/tree/{{}}?token={token}&reset"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture
def lab(browser, lab_url, notebooks):
    """A ``Lab`` with a page of its own. Its kernels end with it."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    lab = Lab(context.new_page(), lab_url, notebooks)
    yield lab
    lab.shut_down_kernels()
    context.close()


class Lab:
    """JupyterLab in a page, with the gestures of a reader."""

    def __init__(self, page, url: str, folder: Path):
        self.page = page
        self._url = url
        self._folder = folder

    def open_notebook(self, name: str) -> None:
        """Opens ``name`` and waits until its kernel is ready."""
        self.page.goto(self._url.format(name))
        dialog = self.page.locator(".jp-Dialog-content")
        wait_for(
            self._kernel_is_idle,
            60,
            lambda: f"{name} has no ready kernel. JupyterLab asks: {dialog.all_inner_texts()}",
        )

    def open_cells(self, *sources: str) -> None:
        """Opens a notebook with these cells only."""
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [cell | {"id": f"c{n}", "source": one.strip()} for n, one in enumerate(sources)]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
        (self._folder / "a_few_cells.ipynb").write_text(json.dumps(notebook))
        self.open_notebook("a_few_cells.ipynb")

    def run_all(self) -> None:
        """Run ▸ Run All Cells. Fails where a cell ends in an error."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        wait_for(self._have_run, RUN_SECONDS, self._what_runs)

    def run_to(self, words: str) -> None:
        """Runs the first cell with ``words``, and before it the earlier ones that it needs.

        That each cell runs, one after the other, is tested without a browser.
        """
        cells = self.page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.map(
                ({ model }) => [model.type === "code", model.sharedModel.source]
            )"""
        )
        sources = [source if is_code else "" for is_code, source in cells]
        places = [place for place, source in enumerate(sources) if words in source]
        assert places, f"no cell holds {words!r}"
        run = needed(sources, places[0])
        self.page.evaluate(
            """run => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.deselectAll();
                notebook.activeCellIndex = run.at(-1);
                run.forEach(place => notebook.select(notebook.widgets[place]));
                return window.jupyterapp.commands.execute("notebook:run-cell");
            }""",
            run,
        )
        wait_for(
            lambda: self._have_run({sources[place] for place in run}), RUN_SECONDS, self._what_runs
        )

    def code_cells(self) -> list[dict]:
        """The notebook's code cells as they are now: source, outputs, execution_count."""
        return self.page.evaluate(f"() => {CODE_CELLS}")

    def _have_run(self, sources: set[str] | None = None) -> bool:
        """Whether the cells with these ``sources``, or all, are done. Fails where one failed."""
        # Asked often, so it must not carry every picture of the notebook from there to here.
        cells = self.page.evaluate(
            f"""() => {CODE_CELLS}.map(({{ source, outputs, execution_count }}) => ({{
                source,
                error: outputs.find(output => output.output_type === "error"),
                done: execution_count !== null,
            }}))"""
        )
        for cell in cells:
            if cell.get("error"):
                trace = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(cell["error"]["traceback"]))
                pytest.fail(f"this cell failed:\n{cell['source']}\n{trace}")
        waited_for = [cell for cell in cells if sources is None or cell["source"] in sources]
        return all(cell["done"] for cell in waited_for) and self._kernel_is_idle()

    def _what_runs(self) -> str:
        running = [c["source"] for c in self.code_cells() if c["execution_count"] is None]
        return f"{len(running)} cells have not run, the first is\n{running[:1]}"

    def _kernel_is_idle(self) -> bool:
        return self.page.evaluate(
            """() => {
                const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
                return Boolean(context?.isReady) && context.session?.kernel?.status === "idle";
            }"""
        )

    def figure(self, number: int = 0) -> Figure:
        """The page's live figure of this number."""
        return Figure(self.page, number)

    def button(self, label: str):
        return self.page.locator(".widget-button", has_text=label).first

    def wait_for(self, condition, complaint=lambda: "", seconds: float = 10):
        """The first true value of ``condition()``; fails with ``complaint()`` when time is up."""
        return wait_for(condition, seconds, complaint)

    def shut_down_kernels(self) -> None:
        self.page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")


class Figure:
    """A live figure in the page, and what a reader does with it. Parts go by role and name."""

    def __init__(self, page, number: int = 0):
        self.page = page
        self.el = page.locator(".ml-live").nth(number)
        self.el.scroll_into_view_if_needed(timeout=20_000)

    def control(self, role: str, name: str):
        """A ``slider``, ``button``, ``radio``, ``checkbox`` or ``combobox`` with this name."""
        return self.el.get_by_role(role, name=name, exact=True)

    def panel(self, name: str):
        return self.el.get_by_role("group", name=name, exact=True)

    def point(self, name: str, number: int = 1):
        """A point that can be dragged or picked: what it is called, and which of them."""
        return self.el.get_by_role("slider", name=f"{name} {number}", exact=True)

    @property
    def sentence(self) -> str:
        return self.el.locator(".ml-sentence").inner_text()

    def says(self, words: str) -> None:
        """Waits until the sentence holds ``words``."""
        wait_for(
            lambda: words in self.sentence, 10, lambda: f"{words!r} is not in {self.sentence!r}"
        )

    def drawn(self, panel: str) -> str:
        """All that is drawn in a panel, once nothing glides any more."""
        self.page.wait_for_timeout(200)
        return self.panel(panel).locator(".ml-picture").inner_html()

    def changes(self, panels: Sequence[str], gesture, says: str) -> None:
        """``gesture()`` changes every one of ``panels``, and the sentence then holds ``says``."""
        before = [self.drawn(panel) for panel in panels]
        gesture()
        self.says(says)
        for panel, old in zip(panels, before, strict=True):
            wait_for(
                lambda panel=panel, old=old: self.drawn(panel) != old,
                10,
                lambda panel=panel: f"nothing changed in {panel!r}",
            )

    def press(self, *keys: str) -> None:
        """Keys, to whatever has the focus."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, panel: str, across: float, up: float) -> None:
        """A click on empty ground: how far across and up, from 0 to 1."""
        box = self._box(self.panel(panel).locator(".ml-ground"))
        place = box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]
        self.page.mouse.click(*place)

    def drag(self, point, right: float, down: float) -> None:
        """By mouse, so many pixels."""
        box = self._box(point)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for part in (0.3, 0.6, 1):
            self.page.mouse.move(x + part * right, y + part * down)
        self.page.mouse.up()

    def _box(self, part) -> dict[str, float]:
        part.scroll_into_view_if_needed()
        return part.bounding_box()


def play_the_game(figure: Figure) -> None:
    """A reader's first minutes with the game of 00, in a notebook or in a page of the site."""
    figure.says("Round 1 of 10: which of A to E")

    def card(letter: str):
        return figure.control("button", f"answer with this card: card {letter}")

    # By keyboard: the first card, and on to the next round.
    go_on = figure.control("button", "Next round")
    assert go_on.get_attribute("aria-disabled") == "true"
    card("A").focus()
    figure.press("ArrowRight", "Enter")
    figure.says("Round 1 of 10: ")
    figure.says("prototypical says")
    go_on.press("Enter")
    figure.says("Round 2 of 10: which of A to E")
    # Too early is a sentence, and the button keeps the focus.
    figure.press("Enter")
    assert go_on.evaluate("button => button === document.activeElement")

    # By mouse, and by chance.
    card("C").click()
    figure.says("Round 2 of 10: ")
    figure.says("pixels says")
    figure.control("button", "Let chance play").press("Enter")
    figure.says("You + chance: ")
    assert "You + chance" in figure.panel("the scores, round by round").text_content()
    figure.control("button", "Play again").press("Enter")
    figure.says("Round 1 of 10: which of A to E")
    figure.control("button", "A question that divides").click()
    figure.says("which of A to E")


def wait_for(condition, seconds: float, complaint=lambda: ""):
    """The first true value of ``condition()``; fails with ``complaint()`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:g} s. {complaint()}")
        time.sleep(0.2)
    return value


def _server_info(runtime: Path) -> dict | None:
    for path in runtime.glob("jpserver-*.json"):
        try:
            info = json.loads(path.read_text())
            with urllib.request.urlopen(f"{info['url']}api", timeout=5):
                return info
        except (OSError, ValueError):
            return None
    return None
