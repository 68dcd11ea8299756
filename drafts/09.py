# %% [markdown]
# # 09 · Can a network learn without gradients?
#
# MAML learns a task by changing its weights, one gradient step after another. The networks of this
# notebook change nothing. They **read** the examples and answer. All the learning happens inside one
# forward pass.
#
# That sounds like a trick. You will see that it beats MAML on MAML's own tasks, how it does so, and
# where it lets you down. It is also the closest this course comes to large language models.
#
# **You will be able to**
#
# - build three networks that learn by reading: a conditional neural process, a recurrent network, a
#   transformer;
# - test what the order of the examples does, and what happens with more examples than in training;
# - check whether a network's stated uncertainty can be trusted;
# - measure such a network against the best answer there can be;
# - say what all this has to do with language models, and what nobody has shown yet.
#
# **Time** about 70 minutes. **Know first** support, query and MAML (notebook 04).

# %%
import inspect

import matplotlib.pyplot as plt
import torch
from IPython.display import Code, display

from metalearn_lite import checkpoints
from metalearn_lite.episodes import Episodes, Examples
from metalearn_lite.evaluation import evaluate
from metalearn_lite.figures import COLORS, use_course_style
from metalearn_lite.learners.in_context import first_examples
from metalearn_lite.learners.least_squares import LeastSquares
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess, EncodeDecode
from metalearn_lite.learners.recurrent import RecurrentLearner
from metalearn_lite.learners.transformer import Transformer, TransformerLearner
from metalearn_lite.recipes.in_context import of_some_length
from metalearn_lite.tasks.linear import LinearRegression
from metalearn_lite.tasks.sinusoids import SineTasks, Sinusoids
from metalearn_lite.teaching import check, claim, hint, quiz
from metalearn_lite.training import cosine, meta_train

use_course_style()
torch.set_num_threads(1)  # these networks are so small that threads would only wait for each other
generator = torch.Generator().manual_seed(9)
sinusoids = Sinusoids()

# %% [markdown]
# ## Read, then answer
#
# Think of a network with two inputs instead of one: the new point $x$, *and all the examples of the
# task*. Its weights are fixed. Give it other examples, and it computes another function of $x$. From
# outside it looks as if it had learned.
#
# The examples that such a network reads are called its **context**. It is our old support under a new
# name, and the three verbs of this course stay what they are:
#
# | verb | MAML | a network that reads |
# |---|---|---|
# | `adapt(support)` | takes gradient steps | reads the context, keeps a summary |
# | `predict(adapted, x)` | runs the adapted network | answers from the summary |
# | meta-training | by gradients | by gradients, too |
#
# Look at the last row. The *outer* loop still learns by gradient descent, over many thousands of tasks.
# What is gone are the gradients of the *inner* loop: those at the time when a new task arrives.
#
# ## A network that reads a set
#
# How do you feed five points to a network, or three, or eleven? And how do you make sure that their
# order does not matter? The **conditional neural process** (Garnelo et al., 2018) has a short answer.
#
# 1. An **encoder** turns each example into a list of numbers, its *code*: $r_i = e(x_i, y_i)$.
# 2. The codes are **averaged**: $r = \frac{1}{N}\sum_i r_i$. This is all that is kept of the context.
# 3. A **decoder** takes a new $x$ beside $r$ and gives two numbers: a mean $m$ and a standard
#    deviation $s$. They say: "I expect $y$ near $m$, give or take $s$."
#
# Encoder and decoder are ordinary small networks. An average does not care how many numbers it is
# taken of, or in which order.
#
# Why a standard deviation? Three points cannot pin down a wave, and a good learner should say so. It
# is trained by the **likelihood**: how probable the true $y$ was, had it been drawn from the normal
# distribution with mean $m$ and standard deviation $s$. The loss of one answer is minus its logarithm,
#
# $$ \log s + \frac{(y - m)^2}{2 s^2} + \text{constant}.$$
#
# Say a large $s$, and the first term punishes you. Say a small one and be wrong, and the second term
# punishes you more. The loss is lowest for a network that is as sure as it has reason to be.

# %% [markdown]
# ### Exercise 1 · A neural process for ragged tasks
#
# | difficulty | time | why it matters |
# |---|---|---|
# | ●●○ | 10 minutes | real tasks rarely have equally many examples; padding that leaks in is hard to notice |
#
# Your tasks have different numbers of points, padded to a common N. `mask` is `(num_tasks, N)`: 1 where
# there is a point, 0 where there is only padding. A task may have no point at all; its average code is
# then zeros.
#
# `encode(x, y)` gives the codes `(num_tasks, N, R)`. `decode(x, summary)` takes `x` of shape
# `(num_tasks, M, 1)` and, beside each of them, a summary: `(num_tasks, M, R)`. Return what `decode`
# returns for `query_x`.
#
# Stuck? Run `hint("09.neural_process", 1)`, then 2, then 3.


