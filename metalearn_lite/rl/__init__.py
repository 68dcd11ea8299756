"""The same ideas over trajectories. ``LEARNERS`` names those that are meta-trained by playing."""

from metalearn_lite.rl.learned_rule import LearnedRule
from metalearn_lite.rl.maml_policy_gradient import MAMLPolicyGradient
from metalearn_lite.rl.rl2 import RL2

LEARNERS = {kind.__name__: kind for kind in (MAMLPolicyGradient, RL2, LearnedRule)}
