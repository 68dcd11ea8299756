"""What a notebook talks to its reader with."""

from metalearn_lite.teaching.claims import claim
from metalearn_lite.teaching.exercises import check, hint
from metalearn_lite.teaching.progress import progress
from metalearn_lite.teaching.quizzes import quiz
from metalearn_lite.teaching.yours import yours

__all__ = ["check", "claim", "hint", "progress", "quiz", "yours"]
