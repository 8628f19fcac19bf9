"""A report is made whole or not at all, from parameters that are data and never code, and it says how it went."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pandas as pd
import papermill
import psutil
import pytest
from click.testing import CliRunner
from papermill.cli import papermill as papermill_command

import marketable as mk
from marketable import paths
from marketable.errors import ParameterError
from marketable.report import command, figures, run
from marketable.report import kernel as kernels
from marketable.report.kernel import Deadline, WarmKernel
from marketable.report.parameters import Parameters, layered, of_text
from marketable.report.periods import Period
from marketable.report.run import FIGURES, Made, ReportError, make
from test_architecture import REPOSITORY
from test_parameters import NASTY, notebook_cell

NOTEBOOK = REPOSITORY / "notebooks" / "report.ipynb"
ASKED = ("period=2026-09", "flips.hubspot_form/Newsletter=off", "list_contacts=yes", "title=In <b>September</b>")
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
KILLS = 40 if THOROUGH else 4
SUFFIXES = (".html", ".json", ".csv", ".xlsx", ".ipynb", ".pdf")
Command = Callable[..., int]


@pytest.fixture(scope="module")
def kernel() -> Iterator[WarmKernel]:
    with WarmKernel() as kernel:
        yield kernel


@pytest.fixture(scope="module")
def september(tmp_path_factory: pytest.TempPathFactory, kernel: WarmKernel) -> Made:
    return made(kernel, tmp_path_factory.mktemp("september") / "page.html", *ASKED)


@pytest.fixture
def marketable(kernel: WarmKernel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command in this process, with a kernel that is warm already."""

    class Lent:
        def __enter__(self) -> WarmKernel:
            return kernel

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(kernels, "WarmKernel", Lent)
    before = signal.getsignal(signal.SIGTERM)
    yield lambda *arguments: command.main(["report", *map(str, arguments)])
    signal.signal(signal.SIGTERM, before)


def made(kernel: WarmKernel, output: Path, *assignments: str, **options: Any) -> Made:
    return make(layered(map(of_text, assignments)), output, kernel, Deadline(60), **options)


def started(*arguments: str | Path, folder: Path, **options: Any) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "marketable", "report", *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen(line, cwd=folder, text=True, **streams)


def notebook_of(folder: Path, *sources: str, name: str = "other.ipynb") -> Path:
    """A notebook with the parameters of a report, and with cells of its own, which are called cell-1, cell-2 …"""
    parameters = nbformat.v4.new_code_cell(notebook_cell(), id="parameters", metadata={"tags": ["parameters"]})
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources, 1)]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[parameters, *cells], metadata={"kernelspec": kernelspec})
    nbformat.write(notebook, folder / name)
    return folder / name


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def page_of(made: Made) -> str:
    return made.page.read_text(encoding="utf-8")


# ---- what a run writes ----


def test_a_report_is_a_page_its_figures_its_notebook_and_if_asked_the_list(september: Made) -> None:
    stems = {"page.html", "page.json", "page.csv", "page.xlsx", "page.ipynb", "page.contacts.csv"}
    assert names(september.page.parent) == stems == {path.name for path in (september.page, *september.files)}
    assert json.loads(september.page.with_suffix(".json").read_text("utf-8")) == september.figures


def test_the_figures_are_what_decide_and_what_ifs_say(september: Made) -> None:
    portal = mk.Portal.load(REPOSITORY / "data" / "portal.yaml")
    export = mk.read_export(next((REPOSITORY / "data").glob("hubspot-crm-exports-*.csv")))
    period, flips = Period.of_text("2026-09"), {"hubspot_form/Newsletter": False}
    what_if = mk.WhatIf(export.touches, portal, as_of=period.ends)
    counts = {
        "now": mk.decide(export.touches, portal, as_of=period.ends).counts(),
        "before": mk.decide(export.touches, portal, as_of=period.before.ends).counts(),
        "what-if": what_if.counts(flips),
    }
    figures = september.figures
    assert figures["counts"] == {name: each.to_dict() for name, each in counts.items()}
    assert figures["counts"]["now"] != figures["counts"]["what-if"]
    assert what_if.by("source", flips)["marketing"].to_dict() == {
        row["source"]: row["what-if"]
        for row in figures["sources"]
        if row["source"] in what_if.by("source", flips).index
    }
    assert {row["switch"]: row["exposed"] for row in figures["switches"]} == what_if.switches["exposed"].to_dict()
    came = sum(row["contacts"] * (-1 if row["kind"].startswith("no longer") else 1) for row in figures["changes"])
    assert came == figures["counts"]["now"]["marketing"] - figures["counts"]["before"]["marketing"]


