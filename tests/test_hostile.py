"""Whatever comes in, a result or a MarketableError comes out, and what is written is written whole."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import marketable as mk
from marketable.paths import write_together
from marketable.portal.update_dates import last_update_date, update_date_after
from marketable.report import command
from marketable.report.compare import compare, figures_of, write_page

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


@pytest.mark.parametrize("text", ["[" * 4_000, "{a: " * 2_000, "- " * 2_000, "? " * 2_000, "a: " + "x" * (9 << 20)])
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
