"""The charts: what they say, that they bear any name and number, and that nothing of one gets into another."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from marketable.rulebook import STATUSES
from marketable.views import charts, sheet
from marketable.views.charts import Chart

NAMES = {"hubspot_form": "HubSpot forms", "chatflow": "Chatflows", "manual": "Created by hand"}
AWKWARD = [
    "$x^2$ \\frac{a}{b} $$", "<b>bold</b> & \"'", "line\nbreak\r\t\x00\x07\x1b[31m", "Fest 🎉 👩‍👩‍👧", "资料下载",
    "טופס הרשמה 2024", "نموذج الاشتراك", "\u202egpj.exe", "Z̸̡̢a̷͓l̶͔g̵o̷", "W" * 5000, "i" * 500, "", " ", "a/b",
]  # fmt: skip
DAYS = pd.date_range("2024-02-27", periods=400, name="day")
counts = st.integers(0, 99_999_999) | st.integers(0, 3)


def by_source(rows: dict[str, tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(STATUSES), dtype="int64")


def by_day(*values: int) -> pd.Series:
    return pd.Series(values, index=DAYS[: len(values)], name="marketing", dtype="int64")


def switches(rows: dict[str, tuple[bool, int, int, float]]) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["on", "exposed", "sole", "credit"])
    parts = [name.partition("/") for name in rows]
    frame.insert(0, "source", pd.Series([source for source, _, _ in parts], index=frame.index, dtype=object))
    frame.insert(1, "asset", pd.Series([asset for _, _, asset in parts], index=frame.index, dtype=object))
    return frame


NOW = by_source({"hubspot_form": (901, 844, 0), "chatflow": (106, 253, 0), "manual": (29, 35, 344)})
BEFORE = by_source({"hubspot_form": (1035, 710, 0), "chatflow": (106, 253, 0), "manual": (28, 36, 344)})
SWITCHES = switches(
    {
        "hubspot_form/Newsletter": (True, 700, 300, 411.5),
        "non_hubspot_form": (True, 300, 0, 111.5),
        "chatflow/Price bot": (False, 20, 0, 0.0),
        "chatflow/Nobody's": (True, 0, 0, 0.0),
    }
)


def drawn() -> list[Chart]:
    """Charts of every kind, of which some share what is kept. A new kind goes to the end."""
    return [
        charts.by_source(NOW, BEFORE, NAMES),
        charts.by_source(NOW, NOW, NAMES),
        charts.over_time(by_day(1, 5, 9), by_day(1, 4, 7), 6),
        charts.over_time(by_day(1, 5, 8), by_day(1, 4, 7), None),
        charts.credit(SWITCHES, 1825, NAMES),
        charts.credit(SWITCHES.iloc[:2], 1825, NAMES),
    ]


def forget() -> None:
    """Clears all that is kept between charts."""
    for kept in (vars(charts) | vars(sheet)).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


def pixels(chart: Chart) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(chart.png)).convert("RGB"))


def colours(chart: Chart) -> set[str]:
    return {f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in np.unique(pixels(chart).reshape(-1, 3), axis=0)}


def test_equal_input_gives_equal_bytes_whatever_was_drawn_in_between() -> None:
    forget()
    first = drawn()
    assert drawn()[::-1] == first[::-1]
    forget()
    mixed = [*range(1, len(first), 2), *range(0, len(first), 2)]
    assert [drawn()[at] for at in mixed] == [first[at] for at in mixed]
    assert len({chart.png for chart in first}) == len(first)


def test_another_process_draws_the_same_bytes() -> None:
    code = "import hashlib, test_charts; print([hashlib.sha256(c.png).hexdigest() for c in test_charts.drawn()[::-1]])"
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert told.stdout.strip() == str([hashlib.sha256(chart.png).hexdigest() for chart in drawn()[::-1]])


def test_a_notebooks_own_style_neither_shows_nor_stays() -> None:
    usual = drawn()
    with mpl.rc_context({"font.size": 30, "font.family": "serif", "hatch.linewidth": 9, "axes.facecolor": "black"}):
        assert drawn() == usual
        forget()
        assert drawn() == usual
    assert drawn() == usual


rows = st.dictionaries(
    st.sampled_from([*NAMES, "integration", *AWKWARD[:4]]), st.tuples(counts, counts, counts), max_size=6
)
days = st.lists(counts, max_size=40)
credits = st.dictionaries(
    st.sampled_from([f"hubspot_form/{name}" for name in (*AWKWARD[:8], *range(9))] + ["non_hubspot_form"]),
    st.tuples(st.booleans(), counts, counts, st.integers(0, 9_999_999)),
)


@settings(max_examples=settings.default.max_examples // 5)  # each draws three charts, three times over
@given(
    now=rows, before=rows, curve=days, change=st.integers(-5, 5), tier=st.none() | st.integers(1, 99_999_999),
    owed=credits, always=counts,
)  # fmt: skip
def test_what_is_kept_changes_no_pixel(
    now: dict[str, Any], before: dict[str, Any], curve: list[int], change: int, tier: int | None,
    owed: dict[str, Any], always: int,
) -> None:  # fmt: skip
    shared = switches({name: (on, reach, sole, sole + more / 3) for name, (on, reach, sole, more) in owed.items()})
    baseline = by_day(*(max(0, count + change) for count in curve))

    def draw() -> list[Chart]:
        return [
            charts.by_source(by_source(now), by_source(before), NAMES),
            charts.over_time(by_day(*curve), baseline, tier),
            charts.credit(shared, always, NAMES),
        ]

    hot = draw()
    assert draw() == hot
    forget()
    assert draw() == hot


def test_the_alt_texts_say_what_the_pictures_show() -> None:
    source, same, time, untiered, owed, *_ = (chart.alt for chart in drawn())
    assert source.startswith(
        "Bar chart of contacts by creating tool. HubSpot forms made the most marketing: 901 of 1,036."
    )
    assert (
        "HubSpot forms: 901 marketing, 844 non-marketing, 0 not covered (without the flips: 1,035 marketing)" in source
    )
    assert source.index("HubSpot forms: ") < source.index("Created by hand: ") < source.index("Chatflows: ")
    assert "without the flips" not in same
    assert "Over the tier of 6 since 29 February 2024." in time
    assert "From 1 on 27 February 2024 to 9 on 29 February 2024; without the flips 7." in time
    assert "8 marketing contacts at the end." in untiered
    assert owed == (
        "Bar chart of marketing contacts by the switch they are owed to. "
        "Newsletter has the largest share: 412. "
        "HubSpot forms: Newsletter: 412 (300 only through it); non_hubspot_form: 112 (0 only through it); "
        "Chatflows: Price bot: off; no switch changes these: 1,825."
    )


def test_bars_keep_their_place_and_the_picture_its_size_when_a_switch_is_flipped() -> None:
    flipped = NOW.assign(**{"marketing": [0, 359, 408], "non-marketing": [1745, 0, 0], "not covered": 0})
    one, other = (charts.by_source(now, BEFORE, NAMES) for now in (NOW, flipped))
    for alt in (one.alt, other.alt):
        assert alt.index("HubSpot forms: ") < alt.index("Created by hand: ") < alt.index("Chatflows: ")
    assert pixels(one).shape == pixels(other).shape
    off = SWITCHES.assign(on=False, sole=0, credit=0.0)
    assert pixels(charts.credit(off, 5, NAMES)).shape == pixels(charts.credit(SWITCHES, 5, NAMES)).shape


def test_the_flat_colours_are_exact() -> None:
    palette = set(sheet.COLOURS.values()) | {"#FFFFFF"}
    assert palette | set(sheet.PALE.values()) | {sheet.RED, sheet.GREY} <= colours(drawn()[0])
    assert {"#FFFFFF", sheet.COLOURS["marketing"], sheet.OVER, sheet.BLUE, sheet.INK} <= colours(drawn()[2])
    assert {"#FFFFFF", sheet.COLOURS["marketing"], sheet.SHARED, sheet.ALWAYS} <= colours(drawn()[4])


def test_nothing_reaches_the_margins() -> None:
    """Nothing is cut: what were too wide or too high would run into the outermost pixels."""
    awkward = [f"hubspot_form/{name}" for name in AWKWARD]
    large = {name: (True, 99_999_999, 33_333_333 - at, 88_888_888.5 - at) for at, name in enumerate(awkward)}
    small = dict.fromkeys(awkward, (True, 9, 1, 2.5))
    grown = by_source({name: (at * 9_999_999, 99_999_999, 1) for at, name in enumerate(awkward)})
    high = by_day(*np.linspace(0, 99_999_999, 400).astype(int))
    for chart in [
        charts.credit(switches(large), 99_999_999, NAMES),
        charts.credit(switches(small), 3, NAMES),
        charts.credit(switches({}), 0, {}),
        charts.by_source(grown, grown // 2, {}),
        charts.by_source(NOW // 300, BEFORE // 300, NAMES),
        charts.over_time(high, high // 2, 99_999_998),
        charts.over_time(high, high, 1),
        charts.over_time(by_day(1, 0), by_day(0, 1), 1),
        charts.over_time(by_day(3), by_day(3), None),
        *drawn(),
    ]:
        picture = pixels(chart)
        edge = np.concatenate([picture[:3].reshape(-1, 3), picture[-3:].reshape(-1, 3)])
        sides = np.concatenate([picture[:, :3].reshape(-1, 3), picture[:, -3:].reshape(-1, 3)])
        assert (edge == 255).all() and (sides == 255).all(), chart.alt[:200]


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_any_name_is_drawn_and_told_as_text(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    forget()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        owed = charts.credit(
            switches({f"hubspot_form/{name}": (True, 9, 3, 4.5), "chatflow/B": (True, 1, 0, 0.2)}), 0, NAMES
        )
        source = charts.by_source(NOW, BEFORE, {"hubspot_form": name})
    assert capfd.readouterr() == ("", "")
    for chart in (owed, source):
        assert all(each.isprintable() or each == "\u200d" for each in chart.alt)
        assert chart.alt.encode()
        shown = chart._repr_html_()
        assert "<b>" not in shown and shown.count("<") == 3
    if name.strip() and name.isprintable():
        assert name in owed.alt and name in source.alt


def test_a_long_name_keeps_what_tells_it_from_others() -> None:
    names = [f"Trade fair for heating and ventilation engineering Hannover {year}" for year in (2025, 2026)]
    labels = [charts._fitted("Imports of a single object", name) for name in names]
    assert labels[0] != labels[1]
    assert all(label.startswith("Imports") and label[-4:] in ("2025", "2026") for label in labels)


def test_the_switches_that_find_no_room_share_a_bar() -> None:
    many = switches({f"hubspot_form/Form {at}": (True, 10, 1, 2.25) for at in range(600)})
    chart = charts.credit(many, 7, NAMES)
    assert "588 other switches: 1,323 (588 only through it); no switch changes these: 7." in chart.alt
    assert "1 other switch: 2 (1 only through it)" in charts.credit(many.iloc[:13], 7, NAMES).alt
    assert "other" not in charts.credit(many.iloc[:12], 7, NAMES).alt
    assert pixels(chart).shape == pixels(charts.credit(many.iloc[:13], 7, NAMES)).shape


def test_where_no_switch_is_at_work_the_credit_says_so() -> None:
    nothing = switches({})
    idle = switches({"non_hubspot_form": (True, 4, 0, 0.0)})
    assert "No contact is marketing. no switch changes these: 0." in charts.credit(nothing, 0, NAMES).alt
    assert "5 marketing; no switch changes that." in charts.credit(nothing, 5, NAMES).alt
    assert "5 marketing; no switch changes that. non_hubspot_form: 0" in charts.credit(idle, 5, NAMES).alt
    few = switches({"non_hubspot_form": (True, 4, 0, 0.4)})
    assert "non_hubspot_form has the largest share: <1." in charts.credit(few, 1, NAMES).alt