# %%
def neural_process(encode, decode, support_x, support_y, mask, query_x):
    raise NotImplementedError("your turn")


# %%
check("09.neural_process", neural_process)

# %% [markdown]
# The package's version needs no mask, since all tasks of a batch have equally many examples there:

# %%
display(Code(inspect.getsource(ConditionalNeuralProcess.adapt), language="python"))
display(Code(inspect.getsource(ConditionalNeuralProcess.distribution), language="python"))
display(Code(inspect.getsource(ConditionalNeuralProcess.meta_loss), language="python"))

# %% [markdown]
# `adapt` calls no gradient. It is one pass through the encoder and a mean.
#
# ## Train it live
#
# The tasks are the waves of notebook 04: $y = A \sin(x - p)$, amplitude $A$ from 0.1 to 5, phase $p$
# from 0 to $\pi$. `of_some_length` gives 64 new waves at a time, with a context of 0 to 10 points. The
# length changes from batch to batch, so that the network learns to do with few points and with many.

# %% tags=["nbval-ignore-output"]
network = EncodeDecode(inputs=1, width=64)
live = ConditionalNeuralProcess(network, network.init(generator))


def sample(generator):
    return of_some_length(sinusoids, 64, 10, generator)


history = meta_train(live, sample, 1500, generator, outer_lr=3e-3, schedule=cosine)
_, ax = plt.subplots(figsize=(8, 2.6))
ax.plot(range(30, 1501, 30), torch.tensor(history.losses).unfold(0, 30, 30).mean(1))
ax.set(xlabel="iteration", ylabel="−log likelihood", title="mean of 30 batches")
plt.show()

# %% [markdown]
# *In words: the loss falls from above 2 to below 1, with ups and downs, since some batches have longer
# contexts than others.*

# %%
test_tasks = sinusoids.sample(2000, num_shots=10, num_queries=50, generator=generator)


def after(count, tasks=test_tasks):
    """The same tasks, with only the first ``count`` examples of each support."""
    return Episodes(first_examples(tasks.support, count), tasks.query)


live_errors = {count: evaluate(live, after(count)) for count in (0, 5)}
claim(
    "a few seconds of training, then five points read: less than half the error of no points",
    live_errors[5].mean < 0.5 * live_errors[0].mean,
)

# %% [markdown]
# ## Predict: what does it say before it has read anything?
#
# From here on we use networks that trained for two to four minutes. Each comes with a card that says
# how it was made.
#
# Give the neural process an **empty** context. **Write down your guess**: what curve will its mean be,
# and how wide its band (the mean ± 1.96 standard deviations) at $x = 0$? Then: how will both change
# with one point, three, eight?

# %%
neural_process_learner = checkpoints.load("sinusoid-neural-process")
wave = SineTasks(torch.tensor([[3.0]]), torch.tensor([[1.0]]))
points = wave.draw(8, generator)
grid = torch.linspace(-5, 5, 200).reshape(1, -1, 1)

figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), sharey=True)
for count, ax in zip((0, 1, 3, 8), axes, strict=True):
    read = first_examples(points, count)
    with torch.no_grad():
        told = neural_process_learner.distribution(neural_process_learner.adapt(read), grid)
    low, high = told.mean - 1.96 * told.stddev, told.mean + 1.96 * told.stddev
    ax.fill_between(grid[0, :, 0], low[0], high[0], color=COLORS["orange"], alpha=0.3)
    ax.plot(grid[0, :, 0], told.mean[0], color=COLORS["orange"], label="mean and 95 % band")
    ax.plot(grid[0, :, 0], wave(grid)[0], "--", color=COLORS["black"], label="true wave")
    ax.plot(read.x[0, :, 0], read.y[0], "o", color=COLORS["black"], label="points read")
    ax.set(title=f"read: {count}", xlabel="x")
axes[0].set_ylabel("y")
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %% [markdown]
# *In words: with nothing read the mean is a low bump and the band covers nearly the whole chart. One
# point pinches the band there. Three points leave it wide only where no point is near. With eight the
# mean lies on the wave and the band is a thin line.*


