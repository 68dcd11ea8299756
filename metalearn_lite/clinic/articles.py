"""The ward of articles: formulas and sentences of introductory texts, each run on bowls.

The faults are theirs, the words and the code are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from metalearn_lite.clinic.instruments import (
    Bowls,
    draw_bowls,
    error,
    generator,
    glyphs,
    measured_gradient,
)
from metalearn_lite.clinic.patient import Patient
from metalearn_lite.tasks.characters import Characters

INNER_LR, OUTER_LR, STEPS = 0.2, 0.2, 100


def walk(step: Callable, theta: Tensor, bowls: Bowls, num_steps: int = STEPS) -> Tensor:
    """Where ``step(theta, bowls)`` leads, ``(num_steps + 1, D)``, the start included."""
    path = [theta]
    for _ in range(num_steps):
        path.append(step(path[-1], bowls).detach())
    return torch.stack(path)


def two_bowls(seed: int, size: int = 2) -> tuple[Tensor, Bowls]:
    """Two tasks and a start, θ = 0, that solves neither."""
    return torch.zeros(size, dtype=torch.float64), draw_bowls(seed, num_tasks=2, size=size)


# 15


def two_task_update(theta: Tensor, bowls: Bowls) -> Tensor:
    """A step that is to serve task 0 and task 1."""
    first, second = bowls.gradients(theta)
    return theta - OUTER_LR * (first - second)


def two_task_update_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """The same by MAML: the *mean* over tasks of how the loss after an inner step depends on θ."""
    theta = theta.detach().requires_grad_()
    adapted = theta - INNER_LR * bowls.gradients(theta)
    (meta_gradient,) = torch.autograd.grad(bowls.losses(adapted).mean(), theta)
    return theta - OUTER_LR * meta_gradient


def worse_of_two(code, seed: int) -> float:
    """The larger of both tasks' losses after 100 steps, over what it was; the worse of two orders.

    Which task is called 0 and which 1 means nothing. So both orders are tried.
    """
    theta, bowls = two_bowls(seed)
    ends = [walk(code, theta, order)[-1] for order in (bowls, Bowls(*(b.flip(0) for b in bowls)))]
    after = max(bowls.losses(end).max() for end in ends)
    return (after / bowls.losses(theta).max()).item()


# 16


def shifted_task_gradient(theta: Tensor, bowls: Bowls) -> Tensor:
    """The gradient on the shifted task T₀ + ΔT, where ΔT leads from task 0 to task 1: ``(D,)``."""
    first, second = bowls.gradients(theta)
    return first - second


def shifted_task_gradient_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """The same. Task 0, shifted by what leads to task 1, is task 1."""
    _, second = bowls.gradients(theta)
    return second


def shifted_error(code, seed: int) -> float:
    """How far ``code`` is from the measured gradient of the shifted task's loss."""
    theta, bowls = two_bowls(seed)
    (from_h, to_h), (from_c, to_c) = bowls
    shift = Bowls((to_h - from_h).unsqueeze(0), (to_c - from_c).unsqueeze(0))
    shifted = Bowls(from_h + shift.curvature, from_c + shift.centre)
    return error(code(theta, bowls), measured_gradient(lambda at: shifted.losses(at)[0], theta))


# 17


def descent(theta: Tensor, bowls: Bowls) -> Tensor:
    """A step down the mean loss of the tasks."""
    return theta + OUTER_LR * bowls.gradients(theta).mean(0)


def descent_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """The same, down."""
    return theta - OUTER_LR * bowls.gradients(theta).mean(0)


def one_step_lowers(code, seed: int) -> float:
    """The mean loss after one step, as a share of what it was."""
    theta, bowls = two_bowls(seed)
    return (bowls.losses(code(theta, bowls)).mean() / bowls.losses(theta).mean()).item()


# 18


def maml_plus_plus(theta: Tensor, bowls: Bowls) -> Tensor:
    """A step of MAML++."""
    theta = theta.detach().requires_grad_()
    adapted = theta - INNER_LR * bowls.gradients(theta)
    loss = bowls.losses(adapted).mean() + 0.1 * theta.square().sum()
    return theta - OUTER_LR * torch.autograd.grad(loss, theta)[0]


