"""Made-up raters: tastes of low rank, a catalogue that stays, and who was asked what."""

import pytest
import torch

from metalearn_lite.tasks.raters import People, Raters

PEOPLE = People(torch.zeros(2, 1), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


def test_a_rating_is_read_off_the_table():
    x, y = PEOPLE.of(torch.tensor([[2, 0], [1, 1]]))
    assert y.tolist() == [[3.0, 1.0], [5.0, 5.0]]
    assert x[0].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_no_item_is_asked_twice_and_items_differ_between_people(generator):
    people = Raters(generator(), num_items=12).draw(50, generator(1))
    support, query = people.ask(5, 7, generator(2))
    assert support.x.shape == (50, 5, 12)
    asked = torch.cat([support.x, query.x], 1).argmax(2)
    assert all(len(set(row)) == 12 for row in asked.tolist())
    assert len({tuple(row) for row in asked.tolist()}) > 40
    torch.testing.assert_close(query.y, people.ratings.gather(1, asked[:, 5:]))


def test_nothing_need_be_known(generator):
    support, query = PEOPLE.ask(0, 3, generator())
    assert support.x.shape == (2, 0, 3)
    assert query.y.sort(1).values.tolist() == PEOPLE.ratings.tolist()


def test_without_noise_people_differ_in_rank_directions_only(generator):
    raters = Raters(generator(), num_items=30, rank=2, noise=0.0)
    own = raters.draw(100, generator(1)).ratings - raters.quality
    values = torch.linalg.svdvals(own)
    assert values[1] > 1
    assert values[2] < 1e-4 * values[0]


def test_variances_are_as_told(generator):
    raters = Raters(generator(), num_items=2000, rank=3, noise=0.5)
    people = raters.draw(2000, generator(1))
    rest = people.ratings - raters.quality - people.tastes @ raters.factors.T
    assert rest.std().item() == pytest.approx(0.5, rel=0.02)
    assert (people.tastes @ raters.factors.T).var().item() == pytest.approx(1.0, rel=0.1)
    assert raters.quality.std().item() == pytest.approx(1.0, rel=0.1)


def test_what_can_be_seen_tells_of_the_factors_but_not_all(generator):
    raters = Raters(generator(), num_items=500, num_features=8)
    fit = torch.linalg.lstsq(raters.features, raters.factors).solution
    left = (raters.features @ fit - raters.factors).square().mean() / raters.factors.var()
    assert 0.05 < left < 0.6


def test_the_catalogue_stays_and_people_are_new(generator):
    raters = Raters(generator())
    g = generator(1)
    one, other = raters.draw(3, g), raters.draw(3, g)
    assert not torch.equal(one.ratings, other.ratings)
    assert torch.equal(Raters(generator()).factors, raters.factors)
    episodes = raters.sample(4, 5, 6, generator(3))
    assert episodes.support.x.shape == (4, 5, 60)
    assert episodes.query.y.shape == (4, 6)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"num_items": 0}, "num_items=0"), ({"rank": 0}, "rank=0"), ({"noise": -1.0}, "noise=-1")],
)
def test_what_cannot_be_is_refused(options, said, generator):
    with pytest.raises(ValueError, match=said):
        Raters(generator(), **options)


def test_more_items_than_there_are_are_refused():
    with pytest.raises(ValueError, match="need 4 items but there are 3"):
        PEOPLE.ask(2, 2)
    with pytest.raises(ValueError, match="number the 3 classes 0 to 2"):
        PEOPLE.of(torch.tensor([[3], [0]]))
