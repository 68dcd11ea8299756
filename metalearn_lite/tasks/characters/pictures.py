"""One image file as ink on paper: reading it, telling ink from paper, and making it 28 × 28."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from metalearn_lite.tasks.characters.character_set import IMAGE_SIZE

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 64_000_000
ENOUGH = 600  # pixels of the longer side: larger images are reduced before anything else
CLEAR = 0.15  # of the range, on both sides of its middle: an edge of such a grey tells nothing
SAME = 3  # of 255 greys: an image that varies by no more shows nothing
LONGER_SIDE = 18  # pixels, of a framed drawing
INK = 0.35  # a pixel darker than this belongs to the character, as in `images.frame`


class Unreadable(ValueError):
    """Why a file cannot be used, as the second half of a sentence."""


class Picture(NamedTuple):
    """What a file shows."""

    dark: bool | None
    """whether its ink is dark; None if its edge does not tell"""
    pages: dict[bool, np.ndarray]
    """``(28, 28)``, the share of ink 0 … 1: if ink is dark, and if it is light, where asked for"""
    content: bytes
    """equal for two files that show the same"""


def read(path: Path, dark: bool | None = None, framed: bool = False) -> Picture:
    """The image in `path`.

    Args:
        dark: whether its ink is dark, where that is known.
        framed: cut it to its ink first.

    Raises:
        Unreadable: it is no PNG or JPEG, damaged, too large, or shows nothing.
    """
    from PIL import Image, ImageOps

    too_large = f"above {MOST_PIXELS / 1e6:.0f} megapixels; make it smaller"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are judged below
            with Image.open(path, formats=["PNG", "JPEG"]) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Unreadable(too_large)
                grey = grey_of(ImageOps.exif_transpose(image))
    except Unreadable:
        raise
    except Image.UnidentifiedImageError:
        raise Unreadable("no PNG or JPEG; save it as one, or take it away") from None
    except Image.DecompressionBombError:
        raise Unreadable(too_large) from None
    except PermissionError:
        raise Unreadable("you may not read it; change its permissions") from None
    except Exception:  # whatever a decoder says of a damaged file: OSError, SyntaxError, struct's
        raise Unreadable("damaged; save it once more") from None
    if not np.ptp(grey) > SAME:
        raise Unreadable("all of one shade; it shows nothing")
    paper, found = _paper(grey)
    asked = dark if dark is not None else found
    pages = {}
    for side in (True, False) if asked is None else (asked,):
        of_paper = paper if found is side else grey.max() if side else grey.min()
        darkest = grey.min() if side else grey.max()
        ink = ((of_paper - grey) / (of_paper - darkest)).clip(0, 1)
        pages[side] = page_of(ink, framed).astype(np.float32)
    return Picture(found, pages, bytes(str(grey.shape), "ascii") + grey.tobytes())


def _paper(grey: np.ndarray) -> tuple[float, bool | None]:
    """The grey of the edge, and whether ink is darker than that."""
    edge = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    paper = float(np.median(edge))
    place = (paper - grey.min()) / np.ptp(grey)
    return paper, None if abs(place - 0.5) < CLEAR else bool(place > 0.5)


# Any image as greys


def grey_of(image: Image) -> np.ndarray:
    """``(H, W)`` greys of 0 (black) to 255 (white), of any kind of image."""
    if image.mode[0] in "IF":  # 16 bits, which `convert` would cut off instead of scaling
        wide = np.asarray(image).astype(np.float32) * (255 / 65535)
        return _resized(_as_image(wide))
    if not image.has_transparency_data:
        return _resized(image.convert("L"))
    image = image.convert("RGBA")
    opacity = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
    grey = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32)
    if opacity.min() < 1:  # ink on nothing: paper that it stands out from is put below
        middle = (grey * opacity).sum() / max(opacity.sum(), 1e-9)
        grey = opacity * grey + (1 - opacity) * (255 if middle < 128 else 0)
    return _resized(_as_image(grey))


def _as_image(grey: np.ndarray) -> Image:
    from PIL import Image

    return Image.fromarray(grey)


def _resized(image: Image) -> np.ndarray:
    """The greys; large images are reduced to means of squares, tiny ones are enlarged smoothly."""
    from PIL.Image import Resampling

    longer = max(image.size)
    if longer >= 2 * ENOUGH:
        image = image.reduce(longer // ENOUGH)
    elif longer < IMAGE_SIZE:
        times = math.ceil(2 * IMAGE_SIZE / longer)
        size = (image.width * times, image.height * times)
        image = image.convert("F").resize(size, Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float64).clip(0, 255)


# Any size as 28 × 28


def page_of(ink: np.ndarray, framed: bool = False) -> np.ndarray:
    """``(28, 28)``: `ink`, padded with paper to a square, each pixel the mean of its own area.

    Args:
        framed: cut it to its ink first, and leave a margin.
    """
    side: float = max(ink.shape)
    if framed:
        rows, columns = (np.flatnonzero((ink > INK).any(axis)) for axis in (1, 0))
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        side = max(ink.shape) * IMAGE_SIZE / LONGER_SIDE
    down, along = (_shares(length, side) for length in ink.shape)
    return down @ ink @ along.T


def _shares(length: int, side: float) -> np.ndarray:
    """``(28, length)``: the share of each pixel of a page that each of ``length`` pixels fills.

    These lie in the middle of ``side``. A row sums to 1, or to less where there is paper beside.
    """
    ends = np.arange(IMAGE_SIZE + 1) * side / IMAGE_SIZE - (side - length) / 2
    first = np.arange(length)
    overlap = np.minimum(ends[1:, None], first + 1) - np.maximum(ends[:-1, None], first)
    return overlap.clip(0) * IMAGE_SIZE / side