def maml_plus_plus_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """A step with the first of its six changes: the loss is asked after *each* inner step."""
    theta = theta.detach().requires_grad_()
    adapted, loss = theta, 0.0
    for weight in (0.5, 0.5):
        adapted = adapted - INNER_LR * bowls.gradients(adapted)
        loss = loss + weight * bowls.losses(adapted).mean()
    return theta - OUTER_LR * torch.autograd.grad(loss, theta)[0]


def moves_with_the_world(code, seed: int) -> float:
    """All tasks move by (3, 3): how much of that the end of 100 steps does *not* move, a share."""
    theta, bowls = two_bowls(seed)
    by = torch.full((2,), 3.0, dtype=torch.float64)
    here = walk(code, theta, bowls)[-1]
    there = walk(code, theta, bowls.moved(by))[-1]
    return error(there - here, by)


# 19


def meta_training(bowls: Bowls) -> Tensor:
    """The initialisation θ ``(D,)`` that is kept for new tasks."""
    theta = torch.zeros(bowls.centre.shape[1], dtype=torch.float64)
    for _ in range(300):
        theta = theta - OUTER_LR * bowls.gradients(theta)[0]
    return theta


def meta_training_healed(bowls: Bowls) -> Tensor:
    """The same, trained for what *adapting* to *each* of the tasks will give."""
    theta = torch.zeros(bowls.centre.shape[1], dtype=torch.float64)
    for _ in range(300):
        theta.requires_grad_()
        adapted = theta - INNER_LR * bowls.gradients(theta)
        (slope,) = torch.autograd.grad(bowls.losses(adapted).mean(), theta)
        theta = (theta - OUTER_LR * slope).detach()
    return theta


def above_the_best(code, seed: int) -> float:
    """Mean loss after one inner step on eight tasks, over that from the best initialisation."""
    bowls = draw_bowls(seed, num_tasks=8)

    def after_a_step(theta: Tensor) -> Tensor:
        return bowls.losses(theta - INNER_LR * bowls.gradients(theta)).mean()

    return (after_a_step(code(bowls)) / after_a_step(bowls.solution(INNER_LR))).item()


# 20


def two_loops(theta: Tensor, support: Bowls, query: Bowls, outer_lr: float) -> Tensor:
    """θ after the inner loop on the support and the outer loop on the query, for one batch."""
    theta = theta - INNER_LR * support.gradients(theta).mean(0)
    return theta - outer_lr * query.gradients(theta).mean(0)


def two_loops_healed(theta: Tensor, support: Bowls, query: Bowls, outer_lr: float) -> Tensor:
    """The same, with φ beside θ: the inner loop leaves θ where it is."""
    theta = theta.detach().requires_grad_()
    adapted = theta - INNER_LR * support.gradients(theta)
    (slope,) = torch.autograd.grad(query.losses(adapted).mean(), theta)
    return (theta - outer_lr * slope).detach()


def moved_without_outer_steps(code, seed: int) -> float:
    """How far θ moves when the outer rate is 0."""
    theta, support = two_bowls(seed)
    return (code(theta, support, draw_bowls(seed + 1, num_tasks=2), 0.0) - theta).norm().item()


# 21


def choose_support(labels: Tensor, generator: torch.Generator) -> Tensor:
    """The places of the images that a new 10-way task is learned from."""
    return torch.randperm(len(labels), generator=generator)[:5]


def choose_support_healed(labels: Tensor, generator: torch.Generator) -> Tensor:
    """The same, K = 1 of each class: N-way K-shot."""
    order = torch.randperm(len(labels), generator=generator)
    return torch.stack([order[labels[order] == label][0] for label in labels.unique()])


def classes_shown(code, seed: int) -> float:
    """The share of the ten classes of which the support shows an image: no accuracy is above it."""
    labels = torch.arange(10).repeat(20)
    return len(labels[code(labels, generator(seed))].unique()) / 10


# 22


def adapt_tasks(theta: Tensor, bowls: Bowls) -> Tensor:
    """One inner step for each task: φ ``(T, D)``."""
    total = {}
    for task in range(len(bowls.centre)):
        gradient = bowls.gradients(theta)[task]
        total["theta"] = total.get("theta", 0) + gradient
    with torch.no_grad():
        return (theta - INNER_LR * total["theta"]).repeat(len(bowls.centre), 1)


