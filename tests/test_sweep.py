"""Many reports and what moved between them: plans, names, fingerprints, the processes, the index, the comparison."""

from __future__ import annotations

import html.parser
import itertools
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batches import Case, cases, portal
from marketable.errors import DataError, ParameterError
from marketable.exports.opening import Opened
from marketable.report import run as one
from marketable.report.command import main
from marketable.report.compare import ALWAYS, compare, figures_of, write_page
from marketable.report.figures import as_json
from marketable.report.findings import Findings
from marketable.report.index import write_index
from marketable.report.kernel import Deadline, WarmKernel
from marketable.report.many import Failure, is_there, make_all
from marketable.report.parameters import Parameters
from marketable.report.periods import Period
from marketable.report.run import Made, ReportError
from marketable.report.sweep import INDEX, MOST, Sweep, planned
from marketable.views.handing import slug, unique
from test_architecture import REPOSITORY

TOUCHES, PORTAL = REPOSITORY / "data" / "touches.csv", REPOSITORY / "data" / "portal.yaml"
PLAN = """\
title: Newsletter and bot
parameters: {data: touches.csv, portal: account.yaml}
grid:
  flips.hubspot_form/Newsletter: [on, off]
  flips.chatflow/Price bot: [on, off from 2026-05-01]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a batch and a portal, to put plans into."""
    (tmp_path / "touches.csv").write_bytes(TOUCHES.read_bytes())
    (tmp_path / "account.yaml").write_bytes(PORTAL.read_bytes())
    return tmp_path


def plan(folder: Path, text: str) -> Sweep:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return planned(folder / "plan.yaml")


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ParameterError) as refusal:
        plan(folder, text)
    return str(refusal.value)


# ---- plans ----


def test_a_grid_makes_every_combination_the_last_parameter_changing_fastest(folder: Path) -> None:
    sweep = plan(folder, PLAN)
    later = {"from": "2026-05-01", "switch": "off"}
    flips = [tuple(run.parameters.flips.values()) for run in sweep.runs]
    assert flips == [(True, True), (True, later), (False, True), (False, later)]
    assert sweep.runs[1].label == "Newsletter on, Price bot off from 2026-05-01"
    assert sweep.page(sweep.runs[1]).name == "newsletter-on-price-bot-off-from-2026-05-01.html"
    assert {run.parameters.data_path for run in sweep.runs} == {(folder / "touches.csv").resolve()}


def test_listed_reports_come_in_their_order_and_say_more_than_what_is_common_to_all(folder: Path) -> None:
    sweep = plan(
        folder,
        "parameters: {data: touches.csv, period: 2026-07, title: Ours}\n"
        "reports:\n- {name: July}\n- {name: August, period: 2026-08}\n- {period: 2026-09, title: Mine}\n",
    )
    assert [run.label for run in sweep.runs] == ["July", "August", "2026-09, title Mine"]
    assert [run.parameters.period for run in sweep.runs] == ["2026-07", "2026-08", "2026-09"]
    assert [run.parameters.title for run in sweep.runs] == ["Ours", "Ours", "Mine"]


def test_a_report_without_a_title_is_titled_by_the_plan_and_its_name(folder: Path) -> None:
    (run,) = plan(folder, "title: The firm\nreports:\n- {name: July, period: 2026-07}\n").runs
    assert run.parameters.title == "The firm: July"


def test_each_portal_of_a_folder_comes_with_its_data_or_with_those_common_to_all(folder: Path) -> None:
    accounts = folder / "accounts"
    accounts.mkdir()
    for name in ("north.yaml", "south.yaml"):
        (accounts / name).write_bytes(PORTAL.read_bytes())
    (accounts / "south.csv").write_bytes(TOUCHES.read_bytes())
    common = "parameters: {data: touches.csv}\nportals: accounts\n"
    runs = plan(folder, common + "grid: {period: [2026-07, 2026-08]}\n").runs
    assert [run.label for run in runs] == ["north, 2026-07", "north, 2026-08", "south, 2026-07", "south, 2026-08"]
    assert [run.parameters.data_path.name for run in runs] == ["touches.csv"] * 2 + ["south.csv"] * 2
    assert [run.parameters.paths["portal"] for run in runs][::2] == [accounts / "north.yaml", accounts / "south.yaml"]
    assert [run.group for run in runs][::2] == ["north", "south"]
    told = refused(folder, "\nportals: accounts\n")
    assert "This portal has no data: 'north.yaml' (plan.yaml, line 2" in told


