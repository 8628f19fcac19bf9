"""What a report may be asked, and how it is told what cannot be."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketable.errors import ParameterError
from marketable.report import command
from marketable.report.parameters import OF_SWITCHES, Parameters, layered, of_file, of_text
from marketable.report.periods import FIRST_YEAR, LAST_YEAR, Period
from test_architecture import REPOSITORY
from test_portal import NAMES

NOTEBOOK = REPOSITORY / "notebooks" / "report.ipynb"
NASTY = [
    *NAMES, "$(reboot)", "`reboot`", "; import os", '"); import os; (', "\\", '\\"', "'''", '"""', "{x.__class__}",
    "%s", "<script>", "\0", "\x1b[2J", "\ufeff", "\u202e", "é" * 2000, "../" * 50, "~nobody-of-this-name/x",
    "NaN", "1e999",
]  # fmt: skip
ANY_TEXT = st.text(st.characters(codec=None)) | st.sampled_from([*NASTY, "\ud800", "\udcff"])


def notebook_cell() -> str:
    """The source of the notebook's cell of parameters: a line each, with its type, default and explanation."""
    return "\n".join(
        f"{name}: {field.annotation.__name__ if isinstance(field.annotation, type) else 'dict'} = "
        f"{json.dumps(field.default) if not isinstance(field.default, bool) else field.default}  # {field.description}"
        for name, field in Parameters.model_fields.items()
    )


def asked(*assignments: str) -> Parameters:
    return layered(map(of_text, assignments))