# %%
def told_about(tasks):
    learner = neural_process_learner
    with torch.no_grad():
        return learner.distribution(learner.adapt(tasks.support), tasks.query.x)


widths = {count: told_about(after(count)).stddev.mean().item() for count in (0, 1, 3, 5, 10)}
print("average standard deviation:", {count: round(std, 2) for count, std in widths.items()})
claim(
    "each further batch of points makes it surer",
    all(widths[a] > 1.5 * widths[b] for a, b in ((0, 1), (1, 3), (3, 5))),
)

# %% [markdown]
# **Explain.** Before it has read anything, the best single guess is the average of all waves, and that
# is what it says, with a band as wide as waves differ. Then each point rules out waves. Nobody told the
# network what a sine is. It saw some hundred thousand waves, and the likelihood asked it to be no surer
# than they allow.
#
# ## Can the band be trusted?
#
# A standard deviation is a claim about the world, so test it. If the band is honest, the truth lies
# inside it about 95 times in 100. This is called **calibration**.
#
# **Predict.** On the meta-test tasks, after 1, 3, 5 and 10 points: will the share inside be near 95 %,
# well below (too sure), or well above (too modest)?


# %%
def coverage(told, y, level=0.95):
    """Each task's share of query points inside the band that should hold ``level`` of them."""
    half_width = torch.special.ndtri(torch.tensor(0.5 + level / 2)) * told.stddev
    return ((y - told.mean).abs() <= half_width).float().mean(1)


levels = torch.linspace(0.05, 0.99, 20)
_, ax = plt.subplots(figsize=(4.6, 3.8))
ax.plot([0, 1], [0, 1], color=COLORS["gray"], linestyle="--", label="perfectly calibrated")
shares = {}
for count, line in zip((1, 3, 5, 10), ("o-", "s-", "D-", "^-"), strict=True):
    told = told_about(after(count))
    found = [coverage(told, test_tasks.query.y, level).mean() for level in levels]
    ax.plot(levels, found, line, markersize=4, label=f"{count} points read")
    shares[count] = coverage(told, test_tasks.query.y)
ax.set(xlabel="share that should lie inside", ylabel="share that does")
ax.legend(fontsize=9)
plt.show()

# %%
for count, inside in shares.items():
    error = 1.96 * inside.std() / len(inside) ** 0.5
    print(f"after {count:2} points {inside.mean():6.1%} ± {error:.1%} inside the 95 % band")
claim(
    "the 95 % band holds between 90 % and 99 % of the truth, at every number of points",
    all(0.90 < inside.mean() < 0.99 for inside in shares.values()),
)

# %% [markdown]
# **Explain.** The band keeps its word, near enough. It was trained on exactly this kind of wave, and
# that is the catch. Now give it waves from 6 to 8 high. It has seen none above 5.

# %%
amplitude = torch.empty(2000, 1).uniform_(6, 8, generator=generator)
phase = torch.empty(2000, 1).uniform_(0, torch.pi, generator=generator)
tall = SineTasks(amplitude, phase)
tall_tasks = Episodes(tall.draw(10, generator), tall.draw(50, generator))
inside = coverage(told_about(tall_tasks), tall_tasks.query.y)
print(f"after 10 points on tall waves {inside.mean():.0%} inside the 95 % band")
claim("on waves taller than any in training, it holds less than 80 %", inside.mean() < 0.80)

# %% [markdown]
# It is sure, and it is wrong. Uncertainty learned from tasks is uncertainty **about tasks like those**.
# No point of the loss ever asked what to say about another world.
#
# ## Two more readers
#
# A mean treats all examples alike, and squeezes them into one list of numbers. There are other ways to
# read.
#
# **A recurrent network** reads one example after the other and keeps a *state*, a list of numbers that
# each step rewrites. This is the oldest idea of the three (Hochreiter et al., 2001; Santoro et al.,
# 2016). At each moment it is given an $x$ and the $y$ *of the $x$ before*. So the right answer for
# this $x$ is not yet in sight, and the network can be asked for it:

# %%
display(Code(inspect.getsource(RecurrentLearner.adapt), language="python"))
display(Code(inspect.getsource(RecurrentLearner.predict), language="python"))

