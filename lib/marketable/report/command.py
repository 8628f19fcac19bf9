"""The command `marketable`: it makes reports, says how they go, and ends with a code.

0 done, 2 bad parameters, 3 bad data, 4 the notebook failed, 5 out of time; 130 where it was stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence

from marketable.errors import MarketableError, ParameterError, in_one_line
from marketable.paths import at_home

from . import process

_OUTPUT, _SECONDS, _MOST_AT_ONCE = "saved/report.html", 300.0, 64
_CODES = "Exit codes: 0 done, 2 bad parameters, 3 bad data, 4 the notebook failed, 5 out of time."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns: its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        process.begin()
        return int(asked.run(asked))
    except KeyboardInterrupt:
        logging.disable()  # what was stopped would complain of it
        print("marketable: Stopped.", file=sys.stderr)
        return process.STOPPED
    except (MarketableError, OSError) as error:
        print(f"marketable: {error}", file=sys.stderr)
        return process.code_of(error)


class _Parser(argparse.ArgumentParser):
    """Whose help ends with the parameters of a report, read from their schema when it is asked for."""

    lists_parameters = True

    def format_help(self) -> str:
        if not self.lists_parameters:
            return f"{super().format_help()}\n{_CODES}\n"
        from .parameters import Parameters

        listed = "".join(
            f"\n  {name} ({'switches' if field.annotation not in (str, bool) else field.annotation.__name__}"
            f"{f', default {field.default}' if field.default else ''})\n      {field.description}"
            for name, field in Parameters.model_fields.items()
        )
        one = "One switch is set with a dot: -p switches.hubspot_form/Newsletter=off\n"
        from_on = 'or from a day on: -p "flips.hubspot_form/Newsletter=off from 2026-05-01"'
        return f"{super().format_help()}\nparameters:{listed}\n\n{one}{from_on}\n\n{_CODES}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="marketable", description="Reports on marketing contacts in HubSpot.")
    commands = parser.add_subparsers(required=True, metavar="command", parser_class=_Parser)
    report = commands.add_parser(
        "report",
        help="make one report",
        description="Makes one report: a page that opens anywhere, and beside it its figures (JSON, csv, Excel) and "
        "the executed notebook. Without parameters, of the sample data.",
    )
    report.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="set a parameter")
    report.add_argument(
        "-f", "--file", action="append", default=[], metavar="FILE", help="set parameters from a YAML file; later "
        "files replace what earlier ones say, and -p what files say",
    )  # fmt: skip
    report.add_argument("-o", "--output", default=_OUTPUT, metavar="PAGE", help=f"the page to write ({_OUTPUT})")
    report.add_argument("--notebook", metavar="NOTEBOOK", help="another notebook with the same parameters")
    report.add_argument("--pdf", action="store_true", help="also print the page, which needs Chromium")
    _limited(report)
    report.set_defaults(run=_report)
    sweep = commands.add_parser(
        "sweep",
        help="make many reports",
        description="Makes the reports that a plan asks for, and an index of all. What is there already, and was made "
        "from the very same, is kept. Ends with 0 where all are done, else with the highest code of the failures.",
    )
    sweep.add_argument("plan", metavar="PLAN", help="a YAML file: output, title, parameters; grid, reports or portals")
    sweep.add_argument("-o", "--output", metavar="FOLDER", help="the folder to write into, in place of the plan's own")
    sweep.add_argument("--at-once", type=_processes, default=2, metavar="NUMBER", help="how many reports at once (2)")
    sweep.add_argument("--again", action="store_true", help="make also what is there already")
    _limited(sweep)
    sweep.set_defaults(run=_sweep)
    compare = commands.add_parser(
        "compare",
        help="say what moved between two reports, or what changed between two exports",
        description="Says what moved the marketing count from one report to another, switch by switch; or, of two "
        "exports of one portal, who became marketing and through what, who no longer is, who is new and who is gone.",
    )
    for name in ("first", "second"):
        compare.add_argument(
            name, metavar=name.upper(), help=f"the {name} report (its JSON, or its page), or the {name} export"
        )
    compare.add_argument("-o", "--output", metavar="PAGE", help="also write it as a page")
    compare.add_argument("--contacts", metavar="FILE", help="of two exports: also list the contacts, as a csv")
    compare.lists_parameters = False
    compare.set_defaults(run=_compare)
    return parser


def _limited(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--time-limit", type=_seconds, default=_SECONDS, metavar="SECONDS", help=f"for one report ({_SECONDS:g})"
    )


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 1e6:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")


def _processes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MOST_AT_ONCE:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {_MOST_AT_ONCE}")
    return int(text)


def _report(asked: argparse.Namespace) -> int:
    from .kernel import Deadline, WarmKernel

    deadline = Deadline(asked.time_limit)
    with WarmKernel() as kernel:  # it starts while this process reads the parameters and loads the rest
        from .parameters import NOTEBOOK, layered, of_file, of_text

        parameters = layered([*map(of_file, asked.file), *map(of_text, asked.parameter)])
        from .run import make

        notebook = at_home(asked.notebook) if asked.notebook else NOTEBOOK
        inputs = tuple(map(at_home, asked.file))
        with _progress() as progress:
            made = make(
                parameters, at_home(asked.output), kernel, deadline,
                notebook=notebook, pdf=asked.pdf, progress=progress, inputs=inputs,
            )  # fmt: skip
    print(made.page)
    return 0


def _sweep(asked: argparse.Namespace) -> int:
    from .many import make_all
    from .sweep import planned

    sweep = planned(at_home(asked.plan), at_home(asked.output) if asked.output else None)
    with _progress("report") as progress:
        swept = make_all(sweep, at_once=asked.at_once, seconds=asked.time_limit, again=asked.again, progress=progress)
    for name, failure in swept.failed.items():
        print(f"marketable: {name}: {failure.reason}", file=sys.stderr)
    print(f"{swept}.", file=sys.stderr)
    print(sweep.index)
    return swept.code


def _compare(asked: argparse.Namespace) -> int:
    from .changed import is_export

    if is_export(asked.first) and is_export(asked.second):
        return _compare_exports(asked)
    from .compare import compare, figures_of, write_page

    if asked.contacts:
        raise ParameterError("Only two exports tell of contacts", place=("contacts",), value=asked.contacts)
    compared = compare(figures_of(asked.first), figures_of(asked.second))
    if asked.output:
        write_page(compared, at_home(asked.output), asked.first, asked.second)
    print(in_one_line(compared.says))
    for title, movement in (("", compared.now), ("With the what-if:", compared.what_if)):
        rows = [] if movement is None else list(movement.counting.itertuples())
        for line in [title] * bool(title and rows) + [f"{row.change:+12,.1f}  {row.Index}: {row.why}" for row in rows]:
            print(in_one_line(line))
    return 0


def _compare_exports(asked: argparse.Namespace) -> int:
    from marketable.auditing import changes
    from marketable.exports import read_export

    from .changed import lines, page, write_contacts
    from .compare import written_to

    first, second = at_home(asked.first), at_home(asked.second)
    found = changes(read_export(first), read_export(second))
    if asked.output:
        written_to(at_home(asked.output), page(found, f"{second.name}, against {first.name}"), first, second)
    if asked.contacts:
        write_contacts(found, at_home(asked.contacts))
    for line in lines(found):
        print(in_one_line(line))
    return 0


@contextlib.contextmanager
def _progress(unit: str = "cell") -> Iterator[Callable[[int, int, str], object]]:
    """A bar on a terminal, plain lines elsewhere, for each cell, or report, as it begins."""
    if not sys.stderr.isatty():
        yield lambda number, of, name: print(f"{number} of {of}: {in_one_line(name)}", file=sys.stderr)
        return
    from tqdm import tqdm

    with tqdm(unit=unit, leave=False) as bar:

        def begins(number: int, of: int, name: str) -> None:
            bar.total, bar.n = of, number - 1
            bar.set_description_str(in_one_line(name))

        yield begins


if __name__ == "__main__":
    sys.exit(main())