def in_file(folder: Path, text: str, name: str = "parameters.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def of_files(*paths: Path) -> Parameters:
    return layered(map(of_file, paths))


# ---- each parameter ----


def test_without_a_word_the_samples_are_reported_on() -> None:
    parameters = asked()
    assert parameters.data_path.name == "hubspot-crm-exports-all-contacts-2026-10-31.csv"
    assert parameters.paths["portal"] == REPOSITORY / "data" / "portal.yaml"
    assert (parameters.switches, parameters.flips, parameters.list_contacts) == ({}, {}, False)


@pytest.mark.parametrize("text", ["2026-10", "2026-Q3", "2026q3", "2026", "2026-10-01/2026-10-15"])
def test_a_period_is_a_month_a_quarter_a_year_or_days(text: str) -> None:
    assert asked(f"period={text}").period == text


@pytest.mark.parametrize("text", ["2026-10-31", "2026-10-31 18:00", "2026-10-31T18:00:00", "2026-10-31T18:00+01:00"])
def test_as_of_is_a_day_or_a_time_with_or_without_a_zone(text: str) -> None:
    assert asked(f"as_of={text}").as_of == text


def test_as_of_lies_in_the_period_up_to_the_first_moment_after_it() -> None:
    assert asked("period=2026-10", "as_of=2026-11-01").as_of == "2026-11-01"
    for outside in ("2026-10-01", "2026-11-01 00:01"):
        with pytest.raises(ParameterError, match=r"not in the period.*a time in October 2026"):
            asked("period=2026-10", f"as_of={outside}")


@pytest.mark.parametrize("text", ["yes", "Yes", "true", "on", " TRUE "])
def test_yes_is_read_as_people_write_it(text: str) -> None:
    assert asked(f"list_contacts={text}").list_contacts is True


WRONG = {
    "perod=2026-10": "not known here: 'perod'.*Did you mean 'period'",
    "Title=x": "not known here: 'Title'.*Did you mean 'title'",
    "flip.hubspot_form/A=off": "not known here: 'flip'.*Did you mean 'flips'",
    "title.x=y": "not known here: 'title.x'.*Did you mean 'title'",
    "n = 1; import os; n=1": "not known here",
    "period": "given as name=value: 'period'",
    "period=2026-13": "no period: '2026-13'.*Expected a month like 2026-10",
    "period=2026-Q5": "no period",
    "period=October": "no period",
    "period=2026-10-15/2026-10-01": "no period",
    "period=2026-02-30/2026-03-01": "no period",
    "period=1999": "no period",
    "as_of=yesterday": "not a time: 'yesterday'.*Expected a time like 2026-10-31 18:00",
    "as_of=2026-02-30": "not a time",
    "as_of=2026-W44-1": "not a time",
    "as_of=20261031": "not a time",
    "as_of=9999-12-31": "not a time",
    "edition=2024-02-15": "Did you mean '2024-02-14'",
    "list_contacts=maybe": "neither yes nor no: 'maybe'",
    "list_contacts=1": "neither yes nor no: '1'",
    "data=": "A report needs data",
    "data=data": "no such file: 'data'",
    "data=data/portal.yml": "no such file: 'data/portal.yml'.*Did you mean 'data/portal.yaml'",
    "data=~nobody-of-this-name/x.csv": "no such file",
    f"data={'a' * 5000}": "no such file",
    "data=a\0b": "no path of a file",
    "portal=data/portl.yaml": "Did you mean 'data/portal.yaml'",
    "mapping=data/maping.yaml": "no such file: 'data/maping.yaml'",
    "prices=data/price.yaml": "Did you mean 'data/prices.yaml'",
    "actions=data/action.yaml": "Did you mean 'data/actions.yaml'",
    "step=5000": "A price needs included, step and monthly.*monthly",
    "monthly=230.5": "A price needs included, step and monthly.*step",
    "title=\udcff": "not text in UTF-8",
    "data=\udcff": "not text in UTF-8",
    "flips.hubspot_form/\udcff=off": "not text in UTF-8",
    "flips=no": "These are no switches: 'no'",
    "flips={a": "not YAML",
    "flips.hubspot_from/A=off": "no such source: 'hubspot_from'.*Did you mean 'hubspot_form'",
    "flips.hubspot_form=off": "a switch per asset.*Expected hubspot_form/name",
    "flips.non_hubspot_form/A=off": "one switch for the account",
    "flips.meetings_link=off": "no switch",
    "flips.hubspot_form/A=of": "on or off: 'of'.*flips.hubspot_form/A.*Did you mean 'off'",
    "flips.hubspot_form/A=off from Monday": "not a date: 'Monday'",
    "flips.hubspot_form/A=offf from 2026-05-01": "on or off: 'offf'",
    "flips={hubspot_form/A: [{from: 2026-05-01, switch: off}]}": "on or off.*off from 2026-05-01",
    "flips={hubspot_form/A: {form: 2026-05-01, switch: off}}": "Did you mean 'from'",
    "flips={hubspot_form/A: {from: 2026-05-01}}": "needs its date and its switch",
}


@pytest.mark.parametrize("assignment", WRONG)
def test_what_is_wrong_is_refused_with_what_was_expected_and_the_nearest_name(assignment: str) -> None:
    with pytest.raises(ParameterError, match=WRONG[assignment]) as refused:
        asked(assignment)
    assert len(str(refused.value).splitlines()) == 1


def test_made_in_code_they_are_checked_as_well() -> None:
    assert Parameters(period=2026, edition=dt.date(2024, 2, 14)).edition == "2024-02-14"
    for wrong in ({"perod": "2026"}, {"title": None}, {"title": True}, {"data": 7}, {"flips": [1]}, {"switches": 1}):
        with pytest.raises(ParameterError):
            Parameters(**wrong)


# ---- switches ----


@pytest.mark.parametrize("of", OF_SWITCHES)
@pytest.mark.parametrize(
    "name", ["A=B", "a.b", "a/b", "a: b", "it's", '"q"', "été 🎉", " a b ", "flips.x", "No", "012", "switch", "#1", ""]
)
def test_a_switch_is_named_with_a_dot_whatever_its_name_holds(of: str, name: str, tmp_path: Path) -> None:
    meant = {f"hubspot_form/{name}": False}
    assert getattr(asked(f"{of}.hubspot_form/{name}=off"), of) == meant
    quoted = "'" + name.replace("'", "''") + "'"
    nested = in_file(tmp_path, f"{of}:\n  hubspot_form:\n    {quoted}: off\n")
    flat = in_file(tmp_path, f"{of}:\n  {quoted.replace(chr(39), chr(39) + 'hubspot_form/', 1)}: off\n", "flat.yaml")
    assert getattr(of_files(nested), of) == getattr(of_files(flat), of) == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("on", True), ("No", False), ("TRUE", True), (" off ", False), ("yes", True)]
)
def test_a_switch_is_on_or_off_as_people_write_it(written: str, meant: bool) -> None:
    assert asked(f"flips.chatflow/A={written}").flips == {"chatflow/A": meant}