def test_the_page_holds_no_code_and_nothing_from_elsewhere(september: Made) -> None:
    page = page_of(september)
    assert "report.findings(" not in page
    assert "def " not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    loaded = re.findall(r"""<(?!a\b)\w+[^>]*?\b(?:src|href|data|action|poster|srcset)\s*=\s*["']?([^"'\s>]+)""", page)
    assert all(each.startswith(("data:", "#")) for each in loaded)
    assert not re.search(r"url\(\s*['\"]?(?!#|data:)|@import|<link|<iframe|<object|<embed", page)
    assert "In &lt;b&gt;September&lt;/b&gt;" in page


def test_every_picture_tells_in_words_what_it_shows(september: Made) -> None:
    pictures = re.findall(r"<img[^>]*>", page_of(september))
    assert len(pictures) == 4
    assert all(len(re.findall(r'alt="([^"]*)"', picture)[0]) > 20 for picture in pictures)


def test_twice_the_same_is_the_same_to_the_byte_wherever_it_is_made(
    september: Made, kernel: WarmKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY / "notebooks")
    again = made(kernel, tmp_path / "page.html", *ASKED)
    for suffix in (".html", ".json", ".csv", ".xlsx", ".contacts.csv"):
        assert again.page.with_suffix(suffix).read_bytes() == september.page.with_suffix(suffix).read_bytes(), suffix


def test_the_audit_is_the_same_to_the_byte_too(kernel: WarmKernel, tmp_path: Path) -> None:
    first, second = (made(kernel, tmp_path / name / "page.html", "prices=data/prices.yaml") for name in "ab")
    assert "HubSpot's own statuses" in html.unescape(page_of(first)) and first.figures["audit switches"]
    for suffix in (".html", ".json", ".csv", ".xlsx"):
        assert first.page.with_suffix(suffix).read_bytes() == second.page.with_suffix(suffix).read_bytes(), suffix


def test_what_an_earlier_run_left_that_this_one_does_not_make_is_gone(kernel: WarmKernel, tmp_path: Path) -> None:
    made(kernel, tmp_path / "page.html", "list_contacts=yes")
    (tmp_path / "page.failed.ipynb").touch()
    made(kernel, tmp_path / "page.html")
    assert names(tmp_path) == {"page.html", "page.json", "page.csv", "page.xlsx", "page.ipynb"}


@pytest.mark.parametrize("name", ["{x.__class__}.html", "{}.html", "{0}/ä ö/é 🎉.html", "%s $HOME `x`.HTM", "a.b.html"])
def test_braces_blanks_and_the_like_in_a_path_are_just_a_name(kernel: WarmKernel, tmp_path: Path, name: str) -> None:
    page = made(kernel, tmp_path / name, notebook=notebook_of(tmp_path, "1")).page
    assert page == tmp_path / name
    assert page.read_text("utf-8").endswith("</html>\n")


