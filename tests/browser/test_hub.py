"""A week of a class in a real JupyterHub: released, fetched, handed in, graded, read.

Servers run under accounts of this machine, which the test makes and removes.
"""

import json
import os
import pwd
import re
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import pytest
from a_class import a_class

from instructor.answers import all_answers
from instructor.assignments import card
from instructor.sources import answered, body_of

pytestmark = pytest.mark.browser
ANSWERS = all_answers()["01.gradient_step"]
PATIENCE = 240  # seconds: several servers start on a machine that may be busy
WITH_TOKEN = """async ([method, path, content]) => {
    const base = JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl;
    const token = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
    const options = { method, headers: { "X-XSRFToken": token } };
    if (content) {
        options.body = JSON.stringify(content);
    }
    const answer = await fetch(base + path, options);
    return [answer.status, await answer.text()];
}"""


@pytest.fixture(scope="module")
def room(playwright_api):
    with a_class() as made, a_running_hub(made) as address:
        made.address = address
        yield made


@contextmanager
def a_running_hub(room):
    room.ports = three_free_ports()
    room.log = []
    hub = subprocess.Popen(
        room.command("--port", str(room.ports[0])), cwd=room.checkout, env=room.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        for line in hub.stdout:
            room.log.append(line)
            if "JupyterHub is now running" in line:
                break
        else:
            pytest.fail(f"the hub did not start:\n{''.join(room.log)}")
        threading.Thread(target=room.log.extend, args=[hub.stdout], daemon=True).start()
        yield f"http://127.0.0.1:{room.ports[0]}"
    finally:
        hub.terminate()
        try:
            hub.wait(60)
        except subprocess.TimeoutExpired:
            hub.kill()
            with suppress(OSError, ValueError):  # it takes its proxy along, unless it is killed
                proxy = int((room.hub / "state" / "proxy.pid").read_text().split()[0])
                os.kill(proxy, signal.SIGKILL)


def three_free_ports():
    for port in range(18000, 28000, 3):
        with suppress(OSError):
            ports = (port, port + 1, port + 2)
            for each in ports:
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", each))
            return ports
    pytest.fail("no three free ports in a row")


class Person:
    """Somebody of the class in a browser of their own."""

    def __init__(self, room, browser, name):
        self.room, self.name = room, name
        self.page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        self.page.set_default_timeout(1000 * PATIENCE)

    def sign_in(self):
        who = "instructor" if self.name == self.room.prof else "learners"
        self.page.goto(f"{self.room.address}/hub/login")
        self.page.locator("input[name=username]").fill(self.name)
        self.page.locator("input[name=password]").fill(self.room.settings["passwords"][who])
        self.page.locator("#login_submit").click()
        self.page.wait_for_url(f"**/user/{self.name}/lab**")
        self.page.locator("#jp-MainMenu").wait_for()

    def menu(self):
        """The items of nbgrader's menu, which is left open."""
        self.page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
        items = self.page.locator(".lm-Menu .lm-Menu-itemLabel:visible")
        items.first.wait_for()
        return [text for text in items.all_inner_texts() if text]

    def open(self, item):
        self.page.locator(".lm-Menu .lm-Menu-itemLabel", has_text=item).first.click()

    def ask(self, method, path, content=None):
        """The status and text with which this person's server answers."""
        return self.page.evaluate(WITH_TOKEN, [method, path, content])

    def read(self, path):
        status, text = self.ask("GET", f"api/contents/{path}")
        assert status == 200, text
        return json.loads(text)["content"]


class Learner(Person):
    def sign_in(self):
        super().sign_in()
        self.tab("00_start_here").wait_for()  # it opens by itself

    def assignments(self):
        return self.page.locator("#nbgrader-assignment-list")

    def tab(self, name):
        return self.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=name)

    def press(self, words, then):
        self.tab("Assignments").click()
        self.assignments().get_by_role("button", name=words, exact=True).click()
        self.assignments().get_by_role("button", name=then, exact=True).first.wait_for()

    def write(self, answer):
        """``answer`` in its cell of the assignment, saved as JupyterLab does."""
        path = "week1/week1.ipynb"
        notebook = nbformat.from_dict(self.read(path))
        shown = card("01.gradient_step")
        (cell,) = [each for each in notebook.cells if each.source == shown.starter]
        cell.source = answered(shown.starter, body_of(answer, shown.starter))
        model = {"type": "notebook", "format": "json", "content": notebook}
        status, text = self.ask("PUT", f"api/contents/{path}", model)
        assert status == 200, text

    def feedback(self):
        """What the page of feedback says."""
        (when,) = [each["path"] for each in self.read("week1/feedback")]
        (page,) = [each["path"] for each in self.read(when)]
        tab = self.page.context.new_page()
        tab.goto(f"{self.room.address}/user/{self.name}/files/{page}")
        said = tab.locator("body").inner_text(timeout=1000 * PATIENCE)
        tab.close()
        return said