def test_a_switch_may_be_off_from_a_day_on_however_that_is_written() -> None:
    ways: list[Any] = [
        "off from 2026-05-01",
        {"from": "2026-05-01", "switch": "off"},
        {"from": dt.date(2026, 5, 1), "switch": False},
        ("2026-05-01", False),
        ("2026-05-01", np.False_),
    ]
    for way in ways:
        flip = Parameters(flips={"non_hubspot_form": way}).flips["non_hubspot_form"]
        assert (flip["from"], str(flip["switch"]).lower() in ("off", "false")) == ("2026-05-01", True)
    assert asked("flips.integration/A=on from 2026-05-01 18:00").flips["integration/A"]["from"] == "2026-05-01 18:00"


def test_nested_as_in_a_portal_or_by_name_is_the_same(tmp_path: Path) -> None:
    nested = in_file(
        tmp_path,
        "switches:\n  hubspot_form: {A: on, switch: off}\n  non_hubspot_form: {from: 2026-05-01, switch: on}\n",
    )
    assert of_files(nested).switches == {
        "hubspot_form/A": True,
        "hubspot_form/switch": False,
        "non_hubspot_form": {"from": "2026-05-01", "switch": "on"},
    }


def test_only_of_a_tool_with_one_switch_for_the_account_switch_is_a_setting_and_no_name() -> None:
    dated = {"from": "2026-05-01", "switch": "on"}
    assert Parameters(flips={"non_hubspot_form": dated}).flips == {"non_hubspot_form": dated}
    of_assets = {"hubspot_form": {"switch": "off"}, "chatflow": {"switch": "on", "from": "off"}}
    meant = {"hubspot_form/switch": False, "chatflow/switch": True, "chatflow/from": False}
    assert Parameters(flips=of_assets).flips == meant


# ---- layers ----


def test_a_later_layer_replaces_what_an_earlier_one_says(tmp_path: Path) -> None:
    first = in_file(tmp_path, "period: 2026-08\ntitle: First\n", "first.yaml")
    second = in_file(tmp_path, "period: 2026-09\nlist_contacts: yes\n", "second.yaml")
    parameters = layered([of_file(first), of_file(second), of_text("period=2026-10"), of_text("period=2026-11")])
    assert (parameters.period, parameters.title, parameters.list_contacts) == ("2026-11", "First", True)
    assert layered([of_file(second), of_file(first)]).period == "2026-08"


def test_a_later_layer_can_take_back_what_an_earlier_one_asked(tmp_path: Path) -> None:
    layers = [of_file(in_file(tmp_path, "period: 2026-08\nlist_contacts: yes\n"))]
    parameters = layered([*layers, of_text("period="), of_text("list_contacts=no")])
    assert (parameters.period, parameters.list_contacts) == ("", False)


@pytest.mark.parametrize("of", OF_SWITCHES)
def test_layers_are_merged_switch_by_switch(of: str, tmp_path: Path) -> None:
    file = in_file(tmp_path, f"{of}: {{hubspot_form: {{A: on, B: on}}, non_hubspot_form: off}}\n")
    parameters = layered([of_file(file), of_text(f"{of}.hubspot_form/A=off"), of_text(f"{of}={{chatflow: {{C: on}}}}")])
    assert getattr(parameters, of) == {
        "hubspot_form/A": False,
        "hubspot_form/B": True,
        "non_hubspot_form": False,
        "chatflow/C": True,
    }


@pytest.mark.parametrize(
    "text",
    [
        "flips: {hubspot_form: {A: on}}\nflips.hubspot_form/A: off\n",
        "flips.hubspot_form/A: on\nflips: {hubspot_form: {A: off}}\n",
        "flips:\nflips.hubspot_form/A: off\n",
        "flips: {hubspot_form/A: on, hubspot_form: {A: off}}\n",
    ],
)
def test_in_one_file_too_the_later_line_wins(text: str, tmp_path: Path) -> None:
    assert of_files(in_file(tmp_path, text)).flips == {"hubspot_form/A": False}


def test_a_layer_is_checked_even_where_a_later_one_would_replace_it(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="2026-13"):
        layered([of_file(in_file(tmp_path, "period: 2026-13\n")), of_text("period=2026-10")])


