"""The charts: what they say, that they bear any name and number, and that every word of them has room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from lab import chromium, in_browser
from marketable.rulebook import STATUSES
from marketable.views import charts
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
    """Charts of every kind."""
    return [
        charts.by_source(NOW, BEFORE, NAMES),
        charts.by_source(NOW, NOW, NAMES),
        charts.over_time(by_day(1, 5, 9), by_day(1, 4, 7), 6),
        charts.over_time(by_day(1, 5, 8), by_day(1, 4, 7), None),
        charts.credit(SWITCHES, 1825, NAMES),
        charts.credit(SWITCHES.iloc[:2], 1825, NAMES),
    ]


def large() -> list[Chart]:
    """Charts with names and numbers that hardly find room."""
    awkward = [f"hubspot_form/{name}" for name in AWKWARD]
    owed = {name: (True, 99_999_999, 33_333_333 - at, 88_888_888.5 - at) for at, name in enumerate(awkward)}
    grown = by_source({name: (at * 9_999_999, 99_999_999, 1) for at, name in enumerate(awkward)})
    high = by_day(*np.linspace(0, 99_999_999, 400).astype(int))
    return [
        charts.credit(switches(owed), 99_999_999, NAMES),
        charts.credit(switches(dict.fromkeys(awkward, (True, 9, 1, 2.5))), 3, NAMES),
        charts.credit(switches({}), 0, {}),
        charts.by_source(grown, grown // 2, {}),
        charts.by_source(NOW // 300, BEFORE // 300, NAMES),
        charts.over_time(high, high // 2, 99_999_998),
        charts.over_time(high, high, 1),
        charts.over_time(by_day(1, 0), by_day(0, 1), 1),
        charts.over_time(by_day(3), by_day(3), None),
        charts.over_time(by_day(), by_day(), 10),
    ]


def root(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg)


def texts(chart: Chart) -> list[str]:
    return [each.text or "" for each in root(chart).iter() if each.tag.endswith("text")]


def colours(chart: Chart) -> set[str]:
    return {each.get(name, "") for each in root(chart).iter() for name in ("fill", "stroke")}


def height(chart: Chart) -> str | None:
    return root(chart).get("height")


rows = st.dictionaries(
    st.sampled_from([*NAMES, "integration", *AWKWARD[:4]]), st.tuples(counts, counts, counts), max_size=6
)
days = st.lists(counts, max_size=40)
owed = st.dictionaries(
    st.sampled_from([f"hubspot_form/{name}" for name in (*AWKWARD[:8], *range(9))] + ["non_hubspot_form"]),
    st.tuples(st.booleans(), counts, counts, st.integers(0, 9_999_999)),
)


@given(rows, rows, days, st.integers(-5, 5), st.none() | st.integers(1, 99_999_999), owed, counts)
def test_whatever_is_counted_bars_and_curves_lie_within_the_picture(
    now: dict[str, tuple[int, int, int]], before: dict[str, tuple[int, int, int]], curve: list[int], change: int,
    tier: int | None, reach: dict[str, tuple[bool, int, int, int]], always: int,
) -> None:  # fmt: skip
    shared = switches({name: (on, reached, sole, sole + more / 3) for name, (on, reached, sole, more) in reach.items()})
    for chart in (
        charts.by_source(by_source(now), by_source(before), NAMES),
        charts.over_time(by_day(*curve), by_day(*(max(0, count + change) for count in curve)), tier),
        charts.credit(shared, always, NAMES),
    ):
        picture = root(chart)
        for each in picture.iter():
            if each.tag.endswith("rect") and each.get("x"):
                x, width = float(each.get("x", "")), float(each.get("width", ""))
                assert x >= 0 and width >= 0 and x + width <= charts.WIDTH
            for point in re.findall(r"([-\d.]+),([-\d.]+)", each.get("points", "")):
                assert 0 <= float(point[0]) <= charts.WIDTH and 0 <= float(point[1]) <= float(picture.get("height", ""))


def test_the_parts_of_a_bar_are_as_long_as_they_are_many() -> None:
    bars = [each for each in root(charts.by_source(NOW, NOW, NAMES)).iter() if each.get("height") == "18.0"]
    widths = [float(each.get("width", "")) for each in bars if each.get("fill", "").startswith("#")]
    in_order = [901, 844, 29, 35, 344, 106, 253]
    scale = widths[0] / 901
    assert widths == pytest.approx([count * scale for count in in_order], abs=0.1)


def test_the_alt_texts_say_what_the_pictures_show() -> None:
    source, same, time, untiered, owed, _ = (chart.alt for chart in drawn())
    assert source.startswith("Bar chart of contacts by creating tool. HubSpot forms created the most: 901 of 1,036.")
    assert "HubSpot forms: 901 marketing, 844 non-marketing, 0 not covered (baseline: 1,035 marketing)" in source
    assert source.index("HubSpot forms: ") < source.index("Created by hand: ") < source.index("Chatflows: ")
    assert "(baseline: 901 marketing)" in same
    assert "Over the tier of 6 since 29 February 2024." in time
    assert "From 1 on 27 February 2024 to 9 on 29 February 2024; the baseline ends at 7." in time
    assert "8 marketing contacts at the end." in untiered
    assert owed == (
        "Bar chart of marketing contacts by the switch they are owed to. "
        "Newsletter accounts for 412 of 2,348 marketing contacts. "
        "HubSpot forms: Newsletter: 412 (300 only through it); non_hubspot_form: 112 (0 only through it); "
        "Chatflows: Price bot: off; whatever the switches: 1,825."
    )


def test_the_figures_stand_in_the_picture_too() -> None:
    assert {"901 (-134)", "29 (+1)", "106", "HubSpot forms"} <= set(texts(drawn()[0]))
    assert {"9 marketing", "7 baseline", "6 tier", "27 Feb"} <= set(texts(drawn()[2]))
    assert {"412", "112", "off", "1,825"} <= set(texts(drawn()[4]))


def test_bars_keep_their_place_and_the_picture_its_size_when_a_switch_is_flipped() -> None:
    flipped = NOW.assign(**{"marketing": [0, 359, 408], "non-marketing": [1745, 0, 0], "not covered": 0})
    one, other = (charts.by_source(now, BEFORE, NAMES) for now in (NOW, flipped))
    for alt in (one.alt, other.alt):
        assert alt.index("HubSpot forms: ") < alt.index("Created by hand: ") < alt.index("Chatflows: ")
    assert height(one) == height(other)
    off = SWITCHES.assign(on=False, sole=0, credit=0.0)
    assert height(charts.credit(off, 5, NAMES)) == height(charts.credit(SWITCHES, 5, NAMES))


def test_statuses_differ_in_colour_and_in_hatching() -> None:
    assert {"#D55E00", "#8CC5E8", "#D9D9D9", "#E8A673", "url(#lines)", "url(#dots)"} <= colours(drawn()[0])
    assert {"#D55E00", charts.BLUE, charts.GREY} <= colours(drawn()[2])


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


@in_browser
def test_every_word_has_room(page: Page) -> None:
    """No text reaches out of its picture, nor one of a line into the next."""
    boxes = """() => [...document.querySelectorAll("text")].map(each => each.getBBox()).map(
        box => [box.x, box.y, box.x + box.width, box.y + box.height])"""
    for chart in [*drawn(), *large()]:
        page.set_content(chart.svg)
        found = [tuple(map(float, box)) for box in page.evaluate(boxes)]
        assert all(left >= 0 and right <= charts.WIDTH for left, _, right, _ in found), chart.alt[:200]
        for at, (left, top, right, bottom) in enumerate(found):
            for other in found[at + 1 :]:
                apart = right <= other[0] or other[2] <= left or bottom <= other[1] + 6 or other[3] <= top + 6
                assert apart, (chart.alt[:200], texts(chart)[at])


@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_any_name_is_drawn_and_told_as_text(name: str) -> None:
    owed = charts.credit(
        switches({f"hubspot_form/{name}": (True, 9, 3, 4.5), "chatflow/B": (True, 1, 0, 0.2)}), 0, NAMES
    )
    source = charts.by_source(NOW, BEFORE, {"hubspot_form": name})
    for chart in (owed, source):
        assert {each.tag.rpartition("}")[2] for each in root(chart).iter()} <= {
            "svg", "defs", "pattern", "path", "circle", "rect", "text", "polyline",
        }  # fmt: skip
        assert all(each.isprintable() or each == "\u200d" for each in chart.alt + "".join(texts(chart)))
        assert chart.svg.encode() and chart.alt.encode()
        shown = chart._repr_html_()
        assert "<b>" not in shown and shown.count("<") == 1
    if name.strip() and name.isprintable():
        assert name in owed.alt and name in source.alt


def test_a_long_name_keeps_what_tells_it_from_others() -> None:
    names = [f"Trade fair for heating and ventilation engineering Hannover {year}" for year in (2025, 2026)]
    rows = {f"import_single_object/{name}": (True, 9, 3, 4.5) for name in names}
    chart = charts.credit(switches(rows), 0, {"import_single_object": "Imports of a single object"})
    labels = [text for text in texts(chart) if text.startswith("Imports")]
    assert [label[-4:] for label in labels] == ["2025", "2026"] and all("…" in label for label in labels)


def test_the_switches_that_find_no_room_share_a_bar() -> None:
    many = switches({f"hubspot_form/Form {at}": (True, 10, 1, 2.25) for at in range(600)})
    chart = charts.credit(many, 7, NAMES)
    assert "588 other switches: 1,323 (588 only through it); whatever the switches: 7." in chart.alt
    assert "1 other switch: 2 (1 only through it)" in charts.credit(many.iloc[:13], 7, NAMES).alt
    assert "other" not in charts.credit(many.iloc[:12], 7, NAMES).alt
    assert height(chart) == height(charts.credit(many.iloc[:13], 7, NAMES))


def test_where_no_switch_is_at_work_the_credit_says_so() -> None:
    nothing = switches({})
    idle = switches({"non_hubspot_form": (True, 4, 0, 0.0)})
    assert "No contact is marketing. whatever the switches: 0." in charts.credit(nothing, 0, NAMES).alt
    assert "5 marketing, whatever the switches." in charts.credit(nothing, 5, NAMES).alt
    assert "5 marketing, whatever the switches. non_hubspot_form: 0" in charts.credit(idle, 5, NAMES).alt
    few = switches({"non_hubspot_form": (True, 4, 0, 0.4)})
    assert "non_hubspot_form accounts for <1 of 1 marketing contacts." in charts.credit(few, 1, NAMES).alt
