"""Run the course's notebooks, store clean outputs, and say what is wrong with what is stored.

    python tools/notebooks.py run notebooks/*.ipynb     run, clean, save; stops at a failure
    python tools/notebooks.py clean notebooks/*.ipynb   clean without running
    python tools/notebooks.py check notebooks/*.ipynb   print problems; exit status 1 if any

`clean` and `problems` are functions of a notebook alone. What `clean` takes away:

- notebook metadata, but the kernel's name and the language;
- cell metadata (time stamps, collapsed outputs), but tags and the like; all output metadata, but
  the text alternative of a figure, which it puts there: see `text_alternative`;
- the sight of claims, and of what stands under a heading "Bonus": it collapses both;
- the live view of a widget, `application/vnd.jupyter.widget-view+json`: it points at a state that
  is not stored, which GitHub reports as an invalid notebook. The text beside it stays. nbval
  ignores that type too, so a cleaned output still equals the one a fresh run gives;
- the borders between chunks of one printed stream, which differ from run to run.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
CELL_METADATA = {"tags", "editable", "deletable", "slideshow", "nbgrader"}
CLAIMS = {"jupyter": {"source_hidden": True}}
BONUS = {"jp-MarkdownHeadingCollapsed": True}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

MAX_CELL_LINES = 30
MAX_WIDGET_REPR = 80

ABSOLUTE_PATH = re.compile(
    r"(?<![\w./])/(?:root|home|Users|work|tmp|private|opt|usr|var|mnt|content)/[^\s'\"]*"
    r"|\b[A-Za-z]:\\Users\\[^\s'\"]*"
)
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
PROGRESS_BAR = re.compile(r"\d+%\|| (?:it/s|s/it)\b|\r(?!\n)")
CAPTION = re.compile(r"[*_]*In words: *(.+?)(?:\n\n|$)", re.DOTALL)
MARKUP = re.compile(r"(?<!\w)[*_]+|[*_]+(?!\w)|[`$\\]|\]\([^)]*\)|\[(?=[^]]*\]\()")
SECTION = re.compile(r"##? ")
HEADING = re.compile(r"^#+ ", re.MULTILINE)
BONUS_HEADING = re.compile(r"## Bonus\b")
SHOWS = re.compile(
    r"^ *(print|display|plt\.show|quiz|check|meta_train|progress)\(|= yours\(|^(import|from) ",
    re.MULTILINE,
)
CLAIM = re.compile(r"^ *claim\(", re.MULTILINE)
PRINTING_CALLS = {"print", "display", "claim"}


def clean(notebook: NotebookNode) -> NotebookNode:
    """A copy with everything removed that differs from run to run or from machine to machine."""
    cleaned = copy.deepcopy(notebook)
    cleaned.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNELSPEC), language_info=NotebookNode(LANGUAGE_INFO)
    )
    for number, cell in enumerate(cleaned.cells):
        kept = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        cell.metadata = nbformat.from_dict(kept | collapsed(cell))
        if cell.cell_type == "code":
            cell.outputs = _joined_streams(cell.outputs)
            alternative = text_alternative(cleaned.cells, number)
            cell.outputs = [_clean_output(output, alternative) for output in cell.outputs]
    return cleaned


def collapsed(cell: NotebookNode) -> dict:
    """The metadata by which JupyterLab shows of `cell` only its output, or only its heading."""
    if cell.cell_type == "code" and claims_something(cell.source):
        return CLAIMS
    return BONUS if cell.cell_type == "markdown" and BONUS_HEADING.match(cell.source) else {}


def claims_something(source: str) -> bool:
    """Whether a cell tests the text: it calls `claim`, outside of a function or in a loop."""
    return bool(CLAIM.search(source))


def main_path(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells that are not in a section headed "Bonus"; a section ends where the next begins."""
    path, bonus = [], False
    for cell in cells:
        if cell.cell_type == "markdown" and SECTION.match(cell.source):
            bonus = bool(BONUS_HEADING.match(cell.source))
        if not bonus:
            path.append(cell)
    return path


def num_words(cells: list[NotebookNode]) -> int:
    """Of the prose, with its formulas and tables."""
    return sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")


def text_alternative(cells: list[NotebookNode], number: int) -> str:
    """What the figure of cell `number` shows, for those who cannot see it; "" where nobody says.

    It is the caption, "*In words: …*", below the figure and above the next one. Where there is
    none, it is what the figure's own cell prints after it, as with the widgets' `description`.
    """
    for cell in cells[number + 1 :]:
        if cell.cell_type == "markdown" and (match := CAPTION.match(cell.source)):
            words = " ".join(MARKUP.sub("", match[1]).split())
            return words[:1].upper() + words[1:]
        if cell.cell_type == "code" and any(_images(output) for output in cell.outputs):
            break
    outputs = cells[number].outputs
    first = next((i for i, output in enumerate(outputs) if _images(output)), len(outputs))
    printed = [output.text for output in outputs[first:] if output.output_type == "stream"]
    lines = "".join(printed).splitlines()
    return " ".join(" ".join(line for line in lines if not line.startswith("✔")).split())


def problems(notebook: NotebookNode) -> list[str]:
    """What a reader, GitHub or the next run would stumble over; empty when it is fit to ship."""
    found = _metadata_problems(notebook)
    for cell in notebook.cells:
        if BONUS_HEADING.match(cell.source) and len(HEADING.findall(cell.source)) > 1:
            title = cell.source.splitlines()[0]
            found.append(f"{title!r} shares its cell with another heading: split it, to be folded")
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code_cells, start=1):
        count = cell.get("execution_count")
        if count != number:
            found.append(f"code cell {number}: not run in order, its execution count is {count}")
        found += [f"code cell {number}: {problem}" for problem in _cell_problems(cell)]
    return found


