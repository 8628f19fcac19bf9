"""Tables for the eye and for the disk. Text from data is escaped here, once, on its way out."""

from __future__ import annotations

import html
import math
import re

import pandas as pd

_NUMBER = ' class="mk-number"'
_FIGURE = re.compile(r"[\d,]+\.\d\d|[\d,.]+%")  # money and shares, which come as text
_FORMULA = re.compile(r'^(?=[\t\r\n])|(?:^|[,;|\t\r\n])(?=[\s"]*[=+\-@＝＋－＠])')


def html_table(frame: pd.DataFrame, caption: str, *, most: int = 200) -> str:
    """A frame as an HTML table, its index left out, every text escaped. A table that was shortened says so. Its frame
    can be scrolled with the keyboard.

    >>> html_table(pd.DataFrame({"form": ["<b>"]}), "Forms").endswith("<td>&lt;b&gt;</td></tr></tbody></table></div>")
    True
    """
    head = "".join(
        f'<th scope="col"{_NUMBER if _is_number(column) else ""}>{html.escape(str(name))}</th>'
        for name, column in frame.head(most).items()
    )
    rows = "".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in frame.head(most).itertuples(index=False)
    )
    left_out = f" The first {most:,} of {len(frame):,} rows." if len(frame) > most else ""
    named = html.escape(caption + left_out)
    return (
        f'<div class="mk-scroll" tabindex="0" role="group" aria-label="{named}">'
        f'<table class="mk-table"><caption>{named}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def csv(frame: pd.DataFrame) -> bytes:
    """A frame as csv that no spreadsheet takes for formulas, whichever delimiter it divides the cells by.

    What begins like a formula gets an apostrophe in front, and so does what would begin a cell of its own under another
    delimiter.

    >>> csv(pd.DataFrame({"asset": ["=1+1", "News;=1+1", "Newsletter"]})).decode("utf-8-sig").split()
    ['asset', "'=1+1", "News;'=1+1", 'Newsletter']
    """
    safe = frame.copy()
    for column, dtype in frame.dtypes.items():
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            safe[column] = frame[column].map(harmless)
    safe.columns = pd.Index([harmless(name) for name in frame.columns])
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def harmless(text: object) -> object:
    """A cell that a spreadsheet shows instead of running it."""
    return _FORMULA.sub(r"\g<0>'", text) if isinstance(text, str) else text


def _is_number(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return not pd.api.types.is_bool_dtype(column)
    return len(column) > 0 and all(isinstance(value, str) and _FIGURE.fullmatch(value) for value in column)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, int):
        return f"<td{_NUMBER}>{value:,}</td>"
    if isinstance(value, float) and not math.isnan(value):
        return f"<td{_NUMBER}>{value:,.1f}</td>"
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return "<td></td>"
    if isinstance(value, pd.Timestamp):
        return f"<td>{value:%Y-%m-%d %H:%M}</td>"
    text = str(value)
    return f"<td{_NUMBER if _FIGURE.fullmatch(text) else ''}>{html.escape(text)}</td>"