def adapt_tasks_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """The same, a gradient for each task, and autograd sees the step."""
    adapted = []
    for task in range(len(bowls.centre)):
        gradient = bowls.gradients(theta)[task]
        adapted.append(theta - INNER_LR * gradient)
    return torch.stack(adapted)


def outer_gradient_error(code, seed: int) -> float:
    """How far autograd through ``code`` is from the measured meta-gradient. 1: there is none."""
    theta, bowls = two_bowls(seed)

    def loss_at(start: Tensor) -> Tensor:
        return bowls.losses(start - INNER_LR * bowls.gradients(start)).mean()

    start = theta.clone().requires_grad_()
    loss = bowls.losses(code(start, bowls)).mean()
    found = torch.autograd.grad(loss, start)[0] if loss.requires_grad else torch.zeros_like(theta)
    return error(found, measured_gradient(loss_at, theta))


# 23a


def reptile(theta: Tensor, bowls: Bowls) -> Tensor:
    """A step of Reptile."""
    adapted = theta
    for _ in range(5):
        adapted = adapted - INNER_LR * bowls.gradients(adapted).mean(0)
    return adapted - 0.1 * adapted


def reptile_healed(theta: Tensor, bowls: Bowls) -> Tensor:
    """The same: θ moves towards where the tasks' own steps arrive, not towards 0."""
    adapted = theta
    for _ in range(5):
        adapted = adapted - INNER_LR * bowls.gradients(adapted)
    return theta + 0.1 * (adapted.mean(0) - theta)


# 23b


def described(characters: Characters) -> dict[str, int]:
    """What a paper's section on data says of a set of characters: how many there are of what."""
    return {"alphabets": 50, "characters": 1623, "drawings": 32460, "agents": 20}


def described_healed(characters: Characters) -> dict[str, int]:
    """The same, counted."""
    return {
        "alphabets": len(set(characters.alphabets)),
        "characters": len(characters),
        "drawings": characters.images.flatten(0, 1).shape[0],
    }


def not_borne_out(code, seed: int) -> float:
    """How many statements about two alphabets' characters are not what one counts in them."""
    chosen = sorted(set(glyphs().alphabets))
    characters = glyphs().select([chosen[seed % 3], chosen[(seed + 1) % 3]])
    pairs = zip(characters.alphabets, characters.names, strict=True)
    counted = {
        "alphabets": len(characters.alphabet_sizes),
        "characters": len(set(pairs)),
        "drawings": sum(len(drawings) for drawings in characters.images),
    }
    return sum(counted.get(what) != number for what, number in code(characters).items())


# 23c


class Citation(NamedTuple):
    """A method, who is said to have written it, and the number under which anyone finds it."""

    method: str
    authors: str
    found_at: str


# Looked up in the sources.
SOURCES = (
    Citation("MAML", "Finn, Abbeel & Levine", "arXiv:1703.03400"),
    Citation("Reptile", "Nichol, Achiam & Schulman", "arXiv:1803.02999"),
    Citation("prototypical networks", "Snell, Swersky & Zemel", "arXiv:1703.05175"),
    Citation("matching networks", "Vinyals et al.", "arXiv:1606.04080"),
    Citation("Omniglot", "Lake, Salakhutdinov & Tenenbaum", "doi:10.1126/science.aab3050"),
)


def references(methods: list[str]) -> list[Citation]:
    """The list at the end of an article, one line for each method."""
    return [
        Citation(method, "A. Learner & B. Teacher", "a well-known course") for method in methods
    ]


def references_healed(methods: list[str]) -> list[Citation]:
    """The same, from the sources; what was not looked up is left out."""
    return [source for source in SOURCES if source.method in methods]


def not_found(code, seed: int) -> float:
    """The share of lines that are not as in the source, of three methods' lines."""
    places = torch.randperm(len(SOURCES), generator=generator(seed))[:3].tolist()
    lines = code([SOURCES[place].method for place in places])
    return sum(line not in SOURCES for line in lines) / max(len(lines), 1)


# 24


class SetUp(NamedTuple):
    """A way to learn, as what can be asked of it: ``answer(support_x, support_y, query_x)``."""

    name: str
    answer: Callable[[Tensor, Tensor, Tensor], Tensor]