# %% [markdown]
# `step` is a GRU, a *gated recurrent unit* (Cho et al., 2014). Its gates decide, for each number of the
# state, how much of the old value stays.
#
# **A transformer** (Vaswani et al., 2017) keeps *all* examples, and lets each new point look at them.
# Looking is called **attention**. The new point forms a *query* $q$ (what am I looking for?), each
# example a *key* $k_i$ (what do I have?) and a *value* $v_i$ (what do I tell?). The new point then
# receives a mixture,
#
# $$ \sum_i a_i v_i, \qquad a_i = \frac{\exp(q \cdot k_i / \sqrt{d})}{\sum_j \exp(q \cdot k_j / \sqrt{d})}.$$
#
# The weights $a_i$ are positive and sum to 1: a *softmax* of how well query and keys match ($d$ is how
# many numbers a key has). Beware of the word: this *query* is a list of numbers inside a layer; a
# task's query set is what we are judged on. Four such layers are stacked, and before a new point looks
# at the examples in one layer, the examples have looked at each other in the layer below.

# %%
display(Code(inspect.getsource(Transformer._layers), language="python"))

# %% [markdown]
# `memory` holds the keys and values of the examples. They are computed once, in `adapt`. Language
# models do the same and call it the *key–value cache*.
#
# | reader | what it keeps of N examples |
# |---|---|
# | neural process | one list of numbers: their average code |
# | recurrent | one list of numbers: the state after the last |
# | transformer | keys and values of all N, in each layer |
#
# ## On the same waves as MAML
#
# **Predict.** MAML of notebook 04, after five points and ten gradient steps, has an error of about 0.3.
# The readers saw waves from the same world. Rank the four by their error after five points. By how
# much does the best beat the worst: 20 %, twice, ten times?

# %%
learners = {
    "MAML": checkpoints.load("sinusoid-maml"),
    "neural process": neural_process_learner,
    "recurrent": checkpoints.load("sinusoid-recurrent"),
    "transformer": checkpoints.load("sinusoid-transformer"),
}
STYLES = {
    "MAML": ("blue", "o-"),
    "neural process": ("orange", "s--"),
    "recurrent": ("pink", "D:"),
    "transformer": ("green", "^-."),
    "least squares": ("black", "x-"),
}


def errors_by_length(learners, counts, tasks):
    """Each learner's evaluation after reading each of ``counts`` examples."""
    results = {}
    for name, learner in learners.items():
        options = {"inner_steps": 10} if name == "MAML" else {}
        results[name] = [evaluate(learner, after(n, tasks), **options) for n in counts]
    return results


# %%
def plot_errors(ax, counts, results):
    for name, rows in results.items():
        color, line = STYLES[name]
        means, bars = [r.mean for r in rows], [r.interval for r in rows]
        ax.errorbar(counts, means, bars, fmt=line, color=COLORS[color], capsize=3, label=name)
    ax.set(xlabel="examples read", ylabel="error (MSE)", yscale="log")
    ax.legend(fontsize=9)


COUNTS = (1, 2, 3, 5, 7, 10)
waves_read = errors_by_length(learners, COUNTS, test_tasks)
_, ax = plt.subplots(figsize=(7, 3.6))
plot_errors(ax, COUNTS, waves_read)
plt.show()

print("error after               3 points          5 points         10 points   parameters")
for name, rows in waves_read.items():
    cells = (f"{rows[i].mean:8.3f} ± {rows[i].interval:.3f}" for i in (2, 3, 5))
    size = sum(value.numel() for value in learners[name].params.values())
    print(f"{name:16}", *cells, f"{size:12,}")

# %%
five = {name: rows[COUNTS.index(5)] for name, rows in waves_read.items()}
claim(
    "after five points the transformer's error is less than a tenth of MAML's",
    10 * (five["transformer"].mean + five["transformer"].interval) < five["MAML"].mean,
)
claim(
    "so is the neural process's, less than a fifth",
    5 * (five["neural process"].mean + five["neural process"].interval) < five["MAML"].mean,
)
claim(
    "with one point read, nobody is good: two numbers make a wave",
    all(rows[0].mean > 0.5 for rows in waves_read.values()),
)

# %% [markdown]
# **Explain.** MAML has to learn with one tool: a few gradient steps on a small network, from one start.
# A reader may use *any* computation that fits into its layers, and the outer loop picks one that suits
# waves. It need not even resemble learning as we know it.
#
# Be fair to MAML, though. This is no contest of equals: the readers have 30 to 80 times its parameters,
# and they were made for this one world. What does MAML have that they lack?
#
# ## What gradient steps are still good for
#
# Turn the waves upside down: $y = -A \sin(x - p)$. These waves have the same shape and the same heights,
# yet none of them occurs in training, where $A$ is never negative.
#
# MAML can at least keep stepping: each step lowers the error on the points it was given, whatever they
# are. A reader has no such drive. It has a habit.
#
# **Predict.** With 20 points on an upside-down wave: who is better now, the transformer after reading
# them or MAML after 100 gradient steps?