def test_the_plan_itself_is_no_portal(folder: Path) -> None:
    runs = plan(folder, "parameters: {data: touches.csv}\nportals: .\noutput: pages\n").runs
    assert [run.name for run in runs] == ["account"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grids: {period: [2026]}", r"not known here: 'grids' \(plan.yaml, line 1.*Did you mean 'grid'"),
        ("title: A\nparameters:\n  data: touches.csv\n  perod: 2026\ngrid: {period: [2026]}", "line 4.*mean 'period'"),
        ("parameters:\n  data: touches.csv\n  period: soon\ngrid: {edition: ['']}", "no period: 'soon'.*line 3"),
        ("grid:\n  period:\n  - 2026-07\n  - yesterday", r"no period: 'yesterday' \(plan.yaml, line 4"),
        ("grid:\n  flips.hubspot_form/A:\n  - on\n  - onn", r"on or off.*'onn' \(plan.yaml, line 4.*mean 'on'"),
        ("grid:\n  flips.hubspot_frm/A: [on]", "no such source.*line 2.*mean 'hubspot_form'"),
        ("grid:\n  period: 2026-07", "needs the values.*line 2"),
        ("grid:\n  period: []", "needs the values.*line 2"),
        ("reports:\n- {name: A}\n- {edition: 1999-01-01}", r"edition.*\(plan.yaml, line 3"),
        ("reports:\n- {name: A}\n- {as_of: 2026-01-01, period: 2026-07}", r"not in the period.*\(plan.yaml, line 3"),
        ("reports: July", "Reports are listed.*line 1"),
        ("reports:\n- July", "A report is its parameters.*line 2"),
        ("reports: [{name: A}]\nportals: accounts", "reports or portals, not both.*line 2"),
        ("title: A\nportals: acounts", "no such folder: 'acounts'.*line 2.*Did you mean 'accounts'"),
        ("portals: accounts", "holds no portals"),
        ("title: A", "names no reports"),
        ("", "names no reports"),
        ("- a", "Names with values are needed"),
        ("grid: {period: [2026], period: [2025]}", "stands twice"),
        ("output: touches.csv\ngrid: {period: [2026]}", "a file where the folder should be"),
        ("output: .\ngrid: {period: [2026]}", "lie among what they are made from, plan.yaml"),
        (f"grid: {{edition: [{'a, ' * 40}], period: [{'b, ' * 40}]}}", f"too large: 1600.*at most {MOST:,}"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_plan_is_told_with_its_line_before_anything_runs(folder: Path, text: str, told: str) -> None:
    (folder / "accounts").mkdir()
    assert re.search(told, refused(folder, text))


def test_pages_go_where_the_plan_says_from_where_it_lies(folder: Path) -> None:
    assert plan(folder, PLAN).folder == Path("saved/plan")
    assert plan(folder, f"output: pages\n{PLAN}").folder == folder / "pages"
    assert planned(folder / "plan.yaml", Path("elsewhere")).index == Path("elsewhere/index.html")


def test_the_sample_plan_is_one() -> None:
    assert [len(run.parameters.flips) for run in planned(REPOSITORY / "data" / "sweep.yaml").runs] == [2] * 4


# ---- names ----


@given(st.lists(st.text(max_size=200), max_size=8))
def test_names_of_files_stay_in_their_folder_whatever_the_labels_are(labels: list[str]) -> None:
    names = unique([slug(label) for label in labels], taken=INDEX)
    assert len({name.casefold() for name in names}) == len(labels)
    for name in names:
        page = Path("folder", f"{name}.html")
        assert page.parent == Path("folder") and page.with_suffix(".contacts.csv").name == f"{name}.contacts.csv"
        assert name.replace("-", "").isalnum() and name != "index" and len(name.encode()) < 200


# ---- fingerprints ----


def test_a_fingerprint_changes_with_each_thing_a_report_is_made_from_and_with_nothing_else(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def made_from(where: Path) -> str:
        text = "parameters: {data: touches.csv, portal: account.yaml}\nreports: [{name: A, period: 2026-07}]"
        return plan(where, text).runs[0].fingerprint

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("touches.csv", "account.yaml"):
        (elsewhere / name).write_bytes((folder / name).read_bytes())
    seen = [made_from(folder)]
    assert made_from(elsewhere) == seen[0]
    for name in ("touches.csv", "account.yaml"):
        (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
        seen.append(made_from(folder))
    seen.append(plan(folder, "reports: [{name: A, period: 2026-07}]").runs[0].fingerprint)
    assert len(set(seen)) == 4


def test_submissions_beside_a_table_of_contacts_are_part_of_what_a_report_is_made_from(folder: Path) -> None:
    text = "reports: [{name: A, data: fivetran_contact.csv}]"
    for name in ("fivetran_contact.csv", "fivetran_contact_form_submission.csv"):
        (folder / name).write_bytes((REPOSITORY / "data" / name).read_bytes())
    before = plan(folder, text).runs[0].fingerprint
    submissions = folder / "fivetran_contact_form_submission.csv"
    submissions.write_bytes(submissions.read_bytes() + b"\n")
    assert plan(folder, text).runs[0].fingerprint != before


def test_a_report_is_there_only_with_its_page_its_figures_and_the_same_fingerprint(tmp_path: Path) -> None:
    page, figures = tmp_path / "a.html", tmp_path / "a.json"
    assert not is_there(page, "1")
    figures.write_text('{"fingerprint": "1"}')
    assert not is_there(page, "1")
    page.write_text("")
    assert is_there(page, "1") and not is_there(page, "2")
    for broken in ('{"fingerpr', "[]", "{}"):
        figures.write_text(broken)
        assert not is_there(page, "1")


# ---- reports that fail ----


def _acts(parameters: Parameters, page: Path, kernel: WarmKernel, deadline: Deadline, noted: Mapping[str, str]) -> Made:
    """In place of making a report: does what the title says."""
    what = parameters.title.rpartition(": ")[2]
    if what == "dies":
        kernel.kill()
        raise ReportError("The kernel died.")
    if what == "fails":
        raise DataError("There was nothing")
    if what == "breaks":
        raise ZeroDivisionError("by\nzero")
    page.write_text("")
    page.with_suffix(".json").write_bytes(as_json({**FIGURES, **noted}))
    return Made(page, (), FIGURES)


def test_a_report_that_fails_or_whose_kernel_dies_stops_no_other_and_the_rest_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one, "make", _acts)
    text = "output: pages\nreports: [{name: a}, {name: dies}, {name: b}, {name: fails}, {name: breaks}, {name: d}]"
    begun: list[tuple[int, int, str]] = []
    swept = make_all(plan(folder, text), progress=lambda *told: begun.append(told))
    assert str(swept) == "3 made, 0 kept, 3 failed"
    assert swept.failed == {
        "dies": Failure(4, "The kernel died."),
        "fails": Failure(3, "There was nothing."),
        "breaks": Failure(4, "ZeroDivisionError: by zero"),
    }
    assert swept.code == 4
    assert begun == [(at, 6, name) for at, name in enumerate(["a", "dies", "b", "fails", "breaks", "d"], 1)]
    index = folder / "pages" / "index.html"
    written = [index.with_suffix(suffix).read_bytes() for suffix in (".html", ".csv", ".json")]
    assert str(make_all(plan(folder, text))) == "0 made, 3 kept, 3 failed"
    assert [index.with_suffix(suffix).read_bytes() for suffix in (".html", ".csv", ".json")] == written
    assert str(make_all(plan(folder, "output: pages\nreports: [{name: a}]"), again=True)) == "1 made, 0 kept, 0 failed"


# ---- the index ----


def _row(switch: str, credit: float, **other: Any) -> dict[str, Any]:
    return {"switch": switch, "on": True, "exposed": 5, "sole": 1, "credit": credit} | other


def _figures(marketing: int, switches: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    always = round(marketing - sum(row["credit"] for row in switches))
    counts = {"marketing": marketing, "non-marketing": 4, "not covered": 1}
    return {
        "parameters": {"data": "touches.csv", "portal": "", "flips": {}, "title": "A"},
        "as_of": "2026-10-31 00:00:00",
        "tier": 2000,
        "counts": {"now": counts, "before": counts | {"marketing": 2}, "what-if": counts},
        "always": always,
        "sources": [{"source": "hubspot_form", "marketing": marketing, "what-if": marketing}],
        "switches": switches,
        "what-if switches": None,
        "gaps": None,
        "checksums": {"touches.csv": "0"},
        "versions": {},
        "headline": "It stands well.",
    } | other


FIGURES = _figures(10, [_row("hubspot_form/A", 6.5), _row("hubspot_form/B", 1.5)])


class _Tags(html.parser.HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _indexed(folder: Path, names: list[str], figures: Mapping[str, Any], failures: Mapping[str, str]) -> Sweep:
    reports = json.dumps([{"name": name} for name in names])
    sweep = plan(folder, f"title: <i>Ours</i>\noutput: pages\nreports: {reports}")
    sweep.folder.mkdir()
    write_index(sweep, {sweep.runs[names.index(name)].name: each for name, each in figures.items()}, failures)
    return sweep


def test_names_and_reasons_are_text_on_the_index_and_no_formula_beside_it(folder: Path) -> None:
    hostile, formula, address = "<img src=x onerror=alert(1)>", "=1+1", "ann@example.com"
    figures = dict.fromkeys((hostile, formula, address), FIGURES)
    sweep = _indexed(
        folder, [hostile, formula, address, "bad"], figures, {"bad": "<script>1</script> of ann@example.com"}
    )
    page = _Tags(sweep.index.read_text(encoding="utf-8"))
    assert not {"img", "i", "script"} & {tag for tag, _ in page.tags}
    assert hostile in page.text and "<script>1</script> of (address)" in page.text and "<i>Ours</i>" in page.text
    beside = [sweep.index.with_suffix(suffix).read_text(encoding="utf-8-sig") for suffix in (".csv", ".json")]
    assert not any("ann@" in text for text in (page.text, *beside))
    assert pd.read_csv(sweep.index.with_suffix(".csv"))["label"].tolist()[1] == "'=1+1"


def test_the_index_tells_each_report_in_the_plans_order_and_loads_nothing(folder: Path) -> None:
    more = _figures(13, [_row("hubspot_form/A", 9.5), _row("hubspot_form/B", 1.5)])
    sweep = _indexed(folder, ["second", "bad", "first"], {"second": FIGURES, "first": more}, {"bad": "No data."})
    page = _Tags(sweep.index.read_text(encoding="utf-8"))
    assert [tag["href"] for name, tag in page.tags if name == "a"] == ["second.html", "first.html"]
    assert ("html", {"lang": "en"}) in page.tags
    (policy,) = [tag["content"] for name, tag in page.tags if tag.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not any({"src", "onclick"} & set(tag) for _, tag in page.tags)
    assert all("scope" in tag for name, tag in page.tags if name == "th")
    assert len([name for name, _ in page.tags if name == "table"]) == len(
        [1 for name, _ in page.tags if name == "caption"]
    )
    assert page.text.index("No data.") < page.text.index("The reports, in the order")
    bars = [tag["style"] for name, tag in page.tags if tag.get("class") == "mk-bar"]
    assert bars == ["width:76.9%", "width:100.0%"]
    rows = json.loads(sweep.index.with_suffix(".json").read_text(encoding="utf-8"))["reports"]
    assert [row["name"] for row in rows] == ["second", "bad", "first"]
    assert [(row["marketing"], row["change"], row["room"], row["failed"]) for row in rows] == [
        (10, 8, 1990, None),
        (None, None, None, "No data."),
        (13, 11, 1987, None),
    ]
    assert rows[2]["moved"]["now"][0]["switch"] == "hubspot_form/A"


def test_where_every_report_failed_the_index_still_says_why(folder: Path) -> None:
    sweep = _indexed(folder, ["a", "b"], {}, {"a": "No data.", "b": "No kernel."})
    assert "No kernel." in sweep.index.read_text(encoding="utf-8")


def test_a_report_of_an_export_stands_on_hubspots_own_count(folder: Path) -> None:
    own = {"marketing": 8, "non-marketing": 4, "not covered": 0}
    sweep = _indexed(
        folder, ["a", "b"], {"a": FIGURES | {"own": own}, "b": FIGURES | {"own": own | {"marketing": 9}}}, {}
    )
    row, other = json.loads(sweep.index.with_suffix(".json").read_text(encoding="utf-8"))["reports"]
    assert (row["marketing"], row["rules"], row["non-marketing"], row["room"]) == (8, 10, 4, 1992)
    assert other["moved"]["says"].startswith(
        "As HubSpot counts, marketing contacts rose by 1, from 8 to 9. By the rules, marketing contacts stayed at 10."
    )


# ---- what moved ----


def numbers(case: Case, flips: Mapping[str, bool]) -> dict[str, Any]:
    """The figures of a report on a random batch, as they stand in its JSON."""
    now, what_if = case.decide(), case.what_if()
    frame = pd.DataFrame(columns=["reason"])
    opened = Opened("random.csv", pd.DataFrame(), frame, len(case.batch), {}, None)
    assert isinstance(now.as_of, pd.Timestamp)
    parameters = Parameters(flips={name: on for name, on in flips.items() if name in what_if.switches.index})
    period = Period.month_of(now.as_of.to_pydatetime())
    found = Findings(parameters, opened, portal(case.account), period, now, now, what_if)
    figures: dict[str, Any] = json.loads(as_json(found.numbers()))
    return figures


flips = st.dictionaries(st.sampled_from(["hubspot_form/A", "non_hubspot_form", "chatflow/A"]), st.booleans())


@given(cases(), cases(), flips, flips)
@settings(max_examples=25)
def test_the_parts_that_moved_sum_to_the_difference(
    first: Case, second: Case, of_first: Mapping[str, bool], of_second: Mapping[str, bool]
) -> None:
    assume(first.batch and second.batch)
    before, after = numbers(first, of_first), numbers(second, of_second)
    compared = compare(before, after)
    for of, movement in (("now", compared.now), ("what-if", compared.what_if)):
        if movement is not None:
            difference = after["counts"][of]["marketing"] - before["counts"][of]["marketing"]
            most = 1e-6 * (len(movement.moved) + 1)  # a switch is rounded to six digits
            assert movement.moved["change"].sum() == pytest.approx(difference, abs=most)
            assert movement.sources["change"].sum() == difference == movement.becomes - movement.was
            assert movement.moved["why"].str.len().all()
    backwards = compare(after, before).moved["change"]
    assert backwards.sort_index().tolist() == pytest.approx((-compared.moved["change"].sort_index()).tolist())


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (_row("hubspot_form/A", 3), _row("hubspot_form/A", 0, on=False), "turned off"),
        (_row("hubspot_form/A", 0, on=False), _row("hubspot_form/A", 3), "turned on"),
        (None, _row("hubspot_form/A", 3), "not there before"),
        (_row("hubspot_form/A", 3), None, "no longer there"),
        (_row("hubspot_form/A", 3), _row("hubspot_form/A", 5, exposed=7), "reaches 2 more contacts"),
        (_row("hubspot_form/A", 3), _row("hubspot_form/A", 2, exposed=4), "reaches 1 fewer contact"),
        (
            _row("hubspot_form/A", 0, on=False),
            _row("hubspot_form/A", 0, on=False, exposed=9),
            "is off; reaches 4 more contacts",
        ),
        (_row("hubspot_form/A", 3), _row("hubspot_form/A", 2), "shares its contacts with more others"),
        (_row("hubspot_form/A", 2), _row("hubspot_form/A", 3), "shares its contacts with fewer others"),
        (
            _row("hubspot_form/A", 3),
            _row("hubspot_form/A", 2, exposed=6),
            "reaches 1 more contact, and shares its contacts with more others",
        ),
    ],
)
def test_each_switch_that_moved_says_why(before: Any, after: Any, why: str) -> None:
    first, second = (_figures(9, [each] if each else []) for each in (before, after))
    assert compare(first, second).moved.loc["hubspot_form/A", "why"] == why


def test_the_sentence_tells_direction_amount_and_the_switch_that_moved_most() -> None:
    fell = _figures(4, [_row("hubspot_form/A", 0, on=False), _row("hubspot_form/B", 2)])
    compared = compare(FIGURES, fell)
    assert compared.says.startswith("Marketing contacts fell by 6, from 10 to 4; most moved ")
    assert compared.says.endswith(": A (-6.5: turned off).")
    assert "rose by 6" in compare(fell, FIGURES).says
    assert compare(FIGURES, FIGURES).says == "Marketing contacts stayed at 10."


def test_what_no_switch_changes_is_a_part_of_its_own() -> None:
    moved = compare(FIGURES, FIGURES | _figures(13, FIGURES["switches"])).moved
    assert moved.loc[ALWAYS, ["was", "becomes", "change"]].tolist() == [2, 5, 3]
    assert moved.loc[ALWAYS, "why"] == "3 more that are marketing whatever the switches"


def test_names_that_look_alike_once_their_addresses_are_masked_are_one() -> None:
    twice = [_row("integration/(address)", 2), _row("integration/(address)", 3)]
    assert compare(_figures(5, []), _figures(5, twice)).moved.loc["integration/(address)", "becomes"] == 5


def test_what_they_were_made_from_is_compared_but_for_the_title() -> None:
    parameters = FIGURES["parameters"] | {
        "title": "B",
        "flips": {"chatflow/A": {"from": "2026-05-01", "switch": False}},
    }
    other = FIGURES | {"parameters": parameters, "checksums": {"touches.csv": "1"}, "tier": None}
    assert compare(FIGURES, other).differences.to_numpy().tolist() == [
        ["tier", "2000", ""],
        ["SHA-256 of touches.csv", "0", "1"],
        ["flips: chatflow/A", "", "from 2026-05-01 switch off"],
    ]


def test_a_comparison_is_a_page_on_which_names_are_text(tmp_path: Path) -> None:
    hostile = _figures(12, [_row("hubspot_form/<script>alert(1)</script>", 4), *FIGURES["switches"]])
    write_page(compare(FIGURES, hostile), tmp_path / "moved.html")
    page = _Tags((tmp_path / "moved.html").read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in page.tags} and "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "This is no JSON"),
        ("[1]", "no figures of a report: parameters is missing"),
        ('{"reports": []}', "parameters is missing"),
        (json.dumps(FIGURES | {"always": 3}), "the parts sum to 11.0, and the count is 10"),
        (json.dumps(FIGURES | {"sources": []}), "the tools sum to 0, and the count is 10"),
        (json.dumps(FIGURES | {"switches": [{}]}), "not as a report writes it"),
    ],
)
def test_what_is_no_report_is_refused_with_words(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=re.escape(told)):
        figures_of(tmp_path / "a.json")
    with pytest.raises(DataError, match="cannot be read"):
        figures_of(tmp_path / "b.html")


def test_the_command_tells_what_moved_and_writes_over_neither_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(as_json(FIGURES))
    (tmp_path / "a.html").write_text("a page")
    (tmp_path / "b.json").write_bytes(as_json(_figures(8, FIGURES["switches"])))
    files = [str(tmp_path / name) for name in ("a.html", "b.json")]
    assert main(["compare", *files, "-o", str(tmp_path / "moved.html")]) == 0
    assert "fell by 2, from 10 to 8" in capsys.readouterr().out
    assert "fell by 2" in (tmp_path / "moved.html").read_text(encoding="utf-8")
    assert main(["compare", *files, "-o", files[0]]) == 2
    (tmp_path / "b.json").write_bytes(as_json(_figures(9, [_row("hubspot_form/\x1b[2J", 3)])))
    assert main(["compare", *files]) == 0 and "\x1b" not in capsys.readouterr().out
    assert (tmp_path / "a.html").read_text() == "a page"


# ---- with kernels ----


def test_a_sweep_makes_reports_names_what_fails_and_is_resumed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "nothing.csv").write_text("a,b\n1,2\n")
    (folder / "plan.yaml").write_text(
        "parameters: {data: touches.csv, portal: account.yaml}\noutput: pages\n"
        "reports:\n- name: As it is\n- {name: Empty, data: nothing.csv}\n"
        "- {name: Newsletter off, flips.hubspot_form/Newsletter: off}\n"
    )
    monkeypatch.chdir(folder)
    assert main(["sweep", "plan.yaml"]) == 3
    out, told = capfd.readouterr()
    assert out == f"{Path('pages/index.html')}\n" and "2 made, 0 kept, 1 failed." in told
    assert "marketable: empty: This is neither a batch" in told and "1 of 3: As it is" in told
    assert {file.name for file in Path("pages").glob("*.html")} == {
        "as-it-is.html",
        "newsletter-off.html",
        "index.html",
    }
    compared = compare(*(figures_of(f"pages/{name}.html") for name in ("as-it-is", "newsletter-off")))
    assert compared.what_if is not None and not len(compared.moved) and compared.says.startswith("With the what-if, ")
    assert compared.what_if.moved.loc["hubspot_form/Newsletter", "why"] == "turned off"
    difference = compared.what_if.becomes - compared.what_if.was
    assert difference < 0 and compared.what_if.moved["change"].sum() == pytest.approx(difference, abs=1e-4)
    before = {file: file.stat().st_mtime_ns for file in Path("pages").glob("*t*.html")}
    (folder / "plan.yaml").write_text((folder / "plan.yaml").read_text().replace("nothing.csv", "touches.csv"))
    assert main(["sweep", "plan.yaml"]) == 0
    assert "1 made, 2 kept, 0 failed." in capfd.readouterr().err
    assert all(file.stat().st_mtime_ns == changed for file, changed in before.items())
    assert not list(Path("pages").glob("*.failed.ipynb"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_sweep_that_is_stopped_leaves_no_process_behind(folder: Path) -> None:
    (folder / "plan.yaml").write_text(PLAN)
    command = [sys.executable, "-m", "marketable", "sweep", "plan.yaml", "-o", "pages"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stderr is not None
        started = _until(lambda: [pid for pid in _below(running.pid) if "ipykernel" in _told(pid)])
        running.send_signal(signal.SIGTERM)
        told = running.stderr.read()
    assert started and running.returncode == 130 and told.endswith("marketable: Stopped.\n") and "Trace" not in told
    assert _until(lambda: not any("ipykernel" in _told(pid) for pid in started))


def _until(holds: Any, seconds: float = 20) -> Any:
    for _ in itertools.takewhile(lambda end: time.monotonic() < end, itertools.repeat(time.monotonic() + seconds)):
        if found := holds():
            return found
        time.sleep(0.05)
    return holds()


def _below(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    listed = [file.parent for file in Path("/proc").glob("[0-9]*/stat")]
    parents: dict[int, list[int]] = {}
    for each in listed:
        try:
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(each.name))
    return [each for child in parents.get(pid, []) for each in (child, *_below(child))]


def _told(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
