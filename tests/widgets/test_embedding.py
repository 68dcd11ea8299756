import numpy as np
import pytest
import torch
from pages import Page

from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.networks import MLP
from metalearn_lite.widgets.embedding import (
    EmbeddingExplorer,
    EmbeddingModel,
    aligned,
    nearest_regions,
    shadow,
)


def make_episodes(num_tasks=2, num_ways=5, num_shots=2, num_queries=3):
    """Each class is a random image of its own, each example that image with noise."""
    generator = torch.Generator().manual_seed(0)
    means = torch.rand(num_tasks, num_ways, 1, 28, 28, generator=generator)

    def examples(per_class):
        x = means.repeat_interleave(per_class, dim=1)
        x = x + 0.3 * torch.rand(x.shape, generator=generator)
        y = torch.arange(num_ways).repeat_interleave(per_class).repeat(num_tasks, 1)
        return Examples(x.clamp(0, 1), y)

    return Episodes(examples(num_shots), examples(num_queries))


def make_model(distance="euclidean", **sizes):
    network = MLP(784, 16)
    draws = [network.init(torch.Generator().manual_seed(seed)) for seed in range(3)]
    learner = PrototypicalNetwork(network, draws[0], distance=distance)
    snapshots = {100: draws[2], 0: draws[0], 10: draws[1]}
    return EmbeddingModel(learner, snapshots, make_episodes(**sizes))


def make_page():
    model = make_model()
    return Page(EmbeddingExplorer(model.learner, model.snapshots, model.episodes))


# The model


def test_a_frame_has_a_place_for_every_point():
    model = make_model()
    frame = model.frame()
    assert model.iterations == [0, 10, 100]
    assert frame.iteration == 0
    assert frame.support.shape == (10, 2)
    assert frame.queries.shape == (15, 2)
    assert frame.prototypes.shape == (5, 2)
    assert frame.num_dimensions == 16
    assert 0 < frame.share <= 1


def test_prototypes_on_the_page_are_means_of_supports_on_the_page():
    model = make_model(num_shots=3)
    for snapshot in range(3):
        frame = model.frame(snapshot)
        means = [frame.support[frame.support_classes == way].mean(0) for way in range(5)]
        np.testing.assert_allclose(frame.prototypes, means, atol=1e-6)


def test_distances_and_probabilities_are_those_of_all_dimensions():
    model = make_model()
    model.select_query(4)
    for snapshot, params in enumerate(model.snapshots.values()):
        support, query = model.episodes.tasks(0)
        points = model.learner.network(params, support.x)[0]
        here = model.learner.network(params, query.x)[0, 4]
        prototypes = torch.stack([points[support.y[0] == way].mean(0) for way in range(5)])
        squared = (prototypes - here).square().sum(1)

        frame = model.frame(snapshot)

        np.testing.assert_allclose(frame.distances, squared, rtol=1e-3)
        np.testing.assert_allclose(frame.probabilities, (-squared).softmax(0), rtol=1e-3)
        assert frame.predicted[4] == squared.argmin()


def test_cosine_distances_lie_between_0_and_2():
    frame = make_model(distance="cosine").frame()
    assert ((frame.distances >= 0) & (frame.distances <= 2)).all()
    assert frame.probabilities.argmax() == frame.distances.argmin()


def test_all_points_of_all_snapshots_are_on_the_page():
    model = make_model()
    for snapshot in range(3):
        frame = model.frame(snapshot)
        for points in (frame.support, frame.queries, frame.prototypes):
            assert (np.abs(points) < 1).all()


def test_what_the_model_shows_does_not_depend_on_when_it_is_asked():
    first, second = make_model(), make_model()
    second.select_snapshot(2)
    second.select_snapshot(0)
    np.testing.assert_array_equal(first.frame().queries, second.frame().queries)


def test_looking_leaves_the_learner_alone():
    model = make_model()
    before = {name: value.clone() for name, value in model.learner.params.items()}
    model.select_task(1)
    assert all(model.learner.params[name].equal(before[name]) for name in before)