# %%
upright = sinusoids.draw_tasks(1000, generator)
upside_down = SineTasks(-upright.amplitude, upright.phase)
strange_tasks = Episodes(upside_down.draw(20, generator), upside_down.draw(50, generator))

strange = {"MAML, 10 steps": [], "MAML, 100 steps": [], "transformer": []}
for count in (5, 10, 20):
    tasks = after(count, strange_tasks)
    for steps in (10, 100):
        strange[f"MAML, {steps} steps"].append(evaluate(learners["MAML"], tasks, inner_steps=steps))
    strange["transformer"].append(evaluate(learners["transformer"], tasks))

print("upside down, error after  5 points        10 points         20 points")
for name, rows in strange.items():
    print(f"{name:18}", *(f"{r.mean:10.2f} ± {r.interval:.2f}" for r in rows))

# %%
steps_100, read_20 = strange["MAML, 100 steps"][2], strange["transformer"][2]
claim(
    "on 20 points of an upside-down wave, 100 gradient steps beat reading",
    steps_100.mean + steps_100.interval < read_20.mean - read_20.interval,
)
claim(
    "the transformer's error is more than 20 times its error on ordinary waves",
    read_20.mean > 20 * waves_read["transformer"][-1].mean,
)

# %% [markdown]
# **Explain.** The reader's computation is a habit that the training tasks rewarded. Outside them nothing
# pulls it towards the points; more points help it little. Gradient descent pulls towards the points by
# its very definition, wherever it is. C. Finn and S. Levine (2018) made both halves of this comparison
# precise: recurrent learners and MAML can represent the same learning procedures, and MAML degraded
# less on tasks unlike those of training.
#
# Few points and a familiar world: read. Many points and a strange world: step.
#
# ## See them read
#
# Click on the left chart to place a point, anywhere, on the wave or off it. Everybody reads it at once.
# Move **points read** back to see what each knew before. Then try this:
#
# - **Shuffle the order** a few times and watch which curves move.
# - Press **Clear** and click three points of a straight line.
# - Place two points one above the other, and look at the band.

# %%
from metalearn_lite.widgets.in_context import InContextExplorer, InContextModel

explorer = InContextExplorer(InContextModel(learners, torch.Generator().manual_seed(11)))
explorer

# %%
figure = explorer.filmstrip(counts=(0, 1, 3, 5))
display(figure)
print(explorer.description((0, 1, 3, 5)))

# %% [markdown]
# ## Does order matter?
#
# The points of a wave come in no order. A learner that answers differently when they are shuffled uses
# something that is not there. You can test this for any learner, with nothing but its verbs.

# %% [markdown]
# ### Exercise 2 · The permutation test
#
# | difficulty | time | why it matters |
# |---|---|---|
# | ●○○ | 10 minutes | it works on any learner you are handed, also one whose code you cannot read |
#
# `support` holds `x` `(num_tasks, N, 1)` and `y` `(num_tasks, N)`; `order` is a permutation of
# 0 … N − 1. Put every task's support into that order. Return the **largest absolute change** of any
# answer for `query_x`: one number. (`Examples(x, y)` makes a support.)


# %%
def order_effect(learner, support, query_x, order):
    raise NotImplementedError("your turn")


# %%
check("09.order_effect", order_effect)

# %% [markdown]
# **Predict.** Four learners, eight points in 20 random orders. Whose curve moves: MAML's, the neural
# process's, the recurrent network's, the transformer's?

# %%
orders = [torch.randperm(8, generator=generator) for _ in range(20)]
figure, axes = plt.subplots(1, 4, figsize=(11, 2.7), sharey=True)
moved = {}
for ax, (name, learner) in zip(axes, learners.items(), strict=True):
    with torch.no_grad():
        curves = [
            learner.predict(learner.adapt(Examples(points.x[:, order], points.y[:, order])), grid)
            for order in orders
        ]
    curves = torch.cat(curves)
    moved[name] = (curves.amax(0) - curves.amin(0)).max().item()
    ax.plot(grid[0, :, 0], curves.T, color=COLORS[STYLES[name][0]], linewidth=1)
    ax.plot(points.x[0, :, 0], points.y[0], "o", color=COLORS["black"])
    ax.set(title=name, xlabel="x")
