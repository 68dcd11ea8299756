"""Quiz questions: three a notebook, answered at once, each option with its reason."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from importlib import resources

ORDER = 1685  # seeds the order of every question's options, so that no letter is the safe one


@dataclass(frozen=True)
class Question:
    """``options`` pairs each answer with what to say to whoever picks it.

    Of a wrong answer that begins with what it confuses.
    """

    name: str
    text: str
    options: tuple[tuple[str, str], ...]
    right: int

    def answer(self, chosen: int) -> str:
        """The reply to option number ``chosen``."""
        mark = "✔ Right." if chosen == self.right else "✗ Not quite."
        return f"{mark} {self.options[chosen][1]}"


def find(name: str) -> Question:
    """Question ``name``, such as ``04.1``: notebook, then number.

    Raises:
        KeyError: there is none; the message lists those there are.
    """
    notebook = name.partition(".")[0]
    file = resources.files(__package__).joinpath("questions", f"{notebook}.json")
    questions = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if name not in questions:
        raise KeyError(f"no question {name!r}. There are: {', '.join(questions) or 'none'}")
    options = list(questions[name]["options"])
    random.Random(f"{ORDER} {name}").shuffle(options)
    (right,) = [index for index, option in enumerate(options) if option.get("right")]
    told = tuple((option["answer"], _reply(option)) for option in options)
    return Question(name, questions[name]["question"], told, right)


def _reply(option: dict) -> str:
    if option.get("right"):
        return option["reply"]
    return f"This confuses {option['confuses']}. {option['reply']}"


def quiz(name: str) -> None:
    """Shows question ``name`` with its options, and replies to the one that is picked."""
    from IPython.display import Markdown, display

    from metalearn_lite.teaching.quiz_box import QuizBox

    question = find(name)
    lines = [f"**Question {name}.** {question.text}", ""]
    lines += [
        f"- **{letter}.** {text}"
        for letter, (text, _) in zip("ABCDEFG", question.options, strict=False)
    ]
    display(Markdown("\n".join(lines)), QuizBox(question))
