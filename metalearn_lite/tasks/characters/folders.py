"""Your own images: a folder of PNG or JPEG files as characters to sample episodes from."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from metalearn_lite import checks
from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE, Characters
from metalearn_lite.tasks.characters.pictures import Picture, Unreadable, read

MOST_DRAWINGS = 100_000
NAMED = 3  # so many files of a kind are named, and the others counted
JUNK = ("thumbs.db", "desktop.ini", "__macosx")  # what systems leave behind, beside hidden files
SMALL = IMAGE_SIZE / 4  # pixels: drawings that span less would gain by `framed`
BESIDE = "it lies beside the folders of {}, in none of them"
TOO_DEEP = "folders so deep are not looked into: alphabet/character/image is the deepest"
FAINT = 0.5  # a page without a darker pixel is stretched


Key = tuple[str, str]  # a class: its alphabet and its name
WAYS = {True: "dark ink on light paper", False: "light ink on dark paper"}


class Found(NamedTuple):
    """What lies in a folder: its folders, its files, and what is neither, with the reason."""

    folders: list[str]
    files: list[str]
    others: list[tuple[str, str]]


def from_folder(
    path: Path | str,
    *,
    ink: str | None = None,
    num_drawings: int | None = None,
    framed: bool = False,
) -> Characters:
    """The images below `path` as characters, and a few printed sentences on what was found.

    Two layouts are known, and may stand side by side: ``path/CLASS/*.png``, whose classes make up
    one alphabet of the folder's name, and ``path/ALPHABET/CHARACTER/*.png`` as in Omniglot. Files
    are PNG or JPEG of any size and name. Alphabets, characters and drawings come in the order of
    their names. A drawing's "drawer" is its place in its folder, so only where every folder's
    files are named after the same people (as Omniglot's are) is it a person.

    Every image is turned upright as its camera noted, made grey, stretched from its own paper (0)
    to its own darkest ink (255), padded with paper to a square, and averaged to 28 × 28. Where
    that leaves no pixel half as dark as ink, as with a fine pen in a large image, it is darkened.
    Light should be even: a shadow on a photograph becomes ink.

    What cannot be used is named and left out: what is no PNG or JPEG, damaged, all of one shade,
    or above 64 megapixels; links, which could lead anywhere; images that lie beside the folders of
    classes; and classes of fewer than 2 drawings. Hidden files are left out without a word.

    Args:
        path: the folder. A folder that holds nothing but one folder of classes is looked through.
        ink: "dark" or "light"; without it each image's edge tells which of the two its paper is,
            and where the edge is unclear the other images do.
        num_drawings: how many each class gives; classes with fewer are left out. Without it, as
            many as the smallest class has.
        framed: cut every drawing to its ink, and make its longer side 18 pixels of the 28, as it
            is in the median character of Omniglot.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds fewer than 2 classes of 2 drawings, too many files, or an alphabet
            with "@" in its name.
    """
    checks.choice((None, "dark", "light"), ink=ink)
    checks.flag(framed=framed)
    if num_drawings is not None:
        checks.count(2, MOST_DRAWINGS, num_drawings=num_drawings)
    root = _root(path)
    classes, left_out = _classes(root)
    known = None if ink is None else ink == "dark"
    pictures = _read_all(classes, known, framed, left_out)
    _say_left_out(left_out)
    chosen = _enough(root, pictures, num_drawings)
    each = num_drawings or min(map(len, chosen.values()))
    used = {key: several[:each] for key, several in chosen.items()}
    dark = _say_ink([one for several in used.values() for one in several], known)
    pages = np.stack([[_page(one, known, dark) for one in several] for several in used.values()])
    _say_size(pages, framed)
    _say_numbers(chosen, each, num_drawings is None)
    alphabets, names = (list(column) for column in zip(*used, strict=True))
    return Characters(
        torch.from_numpy(_darkened(pages)), alphabets, names, f"images of {root.name}"
    )


# Looking through folders


def _root(path: Path | str) -> Path:
    if not isinstance(path, str | os.PathLike) or not str(path).strip():
        raise ValueError(f"path={path!r}: give the folder of your images, such as 'my_images'.")
    try:
        root = Path(path).expanduser().resolve()
        there = root.exists()
    except (OSError, RuntimeError, ValueError) as fault:  # no such user, a loop, a null character
        raise ValueError(f"path={str(path)!r} cannot be a folder: {fault}.") from None
    if not there:
        raise FileNotFoundError(f"There is no folder {root}: check how its name is written.")
    if not root.is_dir():
        raise ValueError(
            f"{root} is no folder: give the folder that holds a folder for each class."
        )
    return root


def _look(folder: Path) -> Found:
    found = Found([], [], [])
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as fault:
        found.others.append(("", f"it cannot be looked into ({fault.strerror})"))
        return found
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in JUNK:
            continue
        if entry.is_symlink() or (hasattr(entry, "is_junction") and entry.is_junction()):
            found.others.append((entry.name, "links are not followed: copy what they lead to"))
        elif entry.is_dir(follow_symlinks=False):
            found.folders.append(entry.name)
        elif entry.is_file(follow_symlinks=False):
            found.files.append(entry.name)
        else:
            found.others.append((entry.name, "neither a file nor a folder"))
    return found


def _classes(root: Path) -> tuple[dict[Key, list[Path]], list[tuple[str, str]]]:
    """The files of each (alphabet, character), and what was left out: (path, why)."""
    top, inner = root, _look(root)
    while len(inner.folders) == 1 and not inner.files:  # a folder around the folder of classes
        below = _look(top / inner.folders[0])
        if below.files or not below.folders:
            break
        top, inner = top / inner.folders[0], below
    classes: dict[Key, list[Path]] = {}
    left_out = [(f"{top.name}/{name}", BESIDE.format("classes")) for name in inner.files]
    left_out += [(f"{top.name}/{name}", why) for name, why in inner.others]
    for name in inner.folders:
        folder, found = top / name, _look(top / name)
        left_out += [(f"{name}/{other}", why) for other, why in found.others]
        if not found.folders:
            classes[printable(top.name), printable(name)] = [folder / file for file in found.files]
        else:
            beside = BESIDE.format("characters")
            left_out += [(f"{name}/{file}", beside) for file in found.files]
        for character in found.folders:
            inside, below = _look(folder / character), f"{name}/{character}"
            left_out += [(f"{below}/{other}", why) for other, why in inside.others]
            left_out += [(f"{below}/{deeper}", TOO_DEEP) for deeper in inside.folders]
            files = [folder / character / file for file in inside.files]
            classes[printable(name), printable(character)] = files
        if (count := sum(map(len, classes.values()))) > MOST_DRAWINGS:
            raise ValueError(
                f"{root} holds {count:,} files or more: choose a folder of at most "
                f"{MOST_DRAWINGS:,}."
            )
    if odd := [alphabet for alphabet, _ in classes if "@" in alphabet]:
        raise ValueError(
            f"The folder {odd[0]!r} has an @ in its name, which marks turned alphabets here: "
            "rename it."
        )
    if not classes:
        there = "nor anything that could be one"
        if inner.files:
            there = f"only {_count(len(inner.files), 'file')}"
        for _, why in inner.others[:1]:
            there = f"only what cannot be used ({why})"
        raise ValueError(
            f"{root} has no folders of classes, {there}: put the images of each class into a "
            "folder of its own, such as my_images/seven/1.png."
        )
    return classes, left_out


def printable(name: str) -> str:
    """A file's name as text that can be shown: names may hold line breaks, or be no text at all."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)


def _read_all(
    classes: dict[Key, list[Path]], dark: bool | None, framed: bool, left_out: list[tuple[str, str]]
) -> dict[Key, list[Picture]]:
    """The pictures of each class; files that cannot be read or show the same go to `left_out`."""
    pictures: dict[Key, list[Picture]] = {}
    for key, files in classes.items():
        pictures[key], seen = [], set()
        for file in files:
            name = f"{file.parent.name}/{file.name}"
            try:
                picture = read(file, dark, framed)
            except Unreadable as fault:
                left_out.append((name, str(fault)))
                continue
            if picture.content in seen:
                left_out.append((name, "a copy of another file of its class"))
                continue
            seen.add(picture.content)
            pictures[key].append(picture._replace(content=b""))
    return pictures


def _enough(
    root: Path, pictures: dict[Key, list[Picture]], num_drawings: int | None
) -> dict[Key, list[Picture]]:
    """The classes with as many drawings as are wanted, 2 if nothing is said."""
    least = num_drawings or 2
    chosen = {key: several for key, several in pictures.items() if len(several) >= least}
    few = [f"{key[1]} ({len(several)})" for key, several in pictures.items() if key not in chosen]
    if len(chosen) < 2:
        remedy = "add drawings or folders"
        if num_drawings is not None and num_drawings > 2:
            remedy += ", or choose a smaller num_drawings"
        raise ValueError(
            f"{root} has {_count(len(chosen), 'class', 'classes')} of {least} or more drawings "
            f"that can be used; a task needs 2. {remedy.capitalize()}."
            + (f" Too few are in: {_some(few)}." if few else "")
        )
    if few:
        what = _count(len(few), "class has", "classes have")
        print(f"{what} fewer than {least} drawings and cannot take part: {_some(few)}.")
    return chosen


def _page(picture: Picture, known: bool | None, dark: bool) -> np.ndarray:
    """The picture's ink, if that `dark` goes for whatever does not tell."""
    if known is not None:
        return picture.pages[known]
    return picture.pages[dark if picture.dark is None else picture.dark]


def _darkened(pages: np.ndarray) -> np.ndarray:
    """The pages as uint8, ink 255; where nothing is half as dark, stretched to full ink."""
    darkest = pages.max((2, 3), keepdims=True)
    pages = np.where(darkest < FAINT, pages / darkest, pages)
    # In terms of white paper, as Omniglot's are rounded.
    return (255 - np.floor(255 * (1 - pages) + 0.5)).astype(np.uint8)


# In words


def _say_left_out(left_out: list[tuple[str, str]]) -> None:
    by_reason: dict[str, list[str]] = {}
    for name, why in left_out:
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        print(f"Left out: {_some(names)}: {why}.")


def _say_ink(pictures: list[Picture], known: bool | None) -> bool:
    """Says how ink and paper lie, and answers for drawings that do not tell: is ink dark?"""
    if known is not None:
        print(f"Taken as {WAYS[known]}, as you said.")
        return known
    votes = Counter(one.dark for one in pictures)
    dark = votes[True] >= votes[False]
    counts = {way: votes[way] + votes[None] * (way == dark) for way in WAYS}
    if not counts[not dark]:
        said = f"All drawings are {WAYS[dark]}."
    else:
        said = (
            f"{counts[True]:,} drawings are {WAYS[True]}, {counts[False]:,} {WAYS[False]}, judged "
            "by the shade along the edge of each; if that is wrong, give ink='dark' or "
            "ink='light'."
        )
    if votes[None]:
        said += f" (Of {votes[None]:,} the edge does not tell: taken as most are.)"
    print(said + (" Light ink is turned round: ink is 255 here." if counts[False] else ""))
    return dark


def _say_size(pages: np.ndarray, framed: bool) -> None:
    pages = pages.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    darkest = pages.max((1, 2), keepdims=True)
    if faint := int((darkest < FAINT).sum()):
        print(
            f"So fine a pen that 28 × 28 pixels left it pale: {_count(faint, 'drawing')}, darkened."
        )
    inked = pages > darkest / 2
    middle = np.median(np.maximum(inked.any(1).sum(1), inked.any(2).sum(1)))
    if not framed and middle < SMALL:
        print(
            f"Half of the drawings span {middle:.0f} of 28 pixels or less: framed=True would cut "
            "off the empty paper."
        )


def _say_numbers(chosen: dict[Key, list], each: int, as_the_smallest: bool) -> None:
    counts = [len(several) for several in chosen.values()]
    alphabets = len({alphabet for alphabet, _ in chosen})
    where = f" in {alphabets} alphabets" if alphabets > 1 else ""
    said = f"{len(counts)} classes{where}, {each} drawings each."
    if unused := sum(counts) - each * len(counts):
        smallest = min(chosen, key=lambda key: len(chosen[key]))[1]
        why = f"as many as {smallest!r} has" if as_the_smallest else "as you said"
        said += (
            f" They have {min(counts)} to {max(counts)}; each gives its first {each}, {why}, and "
            f"{unused:,} of {sum(counts):,} go unused."
        )
        middle = int(np.median(counts))
        if as_the_smallest and each < middle / 2:
            lost = sum(count < middle for count in counts)
            said += (
                f" num_drawings={middle} would use more drawings, and leave out "
                f"{_count(lost, 'class', 'classes')}."
            )
    print(said)


def _some(names: list[str]) -> str:
    shown = ", ".join(map(printable, names[:NAMED]))
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