def test_the_first_query_selected_is_one_that_training_sets_right():
    network = MLP(784, 16)
    good = network.init(torch.Generator().manual_seed(0))
    collapsed = {name: torch.zeros_like(value) for name, value in good.items()}
    learner = PrototypicalNetwork(network, good)
    model = EmbeddingModel(learner, {0: collapsed, 100: good}, make_episodes())
    first, last = model.frame(0), model.frame(1)
    assert first.predicted[model.query] != first.query_classes[model.query]
    assert last.predicted[model.query] == last.query_classes[model.query]


def test_the_sentence_says_how_many_are_right_and_where_the_query_lies():
    model = make_model()
    model.select_snapshot(1)
    model.select_query(4)
    frame = model.frame()
    letter, probability = "ABCDE"[frame.predicted[4]], frame.probabilities.max()
    assert model.sentence().startswith(
        f"After 10 iterations {frame.num_right} of 15 queries are right. Query 5 is a B; "
        f"nearest prototype: {letter} (probability {probability:.2f})"
    )
    assert f"{frame.num_misplaced} of 15" in model.caveat()
    assert "16 dimensions" in model.caveat()


@pytest.mark.parametrize("method", ["select_task", "select_snapshot", "select_query"])
@pytest.mark.parametrize("index", [-1, 99])
def test_what_is_not_there_is_refused_with_the_choice_there_is(method, index):
    with pytest.raises(ValueError, match=f"There is no .* {index}: choose 0 to"):
        getattr(make_model(), method)(index)


def test_snapshots_that_are_not_copies_are_refused():
    model = make_model()
    params = model.learner.params
    with pytest.raises(ValueError, match=r"0 and 10 share their memory.*Store copies"):
        EmbeddingModel(model.learner, {0: params, 10: params}, model.episodes)


def test_no_snapshot_and_too_many_classes_are_refused():
    model = make_model()
    with pytest.raises(ValueError, match="snapshots is empty"):
        EmbeddingModel(model.learner, {}, model.episodes)
    with pytest.raises(ValueError, match="num_ways=8: the explorer shows at most 7"):
        EmbeddingModel(model.learner, model.snapshots, make_episodes(num_ways=8))


# The plane


def test_the_shadow_is_the_plane_of_largest_variance():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(50, 6, generator=generator, dtype=torch.float64)
    points *= torch.tensor([5.0, 3.0, 1.0, 0.5, 0.1, 0.1])
    plane, share = shadow(points)
    variances = torch.linalg.eigvalsh(torch.cov(points.T)).flip(0)
    torch.testing.assert_close(plane.var(0), variances[:2])
    assert share == pytest.approx(float(variances[:2].sum() / variances.sum()))