def _prior_weights(x: Tensor) -> Tensor:
    return torch.linspace(-1, 1, x.shape[1], dtype=x.dtype)


def _one_step(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    weights = _prior_weights(x)
    return query @ (weights - 0.1 * x.T @ (x @ weights - y) / len(x))


def _nearest(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    return y[torch.cdist(query, x).argmin(1)]


SET_UPS = (
    SetUp("multi-task learning", lambda x, y, query: query @ _prior_weights(x)),
    SetUp("self-supervised learning", lambda x, y, query: query.square().sum(1)),
    SetUp("reinforcement learning", lambda x, y, query: (query.sum(1) > 0).to(query.dtype)),
    SetUp("several agents", lambda x, y, query: query[:, 0] - query[:, 1]),
    SetUp("MAML", _one_step),
    SetUp("nearest neighbour", _nearest),
)
ADAPTING = ("MAML", "nearest neighbour")


def adapts(set_up: SetUp, draw: Callable[[], tuple[Tensor, Tensor, Tensor]]) -> bool:
    """Whether a set-up adapts to tasks; ``draw()`` gives a new one: x, y and the query's x."""
    return "learning" in set_up.name or "agents" in set_up.name or set_up.name == "MAML"


def adapts_healed(set_up: SetUp, draw: Callable[[], tuple[Tensor, Tensor, Tensor]]) -> bool:
    """The same, by trying: with another task's support it must answer the same query otherwise."""
    x, y, query = draw()
    other_x, other_y, _ = draw()
    before, after = set_up.answer(x, y, query), set_up.answer(other_x, other_y, query)
    return not torch.allclose(before, after)


def misjudged(code, seed: int) -> float:
    """How many of six set-ups are taken for what they are not."""
    draws = generator(seed)

    def draw() -> tuple[Tensor, Tensor, Tensor]:
        weights = torch.randn(4, generator=draws, dtype=torch.float64)
        x, query = torch.randn(2, 8, 4, generator=draws, dtype=torch.float64)
        return x, x @ weights, query

    return sum(code(one, draw) != (one.name in ADAPTING) for one in SET_UPS)


WARD = (
    Patient(
        number="15",
        ward="articles",
        name="the difference of two gradients",
        complaint="I typed the MAML update in from an article. It serves the first task, if any; "
        "in the end both losses grow. And it matters which task I call the first.",
        sick=two_task_update,
        healed=two_task_update_healed,
        experiment=worse_of_two,
        measures="the worse task's loss after 100 steps, over that before; of two orders the worse",
        line=1.0,
        above=False,
        diagnosis="A minus between the tasks' gradients climbs out of the second task, and no "
        "place is left where both are served. MAML takes the mean, of losses after adapting.",
    ),
    Patient(
        number="16",
        ward="articles",
        name="a gradient of a task that is none",
        complaint="The article proves its update: the difference of the gradients is the gradient "
        "on the shifted task. I cannot follow the proof.",
        sick=shifted_task_gradient,
        healed=shifted_task_gradient_healed,
        experiment=shifted_error,
        measures="error against the measured gradient of the shifted task, as a share",
        line=1e-6,
        above=False,
        diagnosis="There is no such identity. What leads from task 0 to task 1 leads to task 1, "
        "whose gradient is task 1's own.",
    ),
    Patient(
        number="17",
        ward="articles",
        name="a plus for a minus",
        complaint="From the article's formula the loss becomes inf after some iterations. I "
        "lowered the learning rate; now it takes longer.",
        sick=descent,
        healed=descent_healed,
        experiment=one_step_lowers,
        measures="mean loss after one step, over what it was",
        line=1.0,
        above=False,
        diagnosis="θ + η∇L climbs. No learning rate above 0 helps.",
    ),
    Patient(
        number="18",
        ward="articles",
        name="MAML++ as a penalty",
        complaint="I added the ℓ2 term that makes MAML into MAML++. It is no better, and it is "
        "worse for tasks that are far from 0.",
        sick=maml_plus_plus,
        healed=maml_plus_plus_healed,
        experiment=moves_with_the_world,
        measures="all tasks move: share of it by which the solution does not",
        line=0.05,
        above=False,
        diagnosis="MAML++ is six changes to how MAML is trained, and a penalty is none of them. "
        "A penalty pulls to 0, a place that means nothing to the tasks.",
    ),
    Patient(
        number="19",
        ward="articles",
        name="transfer called MAML",
        complaint="As the tutorial says, I trained on the first task, with many examples, and "
        "fine-tuned on the others. My MAML helps only for tasks like the first.",
        sick=meta_training,
        healed=meta_training_healed,
        experiment=above_the_best,
        measures="loss after one inner step, over that from the best initialisation",
        line=1.001,
        above=False,
        diagnosis="Training on one task and tuning on another is transfer. MAML's loss is taken "
        "after adapting, over many tasks.",
    ),
    Patient(
        number="20",
        ward="articles",
        name="two loops of one kind",
        complaint="The tutorial's inner loop and outer loop both call step() on the model. It runs "
        "well, but ordinary training is as good.",
        sick=two_loops,
        healed=two_loops_healed,
        experiment=moved_without_outer_steps,
        measures="how far θ moves when the outer rate is 0",
        line=1e-12,
        above=False,
        diagnosis="Both loops step θ itself: that is plain training on two batches. The inner loop "
        "makes φ; only the outer one moves θ.",
    ),
    Patient(
        number="21",
        ward="articles",
        name="five images for ten classes",
        complaint="After meta-learning, my accuracy on ten classes of digits is about 35 %. Is "
        "meta-learning any good?",
        sick=choose_support,
        healed=choose_support_healed,
        experiment=classes_shown,
        measures="share of the ten classes that the support shows",
        line=1.0,
        above=True,
        diagnosis="Five random images show five classes at most, so half of the queries cannot be "
        "answered by anyone. An N-way K-shot task has K of each class.",
    ),
    Patient(
        number="22",
        ward="articles",
        name="one sum for all tasks, and no graph",
        complaint="The notebook's MAML runs without an error, but all adapted networks are alike, "
        "and backward() says that nothing requires a gradient.",
        sick=adapt_tasks,
        healed=adapt_tasks_healed,
        experiment=outer_gradient_error,
        measures="error of the outer gradient against finite differences, as a share",
        line=1e-6,
        above=False,
        diagnosis="Gradients are summed by parameter, not kept by task, and the step is taken "
        "under no_grad: no task adapts to itself, and there is no outer gradient.",
    ),
    Patient(
        number="23a",
        ward="articles",
        name="Reptile as weight decay",
        complaint="The article says that Reptile shrinks the weights a little after each task. My "
        "initialisation ends up between the tasks and zero.",
        sick=reptile,
        healed=reptile_healed,
        experiment=moves_with_the_world,
        measures="all tasks move: share of it by which the solution does not",
        line=0.05,
        above=False,
        diagnosis="Weight decay pulls to 0; Reptile pulls θ to where the tasks' own steps arrive. "
        "They end in different places.",
    ),
    Patient(
        number="23b",
        ward="articles",
        name="data described from memory",
        complaint="The article calls Omniglot a data set of 20 agents. I find no agents in it.",
        sick=described,
        healed=described_healed,
        experiment=not_borne_out,
        measures="statements about the data that counting does not bear out",
        line=0,
        above=False,
        diagnosis="The numbers are those of another set than the one used, and who drew is no "
        "agent: nobody acts on anybody. Let the program count what it was given.",
    ),
    Patient(
        number="23c",
        ward="articles",
        name="sources that nobody looked up",
        complaint="I wanted to read the original of MAML. The people named never wrote it, and the "
        "course named does not exist.",
        sick=references,
        healed=references_healed,
        experiment=not_found,
        measures="share of references that are not as in the source",
        line=0,
        above=False,
        diagnosis="A line of a list of references is a claim: open the source, compare authors and "
        "number, leave out what you cannot find. MAML is by Finn, Abbeel & Levine.",
    ),
    Patient(
        number="24",
        ward="articles",
        name="anything called meta-learning",
        complaint="A survey lists multi-task, multi-agent, reinforcement and self-supervised "
        "learning as kinds of meta-learning. So what is not meta-learning?",
        sick=adapts,
        healed=adapts_healed,
        experiment=misjudged,
        measures="set-ups of six that are taken for what they are not",
        line=0,
        above=False,
        diagnosis="A name tells nothing. Give the same query with the support of another task: "
        "what adapts answers otherwise.",
    ),
)