def test_paths_are_told_from_where_we_stand(
    marketable: Command, kernel: WarmKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(REPOSITORY / "data" / "touches.csv", tmp_path / "mine.csv")
    (tmp_path / "asked").mkdir()
    (tmp_path / "asked" / "asked.yaml").write_text("data: ../mine.csv\n")
    monkeypatch.chdir(tmp_path)
    assert marketable("-p", "data=mine.csv", "-o", "a.html") == 0
    monkeypatch.chdir("/")
    assert marketable("-f", tmp_path / "asked" / "asked.yaml", "-o", tmp_path / "b.html") == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["parameters"]["data"] == "mine.csv"


# ---- parameters are data ----


def test_whatever_a_title_and_a_switch_are_called_they_reach_the_notebook_as_data(
    kernel: WarmKernel, tmp_path: Path
) -> None:
    told = (
        f'display({{"text/plain": "", "{FIGURES}": {{"title": title, "switches": switches, "flips": flips}}}}, raw=1)'
    )
    other = notebook_of(tmp_path, f"from IPython.display import display\n{told}")
    switches = {f"hubspot_form/{name}": bool(number % 2) for number, name in enumerate(NASTY)}
    dated = {"non_hubspot_form": {"from": "2026-05-01", "switch": "off"}}
    for title in ['"); import os; os._exit(1); ("', "a\nb\0c\x1b é🎉\u2028 '''\"\"\" {x.__class__} \\"]:
        parameters = Parameters(title=title, switches=switches, flips=dated)
        reached = make(parameters, tmp_path / "page.html", kernel, Deadline(60), notebook=other).figures
        assert reached == {"title": title, "switches": switches, "flips": dated}


@pytest.mark.parametrize("way", ["-p", "-f", "in switches"])
def test_a_name_is_never_run_as_code(marketable: Command, tmp_path: Path, way: str) -> None:
    ran = tmp_path / "ran"
    code = f"n = 1; import pathlib; pathlib.Path({str(ran)!r}).touch(); n"
    file = tmp_path / "asked.yaml"
    quoted = code.replace("'", "''")
    file.write_text(f"'{quoted}': 1\n" if way == "-f" else f"flips: {{'{quoted}': off}}\n")
    asked = ("-p", f"{code}=1") if way == "-p" else ("-f", file)
    assert marketable(*asked, "-o", tmp_path / "page.html") == 2
    assert names(tmp_path) == {"asked.yaml"}


def test_true_is_true_and_an_unknown_name_ends_with_2(
    marketable: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert marketable("-p", "list_contacts=true", "-o", tmp_path / "page.html") == 0
    assert (tmp_path / "page.contacts.csv").is_file()
    assert capsys.readouterr().out == f"{tmp_path / 'page.html'}\n"
    assert marketable("-p", "list_contact=true", "-o", tmp_path / "other.html") == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"marketable: .*'list_contact'.*Did you mean 'list_contacts'\?\n", told)
    assert "other.html" not in names(tmp_path)


def test_plain_papermill_runs_it_from_any_folder_with_all_its_ways_to_set_parameters(tmp_path: Path) -> None:
    (tmp_path / "asked.yaml").write_text("title: From a file\nperiod: 2026-08\n")
    line = f"papermill {NOTEBOOK} out.ipynb --no-progress-bar -f asked.yaml -p period 2026-09 -p list_contacts true"
    flips = "flips: {hubspot_form: {Newsletter: no}}"
    subprocess.run(
        [sys.executable, "-m", *line.split(), "-y", flips], cwd=tmp_path, check=True, capture_output=True, timeout=60
    )
    found = run.output_of(nbformat.read(tmp_path / "out.ipynb", as_version=4), FIGURES)
    asked = {"title": "From a file", "period": "2026-09", "list_contacts": True}
    assert found["parameters"] | asked == found["parameters"]
    assert found["parameters"]["flips"] == {"hubspot_form/Newsletter": False}


def test_papermill_explains_every_parameter() -> None:
    told = CliRunner().invoke(papermill_command, [str(NOTEBOOK), "--help-notebook"]).output
    inspected = papermill.inspect_notebook(str(NOTEBOOK))
    assert list(inspected) == list(Parameters.model_fields)
    for name, field in Parameters.model_fields.items():
        assert inspected[name]["help"] == field.description
        assert inspected[name]["inferred_type_name"] in ("str", "dict", "bool", "int", "float")
        assert eval(inspected[name]["default"]) == field.default
        assert f"{name}: {inspected[name]['inferred_type_name']}" in told


def test_the_notebook_is_kept_stripped() -> None:
    subprocess.run([sys.executable, "-m", "nbstripout", "--verify", "--keep-id", NOTEBOOK], check=True)


# ---- what must not be written over ----


@pytest.mark.parametrize("way", ["itself", "relative", "symlink", "hard link"])
def test_the_data_are_never_written_over(
    marketable: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data, output = tmp_path / "mine.csv", tmp_path / "mine.html"
    shutil.copy(REPOSITORY / "data" / "touches.csv", data)
    before = data.read_bytes()
    if way == "relative":
        (tmp_path / "folder").mkdir()
        output = Path("folder/../mine.html")
    elif way == "symlink":
        (tmp_path / "other.csv").symlink_to(data)
        output = tmp_path / "other.html"
    elif way == "hard link":
        (tmp_path / "other.csv").hardlink_to(data)
        output = tmp_path / "other.html"
    assert marketable("-p", f"data={data}", "-o", output) == 2
    assert data.read_bytes() == before
    assert not output.exists()


@pytest.mark.parametrize("of", ["mapping", "portal", "prices", "parameters", "notebook", "submissions"])
def test_nothing_that_a_report_is_made_from_is_written_over(marketable: Command, tmp_path: Path, of: str) -> None:
    samples = REPOSITORY / "data"
    if of == "mapping":
        (kept := tmp_path / "page.json").write_text('{"dates": "day first"}')
        asked = ["-p", f"mapping={kept}"]
    elif of == "portal":
        kept = Path(shutil.copy(samples / "portal.yaml", tmp_path / "page.json"))
        asked = ["-p", f"portal={kept}"]
    elif of == "prices":
        kept = Path(shutil.copy(samples / "prices.yaml", tmp_path / "page.json"))
        asked = ["-p", f"prices={kept}"]
    elif of == "parameters":
        kept = tmp_path / "page.json"
        kept.write_text('{"period": "2026-09"}')
        asked = ["-f", str(kept)]
    elif of == "notebook":
        kept = Path(shutil.copy(NOTEBOOK, tmp_path / "page.ipynb"))
        asked = ["--notebook", str(kept)]
    else:
        shutil.copy(samples / "fivetran_contact.csv", tmp_path / "contact.csv")
        kept = tmp_path / "contact_form_submission.csv"
        shutil.copy(samples / "fivetran_contact_form_submission.csv", kept)
        asked = ["-p", f"data={tmp_path / 'contact.csv'}"]
    before, there = kept.read_bytes(), names(tmp_path)
    assert marketable(*asked, "-o", kept.with_suffix(".html")) == 2
    assert kept.read_bytes() == before
    assert names(tmp_path) == there


def test_files_beside_the_data_that_bear_its_name_are_not_written_over(marketable: Command, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "data" / "touches.csv", tmp_path / "mine.csv")
    pd.read_csv(tmp_path / "mine.csv").to_parquet(tmp_path / "mine.parquet")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert marketable("-p", f"data={tmp_path / 'mine.parquet'}", "-o", tmp_path / "mine.html") == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_page_is_a_html_file_in_a_folder_that_can_be_written(marketable: Command, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "page.json").mkdir()
    (tmp_path / "file").touch()
    for name in ("page.pdf", "page", "folder.html", "page.html", "file/page.html"):
        assert marketable("-o", tmp_path / name) == 2, name
    assert names(tmp_path) == {"file"}


# ---- runs that fail ----


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("1 / 0", 4, "ZeroDivisionError: division by zero. The cell “cell-1” failed."),
        ("raise ValueError('one\\ntwo')", 4, "ValueError: one two. The cell “cell-1” failed."),
        ("this is no Python", 4, "SyntaxError"),
        ("import os; os._exit(1)", 4, "The kernel died"),
        ("import marketable as mk; mk.read_touches('none.csv')", 3, "none.csv"),
        ("import marketable as mk; mk.Portal(switches={'x': 1})", 3, "There is no such source: 'x'"),
        ("import marketable as mk; mk.Rulebook.load().on('2024-02-30')", None, "2024-02-30"),
    ],
)
def test_a_run_that_fails_leaves_its_notebook_and_says_why_in_one_line(
    marketable: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, code: int | None, told: str
) -> None:
    other = notebook_of(tmp_path, source, "print('later')")
    (tmp_path / "page.html").write_text("an earlier page")
    ended = marketable("--notebook", other, "-o", tmp_path / "page.html")
    said = capsys.readouterr()
    assert ended == code if code else ended in (2, 3)
    assert told in said.err.splitlines()[-1]
    assert said.err.splitlines()[-1].startswith("marketable: ")
    assert sum(line.startswith("marketable: ") for line in said.err.splitlines()) == 1
    assert not said.out
    assert names(tmp_path) == {"other.ipynb", "page.html", "page.failed.ipynb"}
    assert (tmp_path / "page.html").read_text() == "an earlier page"
    failed = nbformat.read(tmp_path / "page.failed.ipynb", as_version=4)
    assert source in [cell.source for cell in failed.cells]
    if "kernel" not in told:
        assert any(output.output_type == "error" for cell in failed.cells for output in cell.get("outputs", []))
    notebook_of(tmp_path, "1")
    assert marketable("--notebook", other, "-o", tmp_path / "page.html") == 0
    assert names(tmp_path) == {"other.ipynb", "page.html", "page.ipynb"}