axes[0].set_ylabel("y")
plt.show()
print({name: f"{change:.2f}" for name, change in moved.items()})

# %% [markdown]
# *In words: each panel shows 20 curves, one for each order of the same eight points. In three panels
# they lie on one another. In the recurrent network's they fan out.*

# %%
claim(
    "MAML, the neural process and the transformer do not care about order",
    max(moved[name] for name in ("MAML", "neural process", "transformer")) < 1e-3,
)
claim("the recurrent network does", moved["recurrent"] > 0.05)

# %% [markdown]
# **Explain.** The other three are orderless **by design**, before any training. MAML sums over examples,
# the neural process averages, the transformer mixes with weights that sum to 1. None of them knows an
# example's place in the row. The recurrent network has to *learn* that order means nothing, and it has
# learned it only nearly.
#
# (Our transformer gives its examples no place numbers. A language model's transformer does, because the
# order of words matters. That one *would* change.)
#
# ## More examples than in training
#
# No reader saw more than ten examples at once. **Predict.** Now they read 20, 40, 80, 160. Will their
# error keep falling, stop, or rise?

# %%
LONG = (5, 10, 20, 40, 80, 160)
long_tasks = sinusoids.sample(300, num_shots=160, num_queries=50, generator=generator)
long_read = errors_by_length(learners, LONG, long_tasks)
_, ax = plt.subplots(figsize=(7, 3.6))
plot_errors(ax, LONG, long_read)
ax.axvspan(5, 10, color=COLORS["gray"], alpha=0.15)
ax.set(xscale="log", xticks=LONG, xticklabels=LONG, title="gray: lengths met in training")
ax.minorticks_off()
plt.show()

# %% [markdown]
# LONGCONTEXT_TEXT
#
# ## How good could anyone be?
#
# On waves we compared learners with each other. Is there a best possible one to compare with? For the
# next tasks there is. A task is now a list of five **weights** $w$, and
#
# $$ y = w \cdot x = w_1 x_1 + \dots + w_5 x_5 .$$
#
# Weights and inputs are all drawn from the standard normal distribution, and there is no noise. This is
# **linear regression in context**, the test bench of Garg et al. (2022).
#
# The classical tool is **least squares**: choose the $w$ that fits the examples best. With five or more
# examples there is exactly one perfect fit. With fewer, infinitely many weights fit perfectly, and one
# must choose. Least squares here takes the *shortest*. That choice is no whim. Before any example, $w$
# points in every direction alike. Three examples tell its part along three directions and nothing about
# the other two, where the best guess is the average: 0. (With noise in $y$ the best guess is *ridge
# regression*, which shrinks the weights; with no noise it becomes the shortest fit.)

# %%
display(Code(inspect.getsource(LeastSquares.adapt), language="python"))

# %% [markdown]
# **Predict.** Each direction that is still unknown adds 1 to the expected squared error. So what is the
# least error that anyone can reach after 0, 1, 2, 3, 4, 5 examples? And will the three readers reach it,
# who have never been told about weights, directions or squares?

# %%
lines = LinearRegression(num_inputs=5)
linear_tasks = lines.sample(2000, num_shots=40, num_queries=50, generator=generator)
linear_learners = {"least squares": LeastSquares()} | {
    name: checkpoints.load(f"linear-{name.replace(' ', '-')}")
    for name in ("neural process", "recurrent", "transformer")
}
EXAMPLES = tuple(range(11))
linear = {
    name: [evaluate(learner, after(n, linear_tasks)) for n in EXAMPLES]
    for name, learner in linear_learners.items()
}
_, ax = plt.subplots(figsize=(7, 3.8))
for name, rows in linear.items():
    color, line = STYLES[name]
    means, bars = [r.mean for r in rows], [r.interval for r in rows]
    ax.errorbar(EXAMPLES, means, bars, fmt=line, color=COLORS[color], capsize=3, label=name)
ax.set(xlabel="examples read", ylabel="error (MSE)", xticks=EXAMPLES)
ax.legend(fontsize=9)
plt.show()

# %%
print("error after      ", *(f"{n:>8}" for n in EXAMPLES[:8]), "      10   examples")
for name, rows in linear.items():
    print(f"{name:17}", *(f"{rows[n].mean:8.2f}" for n in (*EXAMPLES[:8], 10)))