WRONG_FILES = {
    "title: x\nperod: 2026-10\n": "'perod'.*parameters.yaml, line 2.*Did you mean 'period'",
    "title: x\n\nperiod: 2026-13\n": "parameters.yaml, line 3, at period",
    "flips:\n  hubspot_form:\n    A: on\n    B: onn\n": "'onn'.*parameters.yaml, line 4, at flips.hubspot_form/B",
    "flips:\n  hubspot_form/A: on\n  hubspot_form/B: onn\n": "'onn'.*line 3, at flips.hubspot_form/B",
    "title: x\nflips.hubspot_form/A: onn\n": "'onn'.*line 2, at flips.hubspot_form/A",
    "flips:\n  chatflow:\n    A:\n      switch: off\n      form: x\n": "'form'.*line 5.*Did you mean 'from'",
    "flips: on\nflips.hubspot_form/A: off\n": "These are no switches.*line 1",
    "title: x\nportal: portl.yaml\n": "no such file: 'portl.yaml'.*line 2, at portal",
    "title: x\ntitle: y\n": "stands twice.*line 2",
    "- title\n": "Names with values.*parameters.yaml",
    "title: [a]\n": "no text.*line 1",
    "2026: x\n": "not known here: '2026'.*line 1",
    "n = 1; import os: 1\n": "not known here: 'n = 1; import os'.*line 1",
    'title: "\\uD800"\n': "not text in UTF-8.*line 1",
}


@pytest.mark.parametrize("text", WRONG_FILES)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=WRONG_FILES[text]):
        of_files(in_file(tmp_path, text))


def test_a_file_of_parameters_that_is_missing_is_told_by_name_and_an_empty_one_asks_nothing(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"cannot be read.*none\.yaml"):
        of_files(tmp_path / "none.yaml")
    assert of_files(in_file(tmp_path, "# nothing yet\n")) == Parameters()


@pytest.mark.parametrize(
    "typed", ["no", "012", "1:30", "007", "1_000", "true", "2026-10-31", "~", "null", "0x10", ".5"]
)
def test_a_title_is_what_was_typed_whatever_yaml_would_make_of_it(typed: str, tmp_path: Path) -> None:
    assert of_files(in_file(tmp_path, f"title: {typed}\n")).title == asked(f"title={typed}").title == typed


# ---- files ----


def test_a_path_in_a_file_is_looked_for_beside_it_then_here_then_in_the_toolkit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, here = tmp_path / "beside", tmp_path / "here"
    for folder in (beside, here):
        (folder / "data").mkdir(parents=True)
    monkeypatch.chdir(here)
    file = in_file(beside, "portal: data/portal.yaml\n")
    for folder in (REPOSITORY, here, beside):
        (folder / "data" / "portal.yaml").touch()
        assert of_files(file).paths["portal"] == folder / "data" / "portal.yaml"
    assert asked("portal=data/portal.yaml").paths["portal"] == here / "data" / "portal.yaml"


def test_a_missing_path_offers_the_nearest_name_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "export-october.csv").touch()
    with pytest.raises(ParameterError, match=r"line 1, at data.*Did you mean 'export-october\.csv'"):
        of_files(in_file(tmp_path, "data: export-octobr.csv\n"))


def test_an_empty_portal_is_every_switch_at_its_default() -> None:
    assert "portal" not in asked("portal=").paths


# ---- whatever is typed ----


def test_a_name_with_a_line_break_is_told_in_one_line() -> None:
    with pytest.raises(ParameterError, match=r"at flips.hubspot_form/A=\\r\)") as refused:
        asked("flips.hubspot_form/A=\r=")
    assert len(str(refused.value).splitlines()) == 1


@given(st.sampled_from([*Parameters.model_fields, "flips.hubspot_form/A", "x"]), ANY_TEXT)
def test_whatever_is_typed_is_taken_or_refused_in_words(name: str, value: str) -> None:
    try:
        asked(f"{name}={value}")
    except ParameterError as refused:
        assert len(str(refused).splitlines()) == 1


@given(ANY_TEXT)
def test_whatever_assignment_is_typed_is_taken_or_refused_in_words(assignment: str) -> None:
    try:
        asked(assignment)
    except ParameterError as refused:
        assert str(refused)


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(NASTY))
def test_a_title_and_a_switch_keep_whatever_name_they_have(text: str) -> None:
    parameters = asked(f"title={text}", f"flips.hubspot_form/{text}=off")
    assert (parameters.title, parameters.flips) == (text, {f"hubspot_form/{text}": False})


# ---- the notebook and the help ----