HANGS = [
    "import time; time.sleep(1000)",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
]


@pytest.mark.parametrize("source", HANGS)
def test_a_cell_that_hangs_ends_with_5_and_so_does_its_kernel(kernel: WarmKernel, tmp_path: Path, source: str) -> None:
    kernel.ready(Deadline(60))
    process = psutil.Process(kernel.manager.provisioner.pid)
    reached: list[str] = []
    began = time.monotonic()
    with pytest.raises(ReportError, match=r"Out of time: more than 1\.5 s were needed") as ended:
        make(
            Parameters(), tmp_path / "page.html", kernel, Deadline(1.5),
            notebook=notebook_of(tmp_path, source), progress=lambda number, of, name: reached.append(name),
        )  # fmt: skip
    assert ended.value.code == 5
    assert reached[-1] == "cell-1"
    assert time.monotonic() - began < 10
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert names(tmp_path) == {"other.ipynb", "page.failed.ipynb"}


def test_out_of_time_before_the_kernel_listens_is_out_of_time(tmp_path: Path) -> None:
    with WarmKernel() as cold, pytest.raises(ReportError) as ended:
        make(Parameters(), tmp_path / "page.html", cold, Deadline(0.1))
    assert ended.value.code == 5


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["-p", "period=2026-13"], 2),
        (["-f", "none.yaml"], 2),
        (["--notebook", "none.ipynb"], 2),
        (["--notebook", "data/portal.yaml"], 2),
        (["--notebook", "data/api_contacts.json"], 2),
        (["-p", "data=data/portal.yaml"], 3),
        (["-p", "portal=data/touches.csv"], 3),
        (["-p", "prices=data/portal.yaml"], 3),
        (["-p", "flips.hubspot_form/Nobody=off"], 2),
        (["-p", "as_of=2002-01-01"], 2),
        (["-p", "switches.hubspot_form/Nobody=off"], 2),
    ],
)
def test_the_code_tells_bad_parameters_from_bad_data(
    marketable: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], code: int
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert marketable(*asked, "-o", tmp_path / "page.html") == code
    assert names(tmp_path) <= {"page.failed.ipynb"}