class Instructor(Person):
    def formgrader(self):
        return self.page.frame_locator("#formgrader-iframe iframe")

    def press(self, row, column, says):
        """A click into the table; formgrader then ``says`` how it went."""
        there = self.formgrader().locator("tr", has_text=row)
        there.locator(f".{column} a").click()
        told = self.formgrader().locator(".modal-body", has_text=re.compile("Success|error"))
        told.wait_for()
        assert says in told.inner_text()
        self.formgrader().locator(".modal-footer button").click()
        told.wait_for(state="detached")

    def points(self, learner):
        return self.formgrader().locator("tr", has_text=learner).locator(".score").inner_text()


@pytest.fixture(scope="module")
def week(room, browser):
    """The whole of it, up to the feedback."""
    prof = Instructor(room, browser, room.prof)
    ada, ben = (Learner(room, browser, name) for name in (room.ada, room.ben))
    everyone = room.everyone = (prof, ada, ben)
    try:
        prof.sign_in()
        prof.items = prof.menu()
        prof.open("Formgrader")
        prof.press("week1", "assign", "Successfully created the student version")
        prof.press("week1", "release", "Successfully released")

        for learner, answer in ((ada, ANSWERS.right[0]), (ben, next(iter(ANSWERS.wrong)))):
            learner.sign_in()
            learner.items = learner.menu()
            learner.open("Assignment List")
            learner.press("Fetch", then="Submit")
            learner.write(answer)
            learner.press("Submit", then="Fetch Feedback")

        prof.press("week1", "collect", "Successfully collected")
        prof.formgrader().locator(".num-submissions a").click()
        prof.points_seen = []
        for learner in (ada, ben):
            prof.press(learner.name, "autograde", "Successfully autograded")
            prof.points_seen.append(prof.points(learner.name))
            prof.press(learner.name, "generate-feedback", "Successfully generated")
            prof.press(learner.name, "release-feedback", "Successfully released")

        for learner in (ada, ben):
            learner.press("Fetch Feedback", then="Fetch Feedback")
        yield everyone
    except Exception:
        print("".join(room.log)[-5000:])
        raise
    finally:
        for person in everyone:
            person.page.context.close()


def test_points_are_seen_and_feedback_is_read(week):
    prof, ada, ben = week
    assert prof.points_seen == ["2 / 2", "0 / 2"]
    assert "Score: 2.0 / 2.0" in ada.feedback()
    told = ben.feedback()
    assert "Score: 0.0 / 2.0" in told
    assert next(iter(ANSWERS.wrong.values())) in told
    assert "held_back" not in told


def test_each_role_has_its_own_parts(week):
    prof, ada, ben = week
    assert {"Formgrader", "Course List"} <= set(prof.items)
    assert "Assignment List" not in prof.items
    assert ada.items == ["Assignment List"]
    assert prof.ask("GET", "formgrader")[0] == 200
    for learner in (ada, ben):
        assert learner.ask("GET", "formgrader")[0] == 404
        assert learner.ask("GET", "formgrader/api/assignments")[0] == 404


def test_each_learner_has_their_own_copy_of_the_course(week):
    _, ada, ben = week
    for learner in (ada, ben):
        assert "00_start_here.ipynb" in learner.page.url or learner.read("workbook")
        names = [each["name"] for each in learner.read("workbook")]
        assert {"00_start_here.ipynb", "04_maml_on_sinusoids.ipynb"} <= set(names)
        made = learner.room.home(learner.name) / "workbook" / "00_start_here.ipynb"
        assert made.stat().st_uid == pwd.getpwnam(learner.name).pw_uid


def test_nobody_reads_what_another_handed_in_or_was_told(room, week):
    exchange = room.hub / "exchange" / "ours"
    handed_in = list((exchange / "inbound").iterdir())
    told = list((exchange / "feedback").iterdir())
    assert len(handed_in) == len(told) == 2
    for learner in (room.ada, room.ben):
        for folder in ("inbound", "feedback"):
            assert room.as_account(learner, "ls", exchange / folder).returncode
        for private in (room.home(room.prof) / "ours", room.hub / "state"):
            assert room.as_account(learner, "ls", private).returncode
    assert room.as_account(room.ada, "ls", room.home(room.ben) / "week1").returncode
    _, ada, _ = week
    page = ada.page.context.new_page()
    other = page.goto(f"{room.address}/user/{room.ben}/api/contents/week1")
    assert other.status in (403, 404)
    page.close()


def test_nothing_listens_but_on_this_machine(room, week):
    uids = {pwd.getpwnam(name).pw_uid for name in room.accounts.values()}
    ours = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, _, _, _, uid, *_ = line.split()
            address, port = local.split(":")
            if state == "0A" and (int(uid) in uids or int(port, 16) in room.ports):
                ours += 1
                assert address == "0100007F", line
    assert ours >= 6  # the proxy's two, the hub, and three servers