def test_the_notebooks_cell_of_parameters_is_the_schema() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert cell.source == notebook_cell()
    defaults: dict[str, Any] = {}
    exec(cell.source, defaults)
    assert Parameters(**{name: defaults[name] for name in Parameters.model_fields}) == Parameters()


def test_the_notebook_passes_every_parameter_on() -> None:
    source = next(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.id == "findings")
    assert re.findall(r"^    (\w+)=(\w+),$", source, re.MULTILINE) == [(name, name) for name in Parameters.model_fields]


def test_the_help_of_the_command_explains_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["report", "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    for name, field in Parameters.model_fields.items():
        assert f"\n  {name} (" in told
        assert field.description and field.description in told


# ---- periods ----


@pytest.mark.parametrize(
    ("text", "first", "last", "name", "before"),
    [
        ("2026-10", "2026-10-01", "2026-10-31", "October 2026", "September 2026"),
        ("2026-01", "2026-01-01", "2026-01-31", "January 2026", "December 2025"),
        ("2024-02", "2024-02-01", "2024-02-29", "February 2024", "January 2024"),
        ("2025-02", "2025-02-01", "2025-02-28", "February 2025", "January 2025"),
        ("2000-02", "2000-02-01", "2000-02-29", "February 2000", "January 2000"),
        ("2100-02", "2100-02-01", "2100-02-28", "February 2100", "January 2100"),
        (
            "2026-Q1", "2026-01-01", "2026-03-31", "Q1 2026",
            "Q4 2025",
        ),
        (
            "2026q4", "2026-10-01", "2026-12-31", "Q4 2026",
            "Q3 2026",
        ),
        ("2026", "2026-01-01", "2026-12-31", "2026", "2025"),
        ("2000", "2000-01-01", "2000-12-31", "2000", "1999"),
        ("2024-03-01/2024-03-01", "2024-03-01", "2024-03-01", "1 March 2024", "29 February 2024"),
        (
            "2024-03-01/2024-03-02", "2024-03-01", "2024-03-02", "1 March 2024 to 2 March 2024",
            "28 February 2024 to 29 February 2024",
        ),
    ],
)  # fmt: skip
def test_a_period_has_its_days_its_name_and_the_one_before(
    text: str, first: str, last: str, name: str, before: str
) -> None:
    period = Period.of_text(text)
    assert (str(period.first), str(period.last), period.name, period.before.name) == (first, last, name, before)


MONTHS = st.builds("{}-{:02}".format, st.integers(FIRST_YEAR, LAST_YEAR), st.integers(1, 12))
QUARTERS = st.builds("{}-Q{}".format, st.integers(FIRST_YEAR, LAST_YEAR), st.integers(1, 4))
YEARS = st.builds(str, st.integers(FIRST_YEAR, LAST_YEAR))
SOME_DAYS = st.tuples(*[st.dates(dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 31))] * 2).map(
    lambda two: f"{min(two)}/{max(two)}"
)


@given(MONTHS | QUARTERS | YEARS | SOME_DAYS)
def test_the_period_before_ends_the_day_before_and_is_as_long(text: str) -> None:
    period = Period.of_text(text)
    before = period.before
    assert before.last + dt.timedelta(1) == period.first
    assert before.months == period.months
    assert before.ends < period.begins <= period.ends
    if period.months:
        assert before.first.day == 1
        months = [(each.first.year * 12 + each.first.month) for each in (before, period)]
        assert months[1] - months[0] == period.months
    else:
        assert before.last - before.first == period.last - period.first


@given(st.datetimes(dt.datetime(FIRST_YEAR, 1, 1), dt.datetime(LAST_YEAR, 12, 31)))
def test_the_month_of_a_moment_holds_it_and_its_first_moment_still_belongs_to_the_one_before(
    moment: dt.datetime,
) -> None:
    period = Period.month_of(moment)
    assert period.months == 1
    assert period.begins < moment <= period.ends + dt.timedelta(microseconds=1)
    assert Period.month_of(period.begins) == period.before


@given(st.text("0123456789-/Qq", max_size=12) | st.text(max_size=12))
def test_no_text_makes_a_period_but_by_its_rules(text: str) -> None:
    try:
        period = Period.of_text(text)
    except ValueError as refused:
        assert "a month like 2026-10" in str(refused)
    else:
        assert FIRST_YEAR <= period.first.year <= period.last.year <= LAST_YEAR
        assert period.first <= period.last