def test_the_shadow_of_the_mirrored_points_is_the_same():
    points = torch.randn(20, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mirrored = points * torch.tensor([1.0, -1.0, 1.0, -1.0])
    torch.testing.assert_close(shadow(points)[0], shadow(mirrored)[0])


def test_points_in_one_place_have_a_shadow_in_one_place():
    plane, share = shadow(torch.ones(4, 3, dtype=torch.float64))
    assert plane.abs().max() < 1e-9
    assert share == 1


def test_one_dimension_is_refused():
    with pytest.raises(ValueError, match="span no plane"):
        shadow(torch.ones(4, 1))


def test_a_turned_and_mirrored_plane_is_turned_back():
    generator = torch.Generator().manual_seed(2)
    last = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    angle = torch.tensor(2.0, dtype=torch.float64)
    turn = torch.stack(
        [torch.stack([angle.cos(), angle.sin()]), torch.stack([angle.sin(), -angle.cos()])]
    )
    first, second = aligned([last @ turn, last])
    torch.testing.assert_close(first, last)
    torch.testing.assert_close(second, last)


def test_regions_tile_the_page_and_hold_what_is_nearest():
    generator = np.random.default_rng(0)
    centres = generator.uniform(-0.8, 0.8, (5, 2))
    regions = nearest_regions(centres)
    assert sum(area(corners) for corners in regions) == pytest.approx(4)
    for point in generator.uniform(-1, 1, (200, 2)):
        nearest = np.square(centres - point).sum(1).argmin()
        assert contains(regions[nearest], point)


def area(corners):
    x, y = corners.T
    return 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def contains(corners, point):
    sides = np.roll(corners, -1, axis=0) - corners
    towards = point - corners
    return (sides[:, 0] * towards[:, 1] - sides[:, 1] * towards[:, 0] >= -1e-9).all()


# The view, without a browser


def test_every_control_changes_what_is_seen():
    page = make_page()
    for act in (
        lambda: page.set(snapshot=2),
        lambda: page.set(query=7),
        lambda: page.press("new_episode"),
    ):
        before = page.columns("selected"), page.columns("bars"), page.sentence
        act()
        after = page.columns("selected"), page.columns("bars"), page.sentence
        assert all(old != new for old, new in zip(before, after, strict=True))
        assert page.sentence == page.widget.model.sentence()


def test_sliders_read_out_words():
    training, query = make_page().widget.look["controls"][:2]
    assert training["texts"] == ("0 of 100", "10 of 100", "100 of 100")
    assert query["texts"][0] == "1 of 15"


def test_new_episodes_come_round():
    page = make_page()
    for task in (1, 0):
        page.press("new_episode")
        assert page.widget.model.task == task


def test_a_drawing_and_a_snapshot_are_picked_where_they_are():
    page = make_page()
    for query in (3, 11):
        page.do("pick", key="queries", index=query)
        assert page.widget.model.query == page.widget.state["values"]["query"] == query
    page.do("pick", key="snapshots", index=2)
    assert page.widget.model.frame().iteration == 100
    page.do("try", index=0)
    assert page.widget.model.frame().iteration == 0


def test_what_is_drawn_is_the_frame():
    page = make_page()
    page.set(snapshot=1)
    frame = page.widget.model.frame()
    queries, bars = page.columns("queries"), page.columns("bars")
    np.testing.assert_allclose(np.array([queries["x"], queries["y"]]).T, frame.queries, rtol=1e-4)
    framed = [edge == "red" for edge in queries["edges"]]
    assert framed == (frame.predicted != frame.query_classes).tolist()
    np.testing.assert_allclose(bars["x"], frame.distances / frame.distances.max(), rtol=1e-4)
    given = frame.predicted[frame.query]
    assert [text[-1] in "✔✘" for text in bars["texts"]] == [way == given for way in range(5)]


def test_drawings_travel_once_for_all_snapshots():
    frames = make_page().widget.recorded["at"].values()
    assert len(frames) == 3
    assert not any("queries" in frame.get("fixed", {}) for frame in frames)


def test_its_line_of_code_makes_it_again():
    page = make_page()
    page.press("new_episode")
    page.set(snapshot=1, query=4)
    model = page.widget.model
    names = {"learner": model.learner, "snapshots": model.snapshots, "episodes": model.episodes}
    again = eval(page.widget.state["code"], globals() | names)
    assert again.state["sentence"] == page.sentence


def test_points_that_all_fall_together_are_drawn_all_the_same():
    network = MLP(784, 16)
    zeros = {name: torch.zeros_like(value) for name, value in network.init().items()}
    explorer = EmbeddingExplorer(PrototypicalNetwork(network, zeros), {0: zeros}, make_episodes())
    assert explorer.model.frame().num_misplaced == 0
    explorer.filmstrip([0]).savefig("/dev/null", format="png")


def test_the_filmstrip_has_a_column_per_iteration_and_says_so():
    explorer = make_page().widget
    figure = explorer.filmstrip([0, 100])
    assert len(figure.axes) == 4
    assert any("after 100 iterations" in axes.get_title() for axes in figure.axes)
    assert explorer.description([0, 100]).count("queries are right") == 2
    with pytest.raises(ValueError, match="No snapshot of iteration 7: choose among 0, 10, 100"):
        explorer.filmstrip([0, 7])
