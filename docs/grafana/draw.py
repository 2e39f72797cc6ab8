#!/usr/bin/env python3
"""Draws the dashboard from the answers of a run: docs/grafana/run says how to make them.

    python3 -m venv target/plots && target/plots/bin/pip install matplotlib==3.11.2
    target/plots/bin/python docs/grafana/draw.py target/dashboard.json docs/images/dashboard.png

The grid, the titles, the units, the legends and what is stacked come from the dashboard's file. Colours
and fonts are this script's own: Grafana draws the same panels in another style.
"""

import json
import math
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

DASHBOARD = pathlib.Path(__file__).with_name("tower-api-key.json")
# Pixels: of a column and a row of the grid, between panels, and around all of them.
COLUMN, ROW, GAP, MARGIN, TOP = 62, 36, 10, 14, 52
DPI = 100
# More series than these are shown without those that are always 0.
MANY = 6
PAPER, PANEL, LINE, INK, FAINT = "#f4f5f5", "#ffffff", "#dcdde1", "#24292e", "#6b7280"
COLOURS = ["#2f6fb2", "#e0752d", "#3a9d5d", "#c4162a", "#8f6bb3", "#d6a300", "#35a2a8", "#b3477d", "#7a7d85", "#5b8c00"]
# Divisors by unit, each with what stands behind a number.
UNITS = {
    "s": [(1, "s"), (1e-3, "ms"), (1e-6, "µs")],
    "reqps": [(1, "req/s")],
    "ops": [(1, "ops/s")],
    "short": [(1, "")],
}


def main(answers, picture):
    run = json.loads(pathlib.Path(answers).read_text())
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * COLUMN + 2 * MARGIN, rows * ROW + TOP + MARGIN
    plt.rcParams.update({"font.size": 9, "font.family": "DejaVu Sans", "text.color": INK})
    figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    sheet = Sheet(figure, width, height)
    minutes = round(run["seconds"] / 60)
    sheet.text(MARGIN + 2, 16, dashboard["title"], size=15, weight="bold")
    sheet.text(width - MARGIN - GAP, 20, f"{minutes} minutes, two gateways", size=10, color=FAINT, ha="right")
    for panel in panels:
        grid = panel["gridPos"]
        x, y = MARGIN + grid["x"] * COLUMN, TOP + grid["y"] * ROW
        if panel["type"] == "row":
            sheet.text(x + 2, y + 12, panel["title"], size=11.5, weight="bold")
            continue
        box = (x, y, grid["w"] * COLUMN - GAP, grid["h"] * ROW - GAP)
        draw(sheet, panel, run["panels"][str(panel["id"])], box)
    # Few colours make a small file.
    figure.savefig(picture, dpi=DPI, facecolor=PAPER)
    shrink(picture)


class Sheet:
    """The picture, measured in pixels from the upper left."""

    def __init__(self, figure, width, height):
        self.figure, self.width, self.height = figure, width, height

    def text(self, x, y, text, **style):
        self.figure.text(x / self.width, 1 - y / self.height, text, va="top", **style)

    def frame(self, x, y, width, height):
        corner = (x / self.width, 1 - (y + height) / self.height)
        size = (width / self.width, height / self.height)
        self.figure.add_artist(Rectangle(corner, *size, facecolor=PANEL, edgecolor=LINE, linewidth=0.8, zorder=-1))

    def axes(self, x, y, width, height):
        corner = [x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height]
        return self.figure.add_axes(corner, facecolor=PANEL)


def draw(sheet, panel, series, box):
    """Draws one panel: its frame, its title, its lines and its legend."""
    x, y, width, height = box
    sheet.frame(*box)
    sheet.text(x + 10, y + 9, panel["title"], size=10, weight="bold")
    shown = without_idle([one for one in series if one["points"]])
    # As many names of the legend as fit into a line of the panel, and at most three lines.
    columns = max(1, min(len(shown), width // max(70, 26 + 7 * longest(shown))))
    lines = math.ceil(len(shown) / columns)
    axes = sheet.axes(x + 66, y + 34, width - 84, height - 62 - 15 * lines)
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults.get("custom", {})
    if custom.get("stacking", {}).get("mode") == "normal":
        stack(axes, shown, custom)
    else:
        for one, colour in zip(shown, cycle()):
            at, values = zip(*one["points"])
            axes.plot(minutes(at, shown), values, color=colour, linewidth=1.3, label=one["legend"])
            axes.fill_between(minutes(at, shown), values, color=colour, alpha=custom.get("fillOpacity", 0) / 100)
    style(axes, defaults)
    if not shown:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color=FAINT)
        return
    place = (x + 8) / sheet.width, 1 - (y + height - 4) / sheet.height
    axes.legend(loc="lower left", bbox_to_anchor=place, bbox_transform=sheet.figure.transFigure, ncols=columns,
                frameon=False, fontsize=8.5, handlelength=1.1, handletextpad=0.5, columnspacing=1.2,
                labelspacing=0.25, borderpad=0.2, borderaxespad=0)


def without_idle(series):
    """Leaves out the series that are 0 at all times, if there are many."""
    if len(series) <= MANY:
        return series
    return [one for one in series if any(value for _, value in one["points"])]


def stack(axes, shown, custom):
    """Draws series on top of each other. A series without a point at an instant is 0 there."""
    instants = sorted({at for one in shown for at, _ in one["points"]})
    below = [0.0] * len(instants)
    for one, colour in zip(shown, cycle()):
        points = dict(map(tuple, one["points"]))
        above = [low + points.get(at, 0) for low, at in zip(below, instants)]
        axes.plot(minutes(instants, shown), above, color=colour, linewidth=1.2, label=one["legend"])
        axes.fill_between(minutes(instants, shown), below, above, color=colour, alpha=0.25)
        below = above


def style(axes, defaults):
    """Gives an axis the unit of the panel."""
    lowest = defaults.get("min")
    _, highest = axes.get_ylim()
    axes.set_ylim(lowest if lowest is not None else 0, highest * 1.08 if highest > 0 else 1)
    divisors = UNITS[defaults["unit"]]
    divisor, name = next((unit for unit in divisors if highest >= unit[0]), divisors[-1])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / divisor:g} {name}".strip()))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} min"))
    axes.margins(x=0)
    axes.grid(color=LINE, linewidth=0.6)
    axes.tick_params(colors=FAINT, labelsize=8, length=0, pad=4)
    for spine in axes.spines.values():
        spine.set_visible(False)


def longest(shown):
    return max((len(one["legend"]) for one in shown), default=1)


def minutes(instants, shown):
    first = min(one["points"][0][0] for one in shown)
    return [(at - first) / 60 for at in instants]


def cycle():
    while True:
        yield from COLOURS


def shrink(picture):
    """Reduces the picture to 256 colours."""
    from PIL import Image

    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