def run(path: Path, timeout: float = 600) -> float:
    """Run a notebook in its own folder and save it cleaned; the file is untouched if a cell raises.

    Returns the seconds it took. Raises CellExecutionError, or CellTimeoutError for a cell over
    `timeout` seconds.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
    )
    start = time.perf_counter()
    # What a progress bar leaves behind is never the same twice. tqdm's notebook bar does not heed
    # this variable itself: its caller passes disable=bool(os.environ.get("TQDM_DISABLE")).
    client.execute(env={**os.environ, "TQDM_DISABLE": "1"})
    seconds = time.perf_counter() - start
    save(notebook, path)
    return seconds


def save(notebook: NotebookNode, path: Path) -> None:
    """Write the cleaned notebook, if that changes the file, without ever leaving half of it."""
    text = nbformat.writes(clean(notebook)) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)


def _joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        previous = joined[-1] if joined else None
        if (
            previous is not None
            and output.output_type == previous.output_type == "stream"
            and output.name == previous.name
        ):
            previous.text += output.text
        else:
            joined.append(output)
    return joined


def _images(output: NotebookNode) -> list[str]:
    return [kind for kind in output.get("data", {}) if kind.startswith("image/")]


def _clean_output(output: NotebookNode, alternative: str) -> NotebookNode:
    if "metadata" in output:
        output.metadata = NotebookNode()
    if alternative:
        # Where nbconvert's template "classic" looks for it.
        for kind in _images(output):
            output.metadata[kind] = NotebookNode(alt=alternative)
    if "data" in output and len(output.data) > 1:
        output.data.pop(WIDGET_VIEW, None)
    return output


def _metadata_problems(notebook: NotebookNode) -> list[str]:
    if clean(notebook) == notebook:
        return []
    return ["not clean: run `make notebooks` or `python tools/notebooks.py clean`"]


def _cell_problems(cell: NotebookNode) -> Iterator[str]:
    if claims_something(cell.source) and SHOWS.search(cell.source):
        yield "it claims and shows: claims are collapsed, so give them a cell of their own"
    lines = len(cell.source.splitlines())
    if lines > MAX_CELL_LINES:
        yield f"it has {lines} lines, more than {MAX_CELL_LINES}"
    if not cell.outputs and _promises_output(cell.source):
        yield "it prints or ends with a value, but has no output"
    for text in [cell.source, *_texts(cell)]:
        if match := ABSOLUTE_PATH.search(text):
            yield f"it shows the path {match[0]}, which only exists on one machine"
    for text in _texts(cell):
        if match := MEMORY_ADDRESS.search(text):
            yield f"it shows a memory address ({match[0]}), which no other run repeats"
        if PROGRESS_BAR.search(text):
            yield "it holds what a progress bar left behind"
    for output in cell.outputs:
        yield from _output_problems(output)


def _output_problems(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"it failed with {output.ename}: {output.evalue}"
    elif any("alt" not in output.metadata.get(kind, {}) for kind in _images(output)):
        yield (
            "its figure has no text alternative: write a cell '*In words: …*' below it, or print "
            "its description in its cell, and run `python tools/notebooks.py clean`"
        )
    elif output.output_type == "stream" and output.name == "stderr":
        yield f"it wrote to stderr: {output.text.strip()[:80]}"
    elif set(output.get("data", {})) == {WIDGET_VIEW}:
        yield "it shows a widget without a text in its place"
    elif _is_widget_repr(output):
        yield "it shows a widget as its constructor call: give the widget a sentence instead"


def _is_widget_repr(output: NotebookNode) -> bool:
    data = output.get("data", {})
    text = data.get("text/plain", "")
    return (
        set(data) <= {"text/plain", WIDGET_VIEW}
        and len(text) > MAX_WIDGET_REPR
        and bool(re.match(r"[A-Z]\w*\(\w+=.*\blayout=|[A-Z]\w*\((children|outputs)=", text, re.S))
    )


def _texts(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/") or kind == "image/svg+xml":
                yield "".join(content)


def _promises_output(source: str) -> bool:
    """Whether running the source surely shows something; a call at its end may return None."""
    if source.rstrip().endswith(";"):
        return False
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic such as %time
        return False
    expressions = [node.value for node in statements if isinstance(node, ast.Expr)]
    prints = any(
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in PRINTING_CALLS
        for value in expressions
    )
    last = statements[-1] if statements else None
    return prints or (
        isinstance(last, ast.Expr)
        and not isinstance(last.value, ast.Call | ast.Await | ast.Constant)
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run, clean and check the course's notebooks.")
    parser.add_argument("action", choices=["run", "clean", "check"])
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a notebook may hold what a console cannot show
    status = 0
    for path in options.paths:
        if options.action == "run":
            print(f"{path} …", end=" ", flush=True)
            try:
                print(f"{run(path):.0f} s", flush=True)
            except (CellExecutionError, CellTimeoutError) as error:
                print(f"failed, and is left as it was\n{error}")
                return 1
        notebook = nbformat.read(path, as_version=4)
        if options.action == "clean":
            save(notebook, path)
        else:
            for problem in problems(notebook):
                print(f"{path}: {problem}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