def test_a_notebook_needs_a_cell_of_parameters_and_nothing_else(marketable: Command, tmp_path: Path) -> None:
    other = notebook_of(tmp_path, "print(title)")
    notebook = nbformat.read(other, as_version=4)
    notebook.metadata = {}
    nbformat.write(notebook, other)
    assert marketable("--notebook", other, "-o", tmp_path / "page.html") == 0
    notebook.cells[0].metadata = {}
    nbformat.write(notebook, other)
    assert marketable("--notebook", other, "-o", tmp_path / "second.html") == 2
    assert names(tmp_path) == {"other.ipynb", "page.html", "page.ipynb"}


@pytest.mark.parametrize("asked", [["--time-limit", "soon"], ["--time-limit", "0"], ["--time-limit", "nan"], ["--x"]])
def test_options_that_make_no_sense_end_with_2(
    marketable: Command, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        marketable(*asked)
    assert ended.value.code == 2
    assert "_seconds" not in capsys.readouterr().err


def test_another_kernel_that_is_called_python3_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with WarmKernel() as other:
        assert other.ready(Deadline(60)).is_alive


# ---- figures as files ----


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", '=HYPERLINK("x")']


def figures_of(tmp_path: Path, names: list[str]) -> dict[str, Any]:
    from marketable.report.findings import Findings

    lines = [
        f'{number},2026-10-01,hubspot_form,"{name.replace(chr(34), chr(34) * 2)}"' for number, name in enumerate(names)
    ]
    (tmp_path / "batch.csv").write_text("\n".join(["contact_id,occurred_at,source,asset", *lines]), newline="")
    return Findings.of(Parameters(data=str(tmp_path / "batch.csv"), portal="")).numbers()


def _bare(text: str) -> str:
    """A text without the apostrophes that keep it from being a formula, whatever ends its lines."""
    return text.replace("'", "").replace("\r", "\n")


def test_no_cell_runs_as_a_formula_and_control_characters_break_no_workbook(tmp_path: Path) -> None:
    found = figures_of(tmp_path, [*FORMULAS, "a\x01b", "a\x1b[2J", "a\nb", "é🎉", "x" * 40_000])
    assert {f"hubspot_form/{name}" for name in FORMULAS} <= {row["switch"] for row in found["switches"]}
    book = openpyxl.load_workbook(io.BytesIO(figures.as_workbook(found)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    read = list(csv.reader(io.StringIO(figures.as_csv(found).decode("utf-8-sig"), newline="")))
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    texts += [cell for row in read[1:] for cell in row if not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    assert not [text for text in texts if text.startswith(tuple("=+-@\t\r"))]
    for name in FORMULAS:
        in_both = [text for text in texts if _bare(text) == _bare(name)]
        assert len(in_both) == 2 and all(text.startswith("'") for text in in_both), name


def test_the_tables_say_what_the_json_says(september: Made) -> None:
    found = september.figures
    book = openpyxl.load_workbook(september.page.with_suffix(".xlsx"))
    for name in ("sources", "months", "switches", "changes"):
        header, *rows = book[name].iter_rows(values_only=True)
        shown = [dict(zip(header, row, strict=True)) for row in rows]
        plain = [{key: row[key] for key in found[name][0]} for row in shown]
        assert [{key: value or "" for key, value in row.items()} for row in plain] == [
            {key: value or "" for key, value in row.items()} for row in found[name]
        ]
    with september.page.with_suffix(".csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    values = {(line["table"], line["row"], line["column"]): line["value"] for line in lines}
    assert len(values) == len(lines)
    for row in found["switches"]:
        assert values["switches", row["switch"], "exposed"] == str(row["exposed"])
    for name, counts in found["counts"].items():
        for status, count in counts.items():
            assert values["counts", name, status] == str(count)
    assert values["report", "as_of", "value"] == found["as_of"]


# ---- stopped, or killed ----


def is_whole(path: Path) -> bool:
    """Whether a file is a complete one of its kind; of a hidden one the kind stands before its last dot."""
    name = path.name.lstrip(".").rpartition(".")[0] if path.name.startswith(".") else path.name
    content, kind = path.read_bytes(), Path(name).suffix
    if kind == ".html":
        return content.endswith(b"</html>\n")
    if kind in (".json", ".ipynb"):
        return bool(json.loads(content))
    if kind == ".xlsx":
        return bool(openpyxl.load_workbook(path).sheetnames)
    return content.startswith(b"\xef\xbb\xbf") and content.endswith(b"\r\n")


def left_over(mark: str) -> list[psutil.Process]:
    """Processes of a run, by a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK_OF_A_TEST") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def stopped(folder: Path, after: float, by: signal.Signals, mark: str) -> tuple[int, str]:
    process = started(
        "-p", "list_contacts=yes", "-o", "page.html", folder=folder, start_new_session=True,
        env=os.environ | {"MARK_OF_A_TEST": mark},
    )  # fmt: skip
    time.sleep(after)
    if process.poll() is None:
        os.killpg(process.pid, by)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


def test_who_is_killed_at_any_moment_leaves_whole_files_only_and_no_kernel(september: Made, tmp_path: Path) -> None:
    mark, chance = uuid.uuid4().hex, random.Random()
    for kept in (september.page, *september.files):
        shutil.copy(kept, tmp_path / kept.name)
    there = names(tmp_path)
    codes = []
    for _ in range(KILLS):
        codes.append(stopped(tmp_path, chance.uniform(0.2, 5), signal.SIGKILL, mark)[0])
        assert all(map(is_whole, tmp_path.iterdir()))
        assert names(tmp_path) >= there
    assert set(codes) <= {-signal.SIGKILL, 0}
    until = time.monotonic() + 10
    while left_over(mark) and time.monotonic() < until:
        time.sleep(0.2)
    assert not left_over(mark)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_who_is_stopped_leaves_the_earlier_report_and_says_so(
    september: Made, tmp_path: Path, by: signal.Signals
) -> None:
    mark, chance = uuid.uuid4().hex, random.Random()
    shutil.copy(september.page, tmp_path / "page.html")
    for _ in range(KILLS // 4):
        code, said = stopped(tmp_path, chance.uniform(0.5, 2.5), by, mark)
        assert (code, said.splitlines()[-1]) in [(130, "marketable: Stopped."), (0, "15 of 15: figures")]
        assert "Traceback" not in said
        assert all(map(is_whole, tmp_path.iterdir()))
        assert not left_over(mark)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_who_is_stopped_while_the_notebook_runs_is_not_told_that_its_kernel_died(
    tmp_path: Path, by: signal.Signals
) -> None:
    notebook = notebook_of(tmp_path, "1", "import time; time.sleep(30)")
    process = started("--notebook", notebook, "-o", "page.html", folder=tmp_path, start_new_session=True)
    for line in process.stderr or ():
        if "cell-2" in line:
            break
    os.killpg(process.pid, by)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "marketable: Stopped.\n") and names(tmp_path) == {notebook.name}


@pytest.mark.parametrize("by", ["SIGINT", "SIGTERM"])
def test_who_is_stopped_while_dataclasses_are_imported_ends_with_the_code_too(tmp_path: Path, by: str) -> None:
    """Dataclasses execute strings, and what is stopped there, `python -m` would end by the signal after all."""
    (tmp_path / "imports.py").write_text(f"""
import os, signal, sys
from marketable.report import process
process.begin()
try:
    exec("os.kill(os.getpid(), signal.{by})")
except KeyboardInterrupt:
    sys.exit(process.STOPPED)
""")
    assert subprocess.run([sys.executable, "-m", "imports"], cwd=tmp_path, check=False).returncode == 130


def test_a_new_page_never_stands_beside_older_figures(
    september: Made, kernel: WarmKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the files is the last that could be written."""
    executed = nbformat.read(september.page.with_suffix(".ipynb"), as_version=4)
    monkeypatch.setattr(run, "_executed", lambda *_: executed)
    whole, written = paths._write, len(september.files) + 1
    for last in range(written):
        older = {f"page{suffix}": "older" for suffix in (".html", ".json", ".csv", ".xlsx", ".ipynb", ".contacts.csv")}
        for name, text in older.items():
            (tmp_path / name).write_text(text)
        count = iter(range(written))

        def until_the_last(path: Path, content: bytes, count: Iterator[int] = count, last: int = last) -> None:
            if next(count) >= last:
                raise KeyboardInterrupt
            whole(path, content)

        monkeypatch.setattr(paths, "_write", until_the_last)
        with pytest.raises(KeyboardInterrupt):
            made(kernel, tmp_path / "page.html", *ASKED)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == older


# ---- how it is told ----


def test_a_terminal_shows_a_bar(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    pytest.importorskip("termios").tcsetwinsize(theirs, (24, 80))
    process = started("-o", "page.html", folder=tmp_path, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            if not (more := os.read(ours, 4096)):
                break
        except OSError:  # how Linux says that nobody writes any more
            break
        shown += more
    assert process.communicate(timeout=30)[0] == "page.html\n"
    assert process.returncode == 0
    assert "/15 [" in shown.decode()
    assert "summary" in shown.decode()
    assert "of 15:" not in shown.decode()


def test_elsewhere_plain_lines_are_told_and_the_path_alone_is_the_output(tmp_path: Path) -> None:
    process = started("-o", "new/page.html", "-p", "period=2026-09", folder=tmp_path)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "new/page.html\n")
    assert re.fullmatch(r"(\d+ of 15: [\w-]+\n){15}", said)
    assert names(tmp_path) == {f"page{suffix}" for suffix in (".html", ".json", ".csv", ".xlsx", ".ipynb")}


def test_the_command_ends_with_the_codes_it_promises(tmp_path: Path) -> None:
    for asked, code in ((["-p", "x=1"], 2), (["-p", "data=touches.csv"], 3)):
        (tmp_path / "touches.csv").write_text("a,b\n")
        process = started(*asked, folder=tmp_path)
        out, said = process.communicate(timeout=60)
        assert (process.returncode, out) == (code, "")
        assert "Traceback" not in said


# ---- PDF ----


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no Chromium")
def test_a_pdf_is_a_pdf(marketable: Command, tmp_path: Path) -> None:
    assert marketable("--pdf", "-o", tmp_path / "page.html") == 0
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_without_a_browser_a_pdf_is_refused_before_anything_runs(
    marketable: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert marketable("--pdf", "-o", tmp_path / "page.html") == 2
    said = capsys.readouterr().err
    assert "needs Chromium" in said
    assert "1 of" not in said
    assert not names(tmp_path)


def test_a_page_that_is_not_html_is_refused_in_code_too(kernel: WarmKernel, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"HTML file: '.*page\.txt'"):
        made(kernel, tmp_path / "page.txt")