best, reader = linear["least squares"], linear["transformer"]
claim(
    "least squares has an error of 5 minus the number of examples, down to 0",
    all(abs(best[n].mean - max(5 - n, 0)) < 0.3 for n in EXAMPLES),
)
claim(
    "with 0 to 4 examples the transformer is within a quarter of that",
    all(reader[n].mean < 1.25 * best[n].mean for n in range(5)),
)
claim(
    "with 10 examples its error is below 0.1, where always answering 0 gives 5",
    reader[10].mean < 0.1,
)
claim(
    "of the three readers it is the best after 5 and after 10 examples",
    all(
        reader[n].mean + reader[n].interval < linear[other][n].mean - linear[other][n].interval
        for other in ("neural process", "recurrent")
        for n in (5, 10)
    ),
)

# %% [markdown]
# **Explain.** Where examples are few, the transformer is about as good as anyone can be: it has learned
# to leave the unknown directions alone. It found that by itself, from nothing but tasks. Where one could
# know everything, at five examples, least squares has an error of exactly 0 and the transformer does
# not: five equations must be solved, and it has four layers to do it in.
#
# ## What does the transformer compute?
#
# We do not know. But here is a construction that made many people think (von Oswald et al., 2023). It
# begins with an exercise.

# %% [markdown]
# ### Exercise 3 · A gradient step written as attention
#
# | difficulty | time | why it matters |
# |---|---|---|
# | ●●● | 15 minutes | it joins this notebook to MAML: reading *can* be gradient descent |
#
# Linear regression again. You hold weights `weights` `(num_tasks, D)`, not zero in general. Take one
# gradient step on each task's mean squared error over the support, of length `inner_lr`, and answer for
# `query_x` `(num_tasks, M, D)`.
#
# But do it as attention would: the new answer for $x$ is its old answer plus a weighted sum over the
# examples. Return **two** tensors: the attention *scores* `(num_tasks, M, N)`, each a number times the
# product $x \cdot x_i$, and the *answers* `(num_tasks, M)`. What must the scores be multiplied with?


# %%
def gradient_step(weights, support_x, support_y, query_x, inner_lr):
    raise NotImplementedError("your turn")


# %%
check("09.gradient_step", gradient_step)

# %% [markdown]
# So one layer of attention (without its softmax) *can* do one step of gradient descent, and a stack of
# layers several steps. **Can** is not **does**. We can at least rule something out. Take one gradient
# step from $w = 0$ on ten examples, with the very best step length for these tasks:

# %%
support, query = after(10, linear_tasks)
direction = 2 * (support.x * support.y.unsqueeze(-1)).mean(1)
one_step = (query.x @ direction.unsqueeze(-1)).squeeze(-1)
rate = (one_step * query.y).sum() / one_step.square().sum()  # the best there is
one_step_error = (rate * one_step - query.y).square().mean().item()
print(
    f"best step length {rate:.2f}: error {one_step_error:.2f}; ten examples read {reader[10].mean:.2f}"
)
claim(
    "the transformer's error is less than a tenth of the best single gradient step's",
    10 * (reader[10].mean + reader[10].interval) < one_step_error,
)

# %% [markdown]
# Whatever it does, it is more than one such step. Akyürek et al. (2023) trained larger transformers on
# this problem and found their answers closest to different classical methods at different sizes. Several
# steps, something near Newton's method, something with no name: all remain possible here.
#
# ## Is this what language models do?
#
# You can give a large language model a few examples and a question, all as text:
#
# > *sea → mer, house → maison, bread →*
#
# and it goes on: *pain*. No weight has changed. Brown et al. (2020) called this **in-context learning**
# when they found how well GPT-3 did it, and described it in the words of this course: pre-training as
# the outer loop, reading the prompt as the inner one.
#
# What our small networks share with that, and what not:
#
# | | here | a language model |
# |---|---|---|
# | weights during the task | fixed | fixed |
# | what is read | examples of one task | any text |
# | meta-training | every context *is* a task; we asked for learning | predict the next word; nobody asked for learning |
# | best answer | known for linear regression | unknown |
# | order of examples | no effect, by design | an effect, sometimes a large one (Lu et al., 2022) |
#
# So is it the same thing? Some evidence, with its limits:
#
# - Transformers *trained on function tasks* do learn in context, close to the best possible (Garg et
#   al., 2022, and the figure above). That shows what the architecture can do.
# - In small models, whether learning in context appears at all depends on the training data: bursts of
#   related items and many rare classes favour it (Chan et al., 2022).
# - With a language model, wrong labels in the prompt's examples sometimes hardly hurt (Min et al., 2022).
#   A learner of $y$ from $x$ would be ruined by them. So part of what looks like learning is
#   *recognising* a task it already knew.
# - Whether language models internally do gradient descent is **open**. Shen et al. (2024) compared the
#   two in a real one and found that they behave differently.
#
# "A transformer can meta-learn from examples in its input" is well supported. "This is how language
# models work" is not yet.
#
# ### Think
#
# Our neural process is sure of itself on tall waves, and wrong. Suppose you may change the
# meta-training, but not the network. What would you add to the tasks so that the band becomes honest on
# tall waves? Would it then be honest on upside-down waves? What does that say about a language model
# that sounds sure?
#
# ## Quiz

