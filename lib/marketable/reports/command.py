"""The command `marketable`: it asks for reports, tells how they go, and ends with a code.

0 done, 2 bad parameters, 3 bad data, 4 the notebook failed, 5 out of time; 130 where it was stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_OUTPUT, _SECONDS = "saved/report.html", 300.0
_CODES = "Exit codes: 0 done, 2 bad parameters, 3 bad data, 4 the notebook failed, 5 out of time."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns: its exit code."""
    asked = _parser().parse_args(arguments)
    # jsonschema, by which notebooks are checked, would spend a second on a grammar for addresses that they never hold.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    signal.signal(signal.SIGTERM, _stop)
    try:
        return int(asked.run(asked))
    except KeyboardInterrupt:
        print("marketable: Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        from ..errors import MarketableError

        if not isinstance(error, (MarketableError, OSError)):
            raise
        print(f"marketable: {error}", file=sys.stderr)
        return _code(error)


class _Parser(argparse.ArgumentParser):
    """Whose help ends with the parameters of a report, read from their schema when it is asked for."""

    def format_help(self) -> str:
        from ..inputs.parameters import Parameters

        told = "".join(
            f"\n  {name} ({'switches' if field.annotation not in (str, bool) else field.annotation.__name__}"
            f"{f', default {field.default}' if field.default else ''})\n      {field.description}"
            for name, field in Parameters.model_fields.items()
        )
        one = "One switch is set with a dot: -p switches.hubspot_form/Newsletter=off\n"
        from_on = 'or from a day on: -p "flips.hubspot_form/Newsletter=off from 2026-05-01"'
        return f"{super().format_help()}\nparameters:{told}\n\n{one}{from_on}\n\n{_CODES}\n"


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


def _report(asked: argparse.Namespace) -> int:
    from .kernel import Deadline, WarmKernel

    deadline = Deadline(asked.time_limit)
    with WarmKernel() as kernel:  # it starts while this process reads the parameters and loads the rest
        from ..inputs.parameters import layered, of_file, of_text

        parameters = layered([*map(of_file, asked.file), *map(of_text, asked.parameter)])
        from .run import NOTEBOOK, make

        notebook = Path(asked.notebook) if asked.notebook else NOTEBOOK
        inputs = tuple(map(Path, asked.file))
        with _told() as progress:
            made = make(
                parameters, Path(asked.output), kernel, deadline,
                notebook=notebook, pdf=asked.pdf, progress=progress, inputs=inputs,
            )  # fmt: skip
    print(made.page)
    return 0


class _told:  # noqa: N801
    """A bar on a terminal, plain lines elsewhere: told of each cell as it begins."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> Callable[[int, int, str], object]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _tell(self, number: int, of: int, name: str) -> None:
        if not sys.stderr.isatty():
            print(f"{number} of {of}: {name}", file=sys.stderr)
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=of, unit="cell", leave=False)
        self._bar.set_description_str(name)
        self._bar.update(number - 1 - self._bar.n)


def _code(error: Exception) -> int:
    from ..errors import ParameterError, UnknownNameError

    fallback = 2 if isinstance(error, (ParameterError, UnknownNameError)) else 3
    return int(getattr(error, "code", fallback))


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
