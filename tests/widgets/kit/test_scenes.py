"""Every scene that any widget can make is one that both renderers can show.

Who makes a widget adds it to ``WIDGETS``: how one is made that computes little, from what the
widget's own test module has.
"""

import importlib
import inspect
from pathlib import Path

import pytest
from scene_checks import check, walk
from truths import generator

from metalearn_lite import widgets
from metalearn_lite.widgets.kit import Live, still

WIDGETS = {
    "adaptation": lambda m: m.AdaptationExplorer(m.new_model()),
    "bandit_duel": lambda m: m.make_page().widget,
    "bug_lab": lambda m: m.BugLab(m.BugLabModel(iterations=20)),
    "chooser": lambda m: m.Chooser(m.new_model()),
    "diversity_dial": lambda m: m.DiversityDial(m.new_model()),
    "draw": lambda m: m.make_page().widget,
    "embedding": lambda m: m.make_page().widget,
    "episode_builder": lambda m: m.EpisodeBuilder(m.SPLITS, generator()),
    "episode_game": lambda m: m.make_game()[1],
    "episode_viewer": lambda m: m.make_viewer(),
    "in_context": lambda m: m.InContextExplorer(m.new_model()),
    "landscape": lambda m: m.LandscapeExplorer(m.LandscapeModel()),
    "live_check": lambda m: m.LiveCheck(),
    "poison": lambda m: m.PoisonSlider(m.new_model()),
    "race": lambda m: m.Race(m.RaceModel(m.RECORD)),
    "stream_player": lambda m: m.StreamPlayer(m.new_model()),
    "training_explorer": lambda m: m.TrainingExplorer(m.new_model()),
    "trajectories": lambda m: m.TrajectoryExplorer(m.new_model()),
}
WITHOUT_SUGGESTIONS = WITH_A_REPR_OF_ITS_OWN = ("live_check",)


def classes(name: str) -> list[type[Live]]:
    module = importlib.import_module(f"{widgets.__name__}.{name}")
    return [kind for kind in vars(module).values()
            if inspect.isclass(kind) and issubclass(kind, Live)
            and kind.__module__ == module.__name__]  # fmt: skip


@pytest.fixture(params=WIDGETS, scope="module")
def make(request):
    """Makes a new widget of a kind."""
    if not classes(request.param):
        pytest.skip(f"{request.param} is no scene yet")
    tests = importlib.import_module(f"widgets.test_{request.param}")
    return lambda: WIDGETS[request.param](tests)


@pytest.fixture
def widget(make):
    return make()


@pytest.fixture
def first(widget):
    return widget.scene()


def test_every_scene_of_a_walk_can_be_shown(make):
    for scene in walk(make(), seed=0):
        check(scene)
    if scene.panels:
        still.draw(scene)


def test_a_walk_can_be_walked_again(make):
    ends = [list(walk(make(), 3, 4))[-1].sentence for _ in range(2)]
    assert ends[0] == ends[1]


def test_by_names_a_slider(widget, first):
    assert widget.by in ("", *(one.name for one in first.controls if hasattr(one, "low")))


def test_it_suggests_two_states_or_more_each_of_which_has_a_name(request, widget, first):
    if request.node.callspec.params["make"] not in WITHOUT_SUGGESTIONS:
        assert len({suggestion.label for suggestion in first.tries}) == len(first.tries) >= 2


def test_repr_is_short_and_says_what_is_shown(request, widget):
    if request.node.callspec.params["make"] in WITH_A_REPR_OF_ITS_OWN:
        return
    assert repr(widget) == f"{type(widget).__name__}({widget.state['sentence']!r})"


def test_each_button_and_suggestion_has_a_method(widget, first):
    if type(widget).press is Live.press:
        buttons = [one.name for one in first.controls if not hasattr(one, "value")]
        for name in buttons + [one.press for one in first.tries if one.press]:
            assert callable(getattr(widget, name, None) or getattr(widget.model, name))


def test_recorded_stops_leave_the_model_as_it_was(widget, first):
    before = widget.scene()
    widget.show()
    assert widget.scene().sentence == before.sentence
    assert [one.value for one in widget.scene().controls if hasattr(one, "value")] == [
        one.value for one in before.controls if hasattr(one, "value")
    ]


def test_every_widget_is_here():
    files = [file for folder in widgets.__path__ for file in Path(folder).glob("[!_]*.py")]
    assert {file.stem for file in files if classes(file.stem)} <= set(WIDGETS)