# %%
quiz("09.1")

# %%
quiz("09.2")

# %%
quiz("09.3")

# %% [markdown]
# ## Summary
#
# - A network can learn a task by **reading** it. The outer loop uses gradients; the inner loop is one
#   forward pass.
# - A **neural process** averages codes, a **recurrent network** rewrites a state, a **transformer** keeps
#   all examples and attends to them.
# - On tasks like those of training, readers beat MAML by far. On others, gradient steps still pull towards
#   the points, and readers do not.
# - Averages and attention without places are **orderless by design**. A recurrent network is not: test it.
# - On linear regression in context, a small transformer comes close to **least squares**, which nobody
#   can beat.
#
# ## What goes wrong in practice
#
# - **The label of the question in its own input.** A recurrent learner must read the *previous* $y$. Shift
#   by one the wrong way and it scores perfectly and has learned nothing.
# - **Trained at one context length only.** Then that length is part of the task. Draw it at random.
# - **Padding that is averaged.** Mask the codes, not the points: a point at (0, 0) is a point.
# - **Uncertainty trusted outside the training tasks.** Check the coverage on the tasks you will meet.
# - **A small loss compared with 0.** Before you call a reader bad, compute what the best answer could be.
#
# ## Reading
#
# - M. Garnelo et al. *Conditional Neural Processes.* ICML 2018.
#   [arXiv:1807.01613](https://arxiv.org/abs/1807.01613).
# - S. Hochreiter, A. S. Younger, P. R. Conwell. *Learning to Learn Using Gradient Descent.* ICANN 2001.
# - A. Santoro et al. *Meta-Learning with Memory-Augmented Neural Networks.* ICML 2016; as preprint
#   [arXiv:1605.06065](https://arxiv.org/abs/1605.06065).
# - S. Garg, D. Tsipras, P. Liang, G. Valiant. *What Can Transformers Learn In-Context? A Case Study of
#   Simple Function Classes.* NeurIPS 2022. [arXiv:2208.01066](https://arxiv.org/abs/2208.01066).
# - J. von Oswald et al. *Transformers Learn In-Context by Gradient Descent.* ICML 2023.
#   [arXiv:2212.07677](https://arxiv.org/abs/2212.07677).
# - E. Akyürek et al. *What Learning Algorithm Is In-Context Learning?* ICLR 2023.
#   [arXiv:2211.15661](https://arxiv.org/abs/2211.15661).
# - C. Finn, S. Levine. *Meta-Learning and Universality.* ICLR 2018.
#   [arXiv:1710.11622](https://arxiv.org/abs/1710.11622).
# - On language models: Brown et al., *Language Models are Few-Shot Learners*, 2020
#   ([arXiv:2005.14165](https://arxiv.org/abs/2005.14165)); Lu et al., *Fantastically Ordered Prompts*,
#   2022 ([arXiv:2104.08786](https://arxiv.org/abs/2104.08786)); Min et al., *Rethinking the Role of
#   Demonstrations*, 2022 ([arXiv:2202.12837](https://arxiv.org/abs/2202.12837)); Chan et al., *Data
#   Distributional Properties Drive Emergent In-Context Learning in Transformers*, 2022
#   ([arXiv:2205.05055](https://arxiv.org/abs/2205.05055)); Shen et al., *Do pretrained Transformers Learn
#   In-Context by Gradient Descent?*, 2024 ([arXiv:2310.08540](https://arxiv.org/abs/2310.08540)).
# - The parts: Vaswani et al., *Attention Is All You Need*, 2017
#   ([arXiv:1706.03762](https://arxiv.org/abs/1706.03762)); Cho et al., 2014
#   ([arXiv:1406.1078](https://arxiv.org/abs/1406.1078)); Müller et al., *Transformers Can Do Bayesian
#   Inference*, 2022 ([arXiv:2112.10510](https://arxiv.org/abs/2112.10510)), whose orderless transformer
#   ours resembles.
