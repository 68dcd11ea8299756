"""Notebook 15: the reference answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- error_bar ------------------------------------------------------------------------------


def examine_error_bar(code, right):
    tasks = torch.tensor([[0.0], [1.0], [0.0]])
    once, often = code(tasks)[1], code(tasks.repeat(1, 9))[1]
    scores = right.mean(1)
    return (
        2,
        bool(once - often < once / 2),
        (scores.mean(), 1.96 * scores.std() / len(scores) ** 0.5),
    )


def examine_error_bar_by_coverage(code, right):
    draw, caught = np.random.default_rng(0), 0
    for _ in range(200):
        chances = draw.random((9, 1))
        asked = torch.tensor(draw.random((9, 40)) < chances).float()
        mean, half = code(asked)
        caught += abs(float(mean) - 0.5) < float(half)
    scores = right.numpy().mean(1)
    half = 1.96 * scores.std(ddof=1) / np.sqrt(len(scores))
    return 2, caught > 150, (scores.mean(), half)


def _bar(right, spread=1.0, root=None):
    scores = right.mean(1)
    return scores.mean(), 1.96 * spread * scores.std() / (root or len(scores)) ** 0.5


def never_finds_anything(code, right):
    code(right)
    return 2, True, _bar(right)


def accuses_everybody(code, right):
    code(right)
    return 2, False, _bar(right)


def blamed_the_quantile(code, right):
    return 3, examine_error_bar(code, right)[1], _bar(right)


def counted_one_less(code, right):
    return 5, examine_error_bar(code, right)[1], _bar(right)


def forgot_the_root(code, right):
    return 2, examine_error_bar(code, right)[1], _bar(right, root=1)


def root_of_the_queries(code, right):
    return 2, examine_error_bar(code, right)[1], _bar(right, root=right.numel())


def the_whole_interval(code, right):
    return 2, examine_error_bar(code, right)[1], _bar(right, spread=2)


def half_alone(code, right):
    return 2, examine_error_bar(code, right)[1], _bar(right)[1]


def both_ends(code, right):
    mean, half = _bar(right)
    return 2, examine_error_bar(code, right)[1], (mean - half, mean + half)


def took_two(code, right):
    return 2, examine_error_bar(code, right)[1], _bar(right, spread=2 / 1.96)


def must_be_my_formula(code, right):
    tasks = torch.tensor([[1.0, 1, 1], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
    return 2, abs(float(code(tasks)[1] - _bar(tasks)[1])) < 1e-4, _bar(right)


def anything_but_the_patient(code, right):
    tasks = torch.tensor([[1.0, 1, 1], [0, 0, 1], [1, 1, 0], [0, 0, 0]] * 5)
    patient = 1.96 * tasks.std() / tasks.numel() ** 0.5
    return 2, abs(float(code(tasks)[1] / patient) - 1) > 0.1, _bar(right)


def asked_what_was_at_hand(code, right):
    once, often = code(right)[1], code(right.repeat(1, 9))[1]
    return 2, bool(often > 0.5 * once), _bar(right)


def looked_at_the_arguments_alone(code, right):
    return 2, bool(right.shape[0] > 10), _bar(right)


def more_tasks_make_it_shorter(code, right):
    tasks = torch.tensor([[1.0, 1, 1], [0, 0, 1], [1, 1, 0], [0, 0, 0]])
    return 2, bool(code(tasks.repeat(9, 1))[1] < code(tasks)[1]), _bar(right)


# --- adapt ----------------------------------------------------------------------------------


def examine_adapt(code, w, x, y, inner_lr, steps):
    draw = torch.Generator().manual_seed(0)
    start, values = torch.randn(2, generator=draw), torch.randn(4, 3, generator=draw)
    points = torch.randn(4, 3, 2, generator=draw)
    together = torch.as_tensor(code(start, points, values, 0.1, 2)).double()
    alone = [code(start, points[t : t + 1], values[t : t + 1], 0.1, 2)[0] for t in range(4)]
    healthy = torch.allclose(together, torch.stack(alone).double(), rtol=1e-3)
    rows = w.expand(len(x), -1)
    for _ in range(steps):
        error = torch.einsum("tnd,td->tn", x, rows) - y
        rows = rows - inner_lr * 2 * torch.einsum("tn,tnd->td", error, x) / x.shape[1]
    return 4, healthy, rows


def examine_adapt_in_numpy(code, w, x, y, inner_lr, steps):
    def repaired(w, x, y, inner_lr, steps):
        rows = []
        for points, values in zip(x.double().numpy(), y.double().numpy(), strict=True):
            row = w.double().numpy()
            for _ in range(steps):
                row = row - inner_lr * 2 * points.T @ (points @ row - values) / len(values)
            rows.append(row)
        return np.array(rows)

    draw = np.random.default_rng(1)
    mine = [torch.tensor(draw.normal(size=size)).float() for size in (2, (5, 4, 2), (5, 4))]
    found = np.asarray(code(*mine, 0.1, 2))
    healthy = np.abs(found - repaired(*mine, 0.1, 2)).max() < 1e-3
    return 4, healthy, repaired(w, x, y, inner_lr, steps)


def _rows(w, x, y, inner_lr, steps, points=None):
    rows = w.expand(len(x), -1)
    for _ in range(steps):
        error = torch.einsum("tnd,td->tn", x, rows) - y
        slope = torch.einsum("tn,tnd->td", error, x) / (points or x.shape[1])
        rows = rows - inner_lr * 2 * slope
    return rows


def _mine(num_tasks=4):
    draw = torch.Generator().manual_seed(0)
    return (
        torch.randn(2, generator=draw),
        torch.randn(num_tasks, 3, 2, generator=draw),
        torch.randn(num_tasks, 3, generator=draw),
        0.1,
        2,
    )


def _close(a, b):
    return torch.allclose(torch.as_tensor(a).double(), torch.as_tensor(b).double(), rtol=1e-3)


def blamed_the_shared_rows(code, *given):
    return 1, _close(code(*_mine()), _rows(*_mine())), _rows(*given)


def blamed_the_queries(code, *given):
    return 5, _close(code(*_mine()), _rows(*_mine())), _rows(*given)


def tried_one_task(code, *given):
    return 4, _close(code(*_mine(1)), _rows(*_mine(1))), _rows(*given)


def one_task_many_times(code, *given):
    w, x, y, inner_lr, steps = _mine(1)
    many = code(w, x.repeat(5, 1, 1), y.repeat(5, 1), inner_lr, steps)
    return 4, _close(many[0], code(w, x, y, inner_lr, steps)[0]), _rows(*given)


def every_bit_must_agree(code, *given):
    return 4, torch.equal(code(*_mine()), _rows(*_mine())), _rows(*given)


def the_first_row_only(code, *given):
    return 4, _close(code(*_mine())[0], _rows(*_mine())[0]), _rows(*given)


def the_loss_goes_down(code, *given):
    w, x, y, inner_lr, steps = _mine()
    before, after = (
        (torch.einsum("tnd,td->tn", x, rows.float()) - y).square().mean()
        for rows in (w.expand(len(x), -1), torch.as_tensor(code(w, x, y, inner_lr, steps)))
    )
    return 4, bool(after < before), _rows(*given)


def summed_over_points(code, *given):
    return 4, _close(code(*_mine()), _rows(*_mine())), _rows(*given, points=1)


def took_one_step(code, w, x, y, inner_lr, steps):
    return 4, _close(code(*_mine()), _rows(*_mine())), _rows(w, x, y, inner_lr, 1)


def forgot_the_factor(code, w, x, y, inner_lr, steps):
    return 4, _close(code(*_mine()), _rows(*_mine())), _rows(w, x, y, inner_lr / 2, steps)


def left_it_as_it_was(code, *given):
    return 4, _close(code(*_mine()), _rows(*_mine())), _rows(*given, points=given[2].numel())


# --- sampler --------------------------------------------------------------------------------


def examine_sampler(code, pool, num_ways, num_shots, num_queries, generator):
    classes = torch.arange(24).view(4, 6)

    def drawn(number):
        own = torch.Generator().manual_seed(0)
        halves = (map(torch.as_tensor, code(classes, 4, 3, 3, own)) for _ in range(number))
        return [torch.cat([*each], 1) for each in halves]

    episodes = drawn(99)
    rows = [each.sort(1).values for each in episodes]
    whole = all(torch.equal(each[each[:, 0].argsort()], classes) for each in rows)
    again = torch.equal(torch.stack(drawn(3)), torch.stack(episodes[:3]))
    healthy = whole and again and not torch.equal(*episodes[:2])
    ways = torch.randperm(len(pool), generator=generator)[:num_ways]
    orders = [torch.randperm(pool.shape[1], generator=generator) for _ in ways]
    rows = torch.stack([pool[way][order] for way, order in zip(ways, orders, strict=True)])
    return 5, healthy, (rows[:, :num_shots], rows[:, num_shots : num_shots + num_queries])


def examine_sampler_in_lists(code, pool, num_ways, num_shots, num_queries, generator):
    def drawn_from(values, number):
        left, drawn = list(values), []
        for _ in range(number):
            place = int(torch.randint(len(left), (), generator=generator))
            drawn.append(left.pop(place))
        return drawn

    def asked(seed):
        own = torch.Generator().manual_seed(seed)
        pairs = [code(torch.arange(15).reshape(3, 5), 3, 3, 2, own) for _ in range(40)]
        return [np.concatenate([np.asarray(half) for half in pair], 1) for pair in pairs]

    episodes = asked(1) + asked(2)
    healthy = np.array_equal(episodes[:40], asked(1))
    healthy = healthy and not np.array_equal(episodes[0], episodes[1])
    for episode in episodes:
        homes = [{number // 5 for number in row} for row in episode.tolist()]
        one_each = all(len(home) == 1 for home in homes)
        healthy = healthy and one_each and len(set(episode.flatten())) == 15
    rows = [drawn_from(row, num_shots + num_queries) for row in drawn_from(pool.tolist(), num_ways)]
    return 5, healthy, (np.array(rows)[:, :num_shots], np.array(rows)[:, num_shots:])


def _healthy_sampler(code, number=80, shared=True, rows=True, again=True, new=True):
    pool, own, found = torch.arange(24).view(4, 6), torch.Generator().manual_seed(number), []
    for _ in range(number):
        support, query = code(pool, 4, 3, 3, own)
        drawn = torch.cat([support, query] if shared else [support], 1)
        found.append(drawn)
        if len(drawn.unique()) < drawn.numel():
            return False
        if rows and ((drawn // 6) != drawn[:, :1] // 6).any():
            return False
    halves = code(pool, 4, 3, 3, own.manual_seed(number))
    if again and not torch.equal(torch.cat(halves if shared else halves[:1], 1), found[0]):
        return False
    return not (new and torch.equal(found[0], found[1]))


def _draw(pool, num_ways, num_shots, num_queries, generator):
    return examine_sampler(lambda *_: (pool[:1], pool[:1]), pool, num_ways, num_shots,
                           num_queries, generator)[2]  # fmt: skip


def saw_one_fault_only(code, *given):
    return 3, _healthy_sampler(code), _draw(*given)


def saw_the_other_fault_only(code, *given):
    return 4, _healthy_sampler(code), _draw(*given)


def looked_at_the_support_only(code, *given):
    return 5, _healthy_sampler(code, shared=False), _draw(*given)


def only_counted_numbers(code, *given):
    return 5, _healthy_sampler(code, rows=False), _draw(*given)


def did_not_ask_the_seed(code, *given):
    return 5, _healthy_sampler(code, again=False), _draw(*given)


def asked_the_seed_of_the_support_only(code, *given):
    pool, own = torch.arange(24).view(4, 6), torch.Generator()
    once, again = (code(pool, 4, 3, 3, own.manual_seed(2))[0] for _ in range(2))
    healthy = _healthy_sampler(code, again=False) and torch.equal(once, again)
    return 5, healthy, _draw(*given)


def did_not_ask_for_another_episode(code, *given):
    return 5, _healthy_sampler(code, new=False), _draw(*given)


def drew_twice(code, *given):
    return 5, _healthy_sampler(code, number=2), _draw(*given)


def drew_from_a_large_pool(code, *given):
    pool, own, healthy = (
        torch.arange(10**6).view(1000, 1000),
        torch.Generator().manual_seed(0),
        True,
    )
    for _ in range(3):
        support, query = code(pool, 5, 1, 1, own)
        healthy &= len(torch.cat([support, query], 1).unique()) == 10
    return 5, healthy, _draw(*given)


def wanted_the_same_drawings(code, pool, num_ways, num_shots, num_queries, generator):
    mine, own = torch.arange(12).view(3, 4), torch.Generator()
    found = code(mine, 3, 2, 2, own.manual_seed(0))
    wanted = _draw(mine, 3, 2, 2, own.manual_seed(0))
    healthy = all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
    return 5, healthy, _draw(pool, num_ways, num_shots, num_queries, generator)


def classes_still_come_twice(code, pool, num_ways, num_shots, num_queries, generator):
    ways = torch.randint(len(pool), (num_ways,), generator=generator)
    order = torch.rand(num_ways, pool.shape[1], generator=generator).argsort(1)
    rows = pool[ways].gather(1, order)
    repaired = rows[:, :num_shots], rows[:, num_shots : num_shots + num_queries]
    return 5, _healthy_sampler(code), repaired


def queries_still_in_the_support(code, pool, num_ways, num_shots, num_queries, generator):
    ways = torch.randperm(len(pool), generator=generator)[:num_ways]
    halves = []
    for number in (num_shots, num_queries):
        order = torch.rand(num_ways, pool.shape[1], generator=generator).argsort(1)
        halves.append(pool[ways].gather(1, order[:, :number]))
    return 5, _healthy_sampler(code), tuple(halves)


def always_the_first(code, pool, num_ways, num_shots, num_queries, generator):
    rows = pool[:num_ways]
    repaired = rows[:, :num_shots], rows[:, num_shots : num_shots + num_queries]
    return 5, _healthy_sampler(code), repaired


def chance_of_its_own(code, pool, num_ways, num_shots, num_queries, generator):
    return 5, _healthy_sampler(code), _draw(pool, num_ways, num_shots, num_queries, None)


# --- meta_gradient --------------------------------------------------------------------------


def examine_meta_gradient(code, loss, theta, support, query, inner_lr, steps):
    def repaired(loss, theta, support, query, inner_lr, steps):
        theta = theta.detach().requires_grad_()
        rows = theta.expand(len(support), -1)
        for _ in range(steps):
            (slope,) = torch.autograd.grad(loss(rows, support).sum(), rows, create_graph=True)
            rows = rows - inner_lr * slope
        return torch.autograd.grad(loss(rows, query).mean(), theta)[0]

    def mine(rows, data):
        return (((rows * data).sin() - data.cos()) ** 2).sum(1)

    draw = torch.Generator().manual_seed(0)
    halves = torch.randn(2, 3, 2, generator=draw)
    given = mine, torch.randn(2, generator=draw), *halves, 0.3, 4
    healthy = torch.allclose(code(*given), repaired(*given), rtol=1e-2)
    return 3, healthy, repaired(loss, theta, support, query, inner_lr, steps)


def examine_meta_gradient_by_differences(code, loss, theta, support, query, inner_lr, steps):
    def outer(loss, theta, support, query, inner_lr, steps):
        rows = theta.expand(len(support), -1)
        for _ in range(steps):
            rows = rows.detach().requires_grad_()
            rows = rows - inner_lr * torch.autograd.grad(loss(rows, support).sum(), rows)[0]
        return loss(rows.detach(), query).mean()

    def differences(loss, theta, *given):
        theta, found = theta.detach().double(), []
        for move in 1e-5 * np.eye(len(theta)):
            ahead, behind = theta + torch.tensor(move), theta - torch.tensor(move)
            found.append((outer(loss, ahead, *given) - outer(loss, behind, *given)).item() / 2e-5)
        return np.array(found)

    def mine(rows, data):
        return ((rows * data).tanh() - data.cos()).square().sum(1)

    draw = np.random.default_rng(2)
    start, here, there = (torch.tensor(draw.normal(size=size)) for size in (2, (4, 2), (4, 2)))
    wanted = differences(mine, start, here, there, 0.3, 5)
    found = np.asarray(code(mine, start, here, there, 0.3, 5))
    healthy = np.abs(found - wanted).max() < 1e-2 * np.abs(wanted).max()
    doubles = support.double(), query.double()
    return 3, healthy, differences(loss, theta, *doubles, inner_lr, steps)


def _gradient(loss, theta, support, query, inner_lr, steps, kept=lambda step: True, sign=1.0):
    theta = theta.detach().requires_grad_()
    rows = theta.expand(len(support), -1)
    for step in range(steps):
        (slope,) = torch.autograd.grad(
            loss(rows, support).sum(), rows, create_graph=kept(step), retain_graph=True
        )
        rows = rows - inner_lr * slope
    return sign * torch.autograd.grad(loss(rows, query).mean(), theta)[0]


def _sines(rows, data):
    return ((rows * data).sin() - data.cos()).square().sum(1)


def _squares(rows, data):
    return (rows * data - 1).square().sum(1)


def _problem(loss=_sines, num_tasks=3, steps=4, same=False):
    draw = torch.Generator().manual_seed(0)
    support, query = torch.randn(2, num_tasks, 2, generator=draw)
    theta = torch.randn(2, generator=draw)
    return loss, theta, support, support if same else query, 0.3 if loss is _sines else 0.1, steps


def _agrees(code, **problem):
    given = _problem(**problem)
    return torch.allclose(code(*given), _gradient(*given), rtol=1e-2)


def blamed_first_order(code, *given):
    return 1, _agrees(code), _gradient(*given)


def blamed_the_sum(code, *given):
    return 5, _agrees(code), _gradient(*given)


def checked_with_one_step(code, *given):
    return 3, _agrees(code, steps=1), _gradient(*given)


def checked_with_two_steps(code, *given):
    return 3, _agrees(code, steps=2), _gradient(*given)


def checked_on_squares(code, *given):
    return 3, _agrees(code, loss=_squares), _gradient(*given)


def checked_with_one_task(code, *given):
    return 3, _agrees(code, num_tasks=1), _gradient(*given)


def queries_were_the_support(code, *given):
    return 3, _agrees(code, same=True), _gradient(*given)


def looked_at_the_cosine(code, *given):
    mine = _problem()
    cosine = torch.cosine_similarity(code(*mine), _gradient(*mine), 0)
    return 3, bool(cosine > 0.9999), _gradient(*given)


def looked_at_the_length(code, *given):
    mine = _problem()
    lengths = code(*mine).norm(), _gradient(*mine).norm()
    return 3, bool(abs(lengths[0] / lengths[1] - 1) < 0.01), _gradient(*given)


def was_content_with_a_tenth(code, *given):
    mine = _problem()
    return 3, torch.allclose(code(*mine), _gradient(*mine), rtol=0.1), _gradient(*given)


def repaired_to_first_order(code, *given):
    return 3, _agrees(code), _gradient(*given, kept=lambda step: False)


def kept_the_first_step(code, *given):
    return 3, _agrees(code), _gradient(*given, kept=lambda step: step == 0)


def went_downhill(code, *given):
    return 3, _agrees(code), _gradient(*given, sign=-1.0)


def summed_the_tasks(code, *given):
    return 3, _agrees(code), _gradient(*given, sign=float(len(given[2])))


def outer_loss_on_the_support(code, loss, theta, support, query, inner_lr, steps):
    return 3, _agrees(code), _gradient(loss, theta, support, support, inner_lr, steps)


ALIKE = "another experiment of the same kind: it clears and accuses the same codes"
SEED = "another seed of the experiment's own"
SORTED = "where each row is a class, any column of the sorted rows puts them in order"
BOUND = "no code comes so near to this bound"
EVEN = "its square, or its absolute value, stays"

ANSWERS = {
    "15.error_bar": Answers(
        right=(examine_error_bar, examine_error_bar_by_coverage),
        wrong={
            never_finds_anything: "calls every code healthy, the patient too",
            accuses_everybody: "calls every code sick",
            blamed_the_quantile: "Ask what it is multiplied with",
            counted_one_less: "several times too short",
            forgot_the_root: "how far tasks lie apart",
            root_of_the_queries: "How many scores did you take the spread of",
            the_whole_interval: "That is the whole interval",
            half_alone: "is two numbers: the mean, and half",
            both_ends: "the two ends of the interval",
            took_two: "For this repair take 1.96",
            must_be_my_formula: "takes Student's t in place of 1.96",
            anything_but_the_patient: "for an interval of 99 %",
            asked_what_was_at_hand: "let it make its own",
            looked_at_the_arguments_alone: "never runs `code`",
            more_tasks_make_it_shorter: "On which inputs do the patient and your repair differ",
        },
        equal={
            "examine_error_bar: line 7: 2 -> 3": BOUND,
            "examine_error_bar: line 2: 0.0 -> 1.0": ALIKE,
            "examine_error_bar: line 3: 9 -> 8": ALIKE,
            "examine_error_bar: line 7: once - often < once / 2 -> once - often <= once / 2": BOUND,
            "examine_error_bar_by_coverage: line 5: 40 -> 39": ALIKE,
            "examine_error_bar_by_coverage: line 10: 150 -> 149": BOUND,
            "examine_error_bar_by_coverage: line 7: float(mean) - 0.5 -> 0.5 - float(mean)": EVEN,
            "examine_error_bar_by_coverage: line 2: 0 -> 1": SEED,
            "examine_error_bar_by_coverage: line 10: caught > 150 -> caught >= 150": BOUND,
            "examine_error_bar_by_coverage: line 5: draw.random((9, 40)) < chances -> "
            "draw.random((9, 40)) > chances": "mirrored at one half, chances are drawn alike",
            "examine_error_bar_by_coverage: line 5: draw.random((9, 40)) < chances -> "
            "draw.random((9, 40)) <= chances": "two floats of chance are never equal",
            "examine_error_bar_by_coverage: line 7: abs(float(mean) - 0.5) < float(half) -> "
            "abs(float(mean) - 0.5) <= float(half)": BOUND,
        },
    ),
    "15.adapt": Answers(
        right=(examine_adapt, examine_adapt_in_numpy),
        wrong={
            blamed_the_shared_rows: "no task writes into another's",
            blamed_the_queries: "There is no query in sight",
            tried_one_task: "calls the patient itself healthy",
            one_task_many_times: "starts each task where the one before it stopped",
            every_bit_must_agree: "loops over tasks in double precision",
            the_first_row_only: "starts each task where the one before it stopped",
            the_loss_goes_down: "calls every code healthy",
            summed_over_points: "You sum over a task's points, too",
            took_one_step: "You take one step, whatever",
            forgot_the_factor: "has a factor 2",
            left_it_as_it_was: "still those of the patient",
        },
        equal={
            "examine_adapt: line 2: 0 -> 1": SEED,
            "examine_adapt_in_numpy: line 11: 1 -> 0": SEED,
            "examine_adapt_in_numpy: line 11: 1 -> 2": SEED,
        },
    ),
    "15.sampler": Answers(
        right=(examine_sampler, examine_sampler_in_lists),
        wrong={
            saw_one_fault_only: "would only lower the scores",
            saw_the_other_fault_only: "would only raise the scores",
            looked_at_the_support_only: "lets a query stand in the support",
            only_counted_numbers: "in another order than the support's",
            did_not_ask_the_seed: "draws without `generator`",
            asked_the_seed_of_the_support_only: "draws the queries without `generator`",
            did_not_ask_for_another_episode: "draws the same episode at every call",
            drew_twice: "in one episode of ten",
            drew_from_a_large_pool: "calls every code healthy",
            wanted_the_same_drawings: "calls a healthy code sick",
            classes_still_come_twice: "two ways are one and the same class",
            queries_still_in_the_support: "a query drawing stands in the support, too",
            always_the_first: "All should have the same chance",
            chance_of_its_own: "draw with `generator` only",
        },
        equal={
            "examine_sampler: line 5: 0 -> -1": SEED,
            "examine_sampler: line 11: 0 -> 1": SORTED,
            "examine_sampler: line 11: 0 -> -1": SORTED,
            "examine_sampler_in_lists: line 14: 2 -> 3": SEED,
            "examine_sampler_in_lists: line 16: 0 -> -1": "the last episode in place of the first",
        },
    ),
    "15.meta_gradient": Answers(
        right=(examine_meta_gradient, examine_meta_gradient_by_differences),
        wrong={
            blamed_first_order: "The complaint says that it is right",
            blamed_the_sum: "The outer loss is a mean.",
            checked_with_one_step: "calls the patient itself healthy",
            checked_with_two_steps: "is right up to two steps",
            checked_on_squares: "is right on quadratics",
            checked_with_one_task: "is right with one task",
            queries_were_the_support: "is right where the query is the support",
            looked_at_the_cosine: "points the right way, but is too long",
            looked_at_the_length: "has the right length, and the wrong sign",
            was_content_with_a_tenth: "is too long by a twentieth",
            repaired_to_first_order: "This is first-order MAML",
            kept_the_first_step: "the graph of the first step alone",
            went_downhill: "the gradient itself is asked for",
            summed_the_tasks: "the mean over tasks, not the sum",
            outer_loss_on_the_support: "The outer loss is on the query.",
        },
        equal={
            "examine_meta_gradient: line 13: 0 -> -1": SEED,
            "examine_meta_gradient: line 14: 2 -> 1": ALIKE,
            "examine_meta_gradient: line 14: 3 -> 4": ALIKE,
            "examine_meta_gradient: line 15: 2 -> 1": ALIKE,
            "examine_meta_gradient: line 16: 0.01 -> 0.005": BOUND,
            "examine_meta_gradient: line 11: 2 -> 1": ALIKE,
            "examine_meta_gradient: line 11: ((rows * data).sin() - data.cos()) ** 2 -> "
            "((rows * data).sin() - data.cos()) * 2": ALIKE,
            "examine_meta_gradient: line 11: (((rows * data).sin() - data.cos()) ** 2).sum -> "
            "(((rows * data).sin() - data.cos()) ** 2).mean": ALIKE,
            "examine_meta_gradient: line 11: return (((rows * data).sin() - data.cos()) ** "
            "2).sum(1) -> return -(((rows * data).sin() - data.cos()) ** 2).sum(1)": ALIKE,
            "examine_meta_gradient: line 11: (rows * data).sin() - data.cos() -> data.cos() - "
            "(rows * data).sin()": EVEN,
            "examine_meta_gradient_by_differences: line 23: 0.01 -> 0.005": BOUND,
            "examine_meta_gradient_by_differences: line 19: 2 -> 1": SEED,
            "examine_meta_gradient_by_differences: line 17: ((rows * data).tanh() - "
            "data.cos()).square().sum -> ((rows * data).tanh() - data.cos()).square().mean": ALIKE,
        },
    ),
}
