"""What charts are drawn upon: a figure's axes, and words and digits, which are drawn by matplotlib once and kept.

Charts are drawn anew at every flip of a switch, and matplotlib needs longer for axes and a few lines of text than for
all the bars. So a chart takes a clean copy of a sheet, on which only what changed is drawn and then encoded.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
import warnings
from functools import cache, lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from PIL import Image

from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED

COLOURS = {MARKETING: "#D55E00", NON_MARKETING: "#8CC5E8", NOT_COVERED: "#D9D9D9"}
PALE = {MARKETING: "#E8A673", NON_MARKETING: "#C0DFF2", NOT_COVERED: "#EAEAEA"}
SHARED, ALWAYS, OVER = "#F0BD96", "#8E8E8E", "#F7E2D1"
INK, GREY, BLUE, RED, _GRID, _SPINE = "#222222", "#6B6B6B", "#0072B2", "#A34700", "#E6E6E6", "#BBBBBB"
_FLAT = (
    "#FFFFFF", *COLOURS.values(), *PALE.values(), SHARED, ALWAYS, OVER, INK, GREY, BLUE, RED, _GRID, _SPINE,
)  # fmt: skip
SMALL, PLAIN, TITLES = 8.5, 9.0, (11.5, 10.5, 9.5, 8.5)  # points
SIDE = 8  # pixels
WIDTH = 644  # pixels: wide enough for the words, and hardly shrunk where a page is narrow
ROOM = WIDTH - 2 * SIDE
_DPI, _ROW, _TOP, _BOTTOM, _GAP = 115, 36, 70, 42, 6
_EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.6}


class Sheet:
    """A figure of one axes, drawn once: each chart is drawn upon a clean copy of it, and encoded.

    The chart functions share the sheets, which is safe as long as one chart is drawn at a time: a kernel has one thread
    for its widgets.
    """

    def __init__(self, height: int, left: int, right: int, top: int = _TOP) -> None:
        self.figure = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.left, self.right, self.height = left, WIDTH - right, height
        share = (left / WIDTH, _BOTTOM / height, (WIDTH - left - right) / WIDTH, 1 - (_BOTTOM + top) / height)
        self.axes = self.figure.add_axes(share)
        self.axes.spines[["top", "right", "left"]].set_visible(False)
        self.axes.spines["bottom"].set_color(_SPINE)
        self.axes.tick_params(colors=INK, labelsize=SMALL, length=2)
        self.axes.set_axisbelow(True)

    def keep(self) -> None:
        """Takes what has been drawn for the clean sheet."""
        self.canvas.draw()
        self._clean = self.canvas.copy_from_bbox(self.figure.bbox)
        self._renderer = self.canvas.get_renderer()

    def clean(self) -> None:
        """Wipes off what was drawn upon the sheet."""
        self.canvas.restore_region(self._clean)

    def draw(self, artist: Artist) -> None:
        """Draws an artist in the axes' coordinates."""
        artist.set_figure(self.figure)
        artist.set_transform(self.axes.transData)
        artist.draw(self._renderer)

    def fill(self, polygons: np.ndarray, **looks: Any) -> None:
        """Draws polygons of equally many corners. As one path: a hatch is costly, and made once a path."""
        self.draw(PathPatch(Path.make_compound_path_from_polys(polygons), **_EDGE, **looks))

    def bars(
        self, starts: np.ndarray, widths: np.ndarray, *, first: int = 0, middle: float = 0.0, thick: float = 0.5,
        **looks: Any,
    ) -> None:  # fmt: skip
        """Draws bars, one a row, from a row on."""
        rows = np.arange(len(widths)) + first + middle
        x, y = np.stack([starts, starts + widths]), np.stack([rows - thick / 2, rows + thick / 2])
        corners = np.stack([x[[0, 1, 1, 0]], y[[0, 0, 1, 1]]], axis=-1).transpose(1, 0, 2)
        self.fill(corners[widths > 0], **looks)

    def label(self, row: int, name: str, end: float, figure: str, colour: str = RED) -> None:
        """Writes what a row is called to the left of it, and a figure at the end of its bars."""
        x, y = self.axes.transData.transform((end, row))
        self.write(self.left - _GAP - width_of(name, PLAIN), y, name, PLAIN, INK)
        self.write(x + _GAP, y, figure, SMALL, colour, bold=True)

    def titles(self, title: str, subtitle: str) -> None:
        """Writes the finding, as large as there is room for, and below it what is shown."""
        size = next((size for size in TITLES if width_of(title, size, bold=True) <= ROOM), TITLES[-1])
        self.write(SIDE, self.height - 20, title, size, INK, bold=True)
        self.write(SIDE, self.height - 43, subtitle, PLAIN, GREY)

    def write(self, x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False) -> None:
        """Writes a line of text from a point on, which is at half the height of its capitals."""
        pen = self._renderer.new_gc()
        for run in _runs(text):
            image, length = _lettering(run, size, colour, bold)
            self._renderer.draw_image(pen, round(x) - SIDE, round(y) - image.shape[0] // 2, image)
            x += length

    def png(self) -> bytes:
        """What is on the sheet now, in the few colours it is made of: encoded in a third of the time."""
        picture = Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB")
        buffer = io.BytesIO()
        picture.quantize(palette=_palette(), dither=Image.Dither.NONE).save(buffer, "png", compress_level=1)
        return buffer.getvalue()


@lru_cache(maxsize=8)
def bar_sheet(rows: int, names: int, figures: int, most: float, legend: tuple[tuple[str, str, str], ...]) -> Sheet:
    """A sheet for rows of bars up to a length, with pixels for the longest name and the longest figure."""
    sheet = Sheet(_TOP + 22 + _BOTTOM + _ROW * max(rows, 1), SIDE + names + _GAP, SIDE, top=_TOP + 22)
    axes, room = sheet.axes, sheet.right - sheet.left
    axes.set_xlim(0, most * room / (room - figures - _GAP))
    axes.set_ylim(max(rows, 1) - 0.5, -0.5)
    axes.set_yticks([])
    ticks = _counted(room // width_of(f"{most:,.0f}00", SMALL)).tick_values(0, most)
    axes.set_xticks([tick for tick in ticks if tick <= most])
    axes.xaxis.set_major_formatter(_thousands)
    axes.grid(axis="x", color=_GRID, linewidth=0.7)
    handles = [Patch(facecolor=colour, hatch=hatch, label=label, **_EDGE) for label, colour, hatch in legend]
    sheet.figure.legend(
        handles=handles, ncols=len(handles), loc="center left", bbox_to_anchor=(0, 1 - 69 / sheet.height),
        fontsize=SMALL, labelcolor=INK, frameon=False, borderpad=0, borderaxespad=SIDE * 72 / _DPI / SMALL,
        handlelength=1.8, handletextpad=0.5, columnspacing=1.6,
    )  # fmt: skip
    sheet.keep()
    return sheet


@lru_cache(maxsize=8)
def time_sheet(span: tuple[float, float] | None, top: float) -> Sheet:
    """A sheet for curves between two days up to a height."""
    left = SIDE + _GAP + max(width_of(f"{top:,.0f}", SMALL), 24)
    sheet = Sheet(330, left, 2 * SIDE + width_of(f"{top:,.0f} without flips", SMALL, bold=True))
    axes = sheet.axes
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(_counted(6))
    axes.yaxis.set_major_formatter(_thousands)
    axes.grid(axis="y", color=_GRID, linewidth=0.7)
    if span is None:
        axes.set_xticks([])
    else:
        locator = AutoDateLocator(minticks=min(3, int(span[1] - span[0])), maxticks=7)  # never hours
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.xaxis.get_offset_text().set(size=SMALL, color=INK)
        axes.set_xlim(span)
    sheet.keep()
    return sheet


def _counted(most: int) -> MaxNLocator:
    return MaxNLocator(min(max(most, 1), 6), integer=True, steps=[1, 2, 2.5, 5, 10])


def _thousands(count: float, _: float) -> str:
    return f"{count:,.0f}"


def round_up(count: float) -> float:
    """The next of some round numbers, a quarter apart: an axis up to it stays as it is at most flips."""
    scale = 10.0 ** math.floor(math.log10(count))
    return next(step * scale for step in (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10) if step * scale >= count)


def width_of(text: str, size: float, *, bold: bool = False) -> int:
    return sum(_lettering(run, size, INK, bold)[1] for run in _runs(text))


def _runs(text: str) -> list[str]:
    """A text in parts that come again: single digits, and the words between them. What runs from right to left, digits
    and all, stays whole.
    """
    leftward = any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)
    return [text] if leftward else re.findall("[0-9]|[^0-9]+", text)


@lru_cache(maxsize=1024)
def _lettering(text: str, size: float, colour: str, bold: bool) -> tuple[np.ndarray, int]:
    """A piece of text as an image that begins some pixels before it, and its length. matplotlib needs longer for a
    line of text than for all the bars; and no text drawn so is taken for a formula.
    """
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    em = round(size * _DPI / 72)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font lacks appear as boxes
        gauge = RendererAgg(1, 1, _DPI)
        full, bars = (gauge.get_text_width_height_descent(each, font, False)[0] for each in (f"|{text}|", "||"))
        length = round(full - bars)  # with the spaces at its ends
        canvas = RendererAgg(length + 2 * SIDE, 2 * em, _DPI)
        pen = canvas.new_gc()
        pen.set_foreground(colour)
        canvas.draw_text(pen, SIDE, em + round(0.365 * em), text, font, 0)
    return np.array(canvas.buffer_rgba())[::-1], length  # images are drawn from below


@cache
def _palette() -> Image.Image:
    """The flat colours, and between each of them and white as many as edges need. None is so near to a flat one that
    Pillow, which compares colours in steps of four, could confuse them.
    """
    colours = [np.array(to_rgb(colour)) * 255 for colour in _FLAT]
    for colour in list(colours):
        for share in np.linspace(0, 1, 24):
            between = colour + (255 - colour) * share
            if min(np.linalg.norm(between - other) for other in colours) > 11:
                colours.append(between)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.round(colours).astype(np.uint8).tobytes())
    return palette
