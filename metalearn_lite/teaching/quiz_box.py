"""The buttons under a quiz question."""

from __future__ import annotations

import ipywidgets

from metalearn_lite.teaching import done
from metalearn_lite.teaching.quizzes import Question


class QuizBox(ipywidgets.VBox):
    """One button per option, and the reply to the one that is picked."""

    def __init__(self, question: Question):
        self.question = question
        letters = "ABCDEFG"[: len(question.options)]
        self.choice = ipywidgets.ToggleButtons(
            options=list(letters), value=None, style={"button_width": "3em"}
        )
        self.reply = ipywidgets.HTML()
        self.choice.observe(self._show_reply, names="value")
        super().__init__([self.choice, self.reply])

    def _show_reply(self, change) -> None:
        chosen = "ABCDEFG".index(change.new) if change.new else None
        if chosen == self.question.right:
            done.record(self.question.name)
        text = "" if chosen is None else self.question.answer(chosen)
        self.reply.value = f'<span role="status">{text}</span>'

    def __repr__(self) -> str:
        return "Run this cell in JupyterLab to pick an option and read the reply to it."
