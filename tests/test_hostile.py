"""Whatever comes in, a result or a MarketableError comes out, and what is written is written whole."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import html
import json
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from marketable.exports import ColumnMapping
from marketable.paths import DATA, write_together
from marketable.portal.update_dates import last_update_date, update_date_after
from marketable.report import command
from marketable.report.compare import compare, figures_of, write_page
from marketable.report.findings import Findings
from marketable.report.parameters import Parameters
from marketable.report.sweep import planned

FIGURES: dict[str, Any] = {
    "parameters": {"title": "July", "flips": {}},
    "as_of": "2026-07-31",
    "counts": {"now": {"marketing": 3}, "what-if": {"marketing": 1}},
    "always": 1.0,
    "switches": [{"switch": "hubspot_form/A", "on": True, "exposed": 2, "sole": 2, "credit": 2.0}],
    "what-if switches": [],
    "sources": [{"source": "hubspot_form", "marketing": 3, "what-if": 1}],
    "checksums": {},
    "versions": {},
}

# ---- written whole ----


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("fails", ["os.fdopen", "pathlib.Path.replace", "pathlib.Path.unlink"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_files_of_one_result_change_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, after: int
) -> None:
    before = {"page.html": b"old", "page.json": b"old", "page.pdf": b"old"}
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    owner, name = (os, "fdopen") if fails == "os.fdopen" else (Path, fails.rsplit(".", 1)[1])
    real, calls = getattr(owner, name), 0

    def full(*asked: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == after + 1:
            raise OSError(28, "No space left on device")
        return real(*asked, **options)

    new = {tmp_path / each: b"new" for each in ("page.json", "page.csv", "page.html")}
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        try:
            write_together(new, [tmp_path / "page.pdf"])
        except OSError:
            whole = before
        else:
            whole = {path.name: data for path, data in new.items()}
    found = {name: data for name, data in content(tmp_path).items() if not name.startswith(".")}
    assert found in (whole, {path.name: data for path, data in new.items()})


def test_a_file_that_cannot_be_replaced_leaves_all_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    (tmp_path / "b.html").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_together({tmp_path / "a.json": b"new", tmp_path / "c.csv": b"new", tmp_path / "b.html": b"new"})
    assert content(tmp_path) == {"a.json": b"old"}


def test_where_the_system_knows_no_links_earlier_files_are_kept_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def none(source: Any, target: Any, **options: Any) -> None:
        if not options:  # with options a new file gets its name
            raise PermissionError(1, "Operation not permitted")
        link(source, target, **options)

    monkeypatch.setattr(os, "link", none)
    (tmp_path / "a.json").write_bytes(b"old")
    (tmp_path / "b.html").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_together({tmp_path / "a.json": b"new", tmp_path / "b.html": b"new"})
    assert content(tmp_path) == {"a.json": b"old"}


def test_a_comparison_never_takes_the_place_of_a_page_that_it_compares(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(FIGURES))
        (tmp_path / f"{name}.html").write_text("the report")
    compared = compare(figures_of(tmp_path / "a.json"), figures_of(tmp_path / "b.json"))
    for output in ("a.html", "b.htm", "b.html"):
        with pytest.raises(mk.ParameterError, match="written over what it compares"):
            write_page(compared, tmp_path / output, tmp_path / "a.json", tmp_path / "b.html")
    assert (tmp_path / "a.html").read_text() == "the report"
    write_page(compared, tmp_path / "c.html", tmp_path / "a.json", tmp_path / "b.json")
    assert "July" in (tmp_path / "c.html").read_text()


@pytest.mark.parametrize("output", ["loop/page.html", "x" * 300 + ".html", "taken/page.html", "page.txt", "a\0b.html"])
def test_an_output_that_cannot_be_written_is_told_with_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "a.json").write_text(json.dumps(FIGURES))
    assert command.main(["compare", "a.json", "a.json", "-o", output]) == 2
    told = capsys.readouterr().err
    assert told.startswith("marketable: ") and "Traceback" not in told and "Errno" not in told


# ---- settings and paths ----


@pytest.mark.parametrize(
    "text",
    ["[" * 4_000, "{a: " * 2_000, "- " * 2_000, "? " * 2_000, "[" + "[]," * 200_000 + "]", "a: " + "x" * (9 << 20)],
)
def test_brackets_and_what_has_no_end_are_no_settings(text: str) -> None:
    begins = time.process_time()
    with pytest.raises(mk.PortalError, match=r"nested too deeply|too long"):
        mk.Portal.of_text(text)
    assert time.process_time() - begins < 2


READERS: list[Callable[[str], Any]] = [mk.Portal.load, mk.read_touches, mk.read_export, figures_of]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "path", ["loop", "loop/x.csv", "~nouser/x.csv", "x" * 5_000, "a\0b", "/dev/zero", "\ud800.csv", ""]
)
def test_a_path_that_leads_to_no_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[str], Any], path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    with pytest.raises(mk.MarketableError):
        read(path)


def test_a_tilde_is_the_home_of_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(FIGURES))
    assert command.main(["compare", "a.json", "a.json", "-o", "~/compared.html"]) == 0
    assert (tmp_path / "home" / "compared.html").is_file() and not (tmp_path / "~").exists()


TOUCHES = pd.DataFrame(
    {
        "contact_id": ["1", "2"],
        "occurred_at": pd.to_datetime(["2024-03-01", "2024-03-02"]),
        "source": ["hubspot_form", "set_non_marketing"],
        "asset": "A",
    }
)


@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31", "0000-01-01", "30000-01-01"])
@pytest.mark.parametrize("clock", ["", "T00:00:00+14:00", "T23:59:59-12:00"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Adak"])
def test_the_first_and_the_last_years_are_dates_or_told(year: str, clock: str, zone: str) -> None:
    change = {"from": f"{year}{clock}", "switch": "off"}
    try:
        portal = mk.Portal(
            time_zone=zone,
            access_since=year,
            subscription={"commitment": "monthly", "renewal": year},
            switches={"hubspot_form": {"A": [{"switch": "on"}, change]}},
        )
    except mk.PortalError:
        return
    assert mk.Portal.of_text(portal.text()) == portal
    assert mk.decide(TOUCHES, portal).counts().equals(mk.WhatIf(TOUCHES, portal).counts())


def test_update_dates_end_where_the_calendar_ends() -> None:
    monthly = mk.Portal(subscription={"commitment": "monthly", "renewal": "2024-01-31"}).subscription
    for subscription in (mk.Portal().subscription, monthly):
        assert update_date_after(dt.date.max, subscription) == dt.date.max
        assert last_update_date(dt.date.min, subscription) == dt.date.min


def test_half_a_letter_is_no_name() -> None:
    with pytest.raises(mk.PortalError, match="not text in UTF-8"):
        mk.Portal(switches={"hubspot_form": {"\ud800": "on"}})
    with pytest.raises(mk.PortalError, match="not text in UTF-8"):
        mk.Portal.of_text('switches: {hubspot_form: {"\\ud800": on}}')


# ---- compare ----


def spoilt(*path: Any, value: Any) -> str:
    figures = json.loads(json.dumps(FIGURES))
    inner = figures
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(figures)


WRONG = {
    "infinity": spoilt("always", value=float("inf")),
    "an infinite float": json.dumps(FIGURES).replace("1.0", "1e999"),
    "a thousand digits": spoilt("counts", "now", "marketing", value=10**1_000),
    "five thousand digits": json.dumps(FIGURES).replace("1.0", "1" * 5_000),
    "nothing for a number": spoilt("sources", 0, "what-if", value=None),
    "nothing for a credit": spoilt("switches", 0, "credit", value=None),
    "no name": json.dumps(FIGURES).replace('"switch"', '"swich"'),
    "half a letter": spoilt("parameters", "title", value="\ud800"),
    "a list for a row": spoilt("switches", 0, value=[]),
    "a name for a count": spoilt("switches", 0, "exposed", value="many"),
    "brackets": "[" * 100_000,
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_no_report_has_written_is_not_compared(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.json").write_text(WRONG[kind])
    with pytest.raises(mk.DataError, match=r"no JSON|no figures of a report"):
        figures_of(tmp_path / "a.json")


# ---- what nobody would write ----

DATES = ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00"]
ODD = st.sampled_from([*DATES, "", "a", "\u2028", "x" * 300, "on", "hubspot_form/A", "zzz/q", "~nouser/x", "a\0b"]) | (
    st.sampled_from([None, True, 0, -1, 2**63, 10**30, 1e308, 0.5, [], {}, [1], {"a": 1}])
)


@st.composite
def spoilt_in_places(draw: st.DrawFn, whole: Any) -> Any:
    """Names and values as settings or figures have them, in up to three places of which stands something else."""
    made = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        inner, step = {"": made}, ""
        while isinstance(inner[step], (dict, list)) and inner[step] and draw(st.integers(0, 3)):
            inner = inner[step]
            step = draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
        if step != "" and draw(st.booleans()):
            inner.pop(step)
        elif step != "":
            inner[step] = copy.deepcopy(draw(ODD))  # what is drawn may be spoilt in turn
    return made


SETTINGS: dict[str, tuple[Callable[[str], Any], dict[str, Any]]] = {
    "portal": (
        mk.Portal.of_text,
        {
            "time_zone": "Europe/Berlin",
            "access_since": "2023-01-01",
            "subscription": {"commitment": "monthly", "renewal": "2026-07-31", "tier": 2000},
            "switches": {"hubspot_form": {"A": "on", "B": [{"switch": "on"}, {"from": "2024-03-10", "switch": "off"}]}},
        },
    ),
    "mapping": (
        ColumnMapping.of_text,
        {
            "columns": {"record_id": ["ID"], "email": "Mail"},
            "values": {"yes": ["ja"]},
            "recorded": {"FORM": ["Formular"]},
            "dates": "day first",
        },
    ),
}


@pytest.mark.parametrize("kind", SETTINGS)
@given(data=st.data())
def test_spoilt_settings_are_told_or_read_and_written_again(kind: str, data: st.DataObject) -> None:
    read, whole = SETTINGS[kind]
    text = yaml.safe_dump(data.draw(spoilt_in_places(whole)), allow_unicode=True)
    try:
        settings = read(text)
    except mk.MarketableError:
        return
    assert read(settings.text()) == settings


PLAN = {
    "output": "out",
    "title": "T",
    "parameters": {"data": str(DATA / "touches.csv"), "portal": str(DATA / "portal.yaml")},
    "grid": {"edition": ["2024-02-14"], "as_of": ["2026-01-01"]},
    "reports": [{"name": "A", "flips": {"non_hubspot_form": "off"}}],
}


@given(spoilt_in_places(PLAN), st.sampled_from([None, Path("x" * 400), Path("a\0b")]))
def test_a_spoilt_plan_is_told_or_planned(tmp_path_factory: pytest.TempPathFactory, plan: Any, output: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "plan.yaml"
    path.write_text(yaml.safe_dump(plan, allow_unicode=True), encoding="utf-8")
    with contextlib.suppress(mk.MarketableError):
        planned(path, output)


@given(spoilt_in_places(FIGURES))
def test_spoilt_figures_are_told_or_compared(tmp_path_factory: pytest.TempPathFactory, figures: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "figures.json"
    path.write_text(json.dumps(figures))
    try:
        read = figures_of(path)
    except mk.DataError:
        return
    for pair in ((read, FIGURES), (FIGURES, read)):
        assert compare(*pair).says in html.unescape(compare(*pair).page)


IDS = st.sampled_from(["1", 1, 1.0, Decimal(1)]) | st.sampled_from(
    [None, 1.5, 1e300, float("inf"), "", "\ud800", [1], {}, b"1", True, 2**70, pd.NA, 1j, Decimal("NaN"), object()]
)
DAY = dt.datetime(2024, 3, 1)
TIMES = st.sampled_from(["2024-03-01", DAY, DAY.date(), DAY.replace(tzinfo=dt.UTC), np.datetime64("2024-03-01")]) | (
    st.sampled_from(
        [None, 1_711_000_000_000, 1.5, "now", dt.date.max, dt.datetime.min, "9999-12-31T23:00-12:00", pd.NA]
    )
    | st.sampled_from([np.datetime64("30000-01-01"), np.datetime64("NaT"), [], True, "\ud800", dt.timedelta(1), b"x"])
)


@given(st.lists(st.tuples(IDS, TIMES), max_size=4), st.lists(st.tuples(IDS, TIMES), max_size=2), st.none() | TIMES)
def test_a_frame_of_anything_is_told_or_counted_alike_both_ways(rows: Any, listed: Any, as_of: Any) -> None:
    touches = pd.DataFrame(rows, columns=["contact_id", "occurred_at"], dtype=object).assign(source="hubspot_form")
    contacts = pd.DataFrame(listed, columns=["contact_id", "created_at"], dtype=object).assign(status="marketing")
    told = []
    for answer in (mk.decide, mk.WhatIf):
        try:
            told.append(answer(touches, mk.Portal(), contacts=contacts, as_of=as_of).counts().to_dict())
        except mk.MarketableError as fault:
            told.append(str(fault))
    assert told[0] == told[1]


def test_a_report_on_nobody_says_why_the_first_row_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("contact_id,occurred_at,source\n1,yesterday,manual\n")
    with pytest.raises(mk.DataError, match=r"none of the 1 rows can be used .* The first, row 2: This is no time"):
        Findings.of(Parameters(data=str(tmp_path / "none.csv")))
    (tmp_path / "none.json").write_text('{"results": []}')
    with pytest.raises(mk.DataError, match="the file has no contacts and no touches"):
        Findings.of(Parameters(data=str(tmp_path / "none.json")))
