"""The figures of a report as files: JSON, csv, and an Excel workbook; the same to the byte for the same figures."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

from marketable.views.tables import csv, harmless

_OLDEST = (1980, 1, 1, 0, 0, 0)  # that a zip archive can hold
_NO_XML = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ud800-\udfff\ufffe\uffff]")
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def as_json(figures: Mapping[str, Any]) -> bytes:
    """The figures as JSON."""
    return (json.dumps(figures, indent=1, ensure_ascii=False) + "\n").encode()


def as_csv(figures: Mapping[str, Any]) -> bytes:
    """The figures as one csv: a line each, with the table it stands in, its row, its column, and the value."""
    lines = [
        (name, row, column, value)
        for name, table in tables(figures)
        for row, *values in table.itertuples(index=False, name=None)
        for column, value in zip(table.columns[1:], values, strict=True)
    ]
    return csv(pd.DataFrame(lines, columns=["table", "row", "column", "value"], dtype=object))


def as_workbook(figures: Mapping[str, Any]) -> bytes:
    """The figures as an Excel workbook, a sheet each table."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, table in tables(figures):
        sheet = workbook.create_sheet(name)
        for row in [list(table.columns), *table.itertuples(index=False, name=None)]:
            sheet.append([harmless(_NO_XML.sub("\ufffd", each) if isinstance(each, str) else each) for each in row])
        sheet.freeze_panes = "A2"
        for number, column in enumerate(table.columns, 1):
            widest = max(len(str(each)) for each in (column, *table[column]))
            sheet.column_dimensions[get_column_letter(number)].width = min(60, widest + 2)
    timed, timeless = io.BytesIO(), io.BytesIO()
    workbook.save(timed)
    with zipfile.ZipFile(timed) as read, zipfile.ZipFile(timeless, "w") as written:
        for name in read.namelist():
            content = _TIMES.sub(rb"\g<1>2000-01-01T00:00:00Z", read.read(name))
            written.writestr(zipfile.ZipInfo(name, _OLDEST), content, zipfile.ZIP_DEFLATED)
    return timeless.getvalue()


def tables(figures: Mapping[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The figures as tables, each with its name; the first column names the rows. Single figures share the first."""
    single = {name: value for name, value in figures.items() if not isinstance(value, (Mapping, list))}
    yield "report", _pairs(single)
    for name, value in figures.items():
        if isinstance(value, list) and value:
            table = pd.DataFrame(value, dtype=object)
            if not table.iloc[:, 0].is_unique:
                table.insert(0, "row", range(1, len(table) + 1))
            yield name, table
        elif isinstance(value, Mapping) and value:
            nested = all(isinstance(row, Mapping) for row in value.values())
            rows = [{"row": row, **values} for row, values in value.items()] if nested else None
            yield name, pd.DataFrame(rows, dtype=object) if rows else _pairs(value)


def _pairs(values: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        (name, json.dumps(value, ensure_ascii=False) if isinstance(value, (Mapping, list)) else value)
        for name, value in values.items()
    ]
    return pd.DataFrame(rows, columns=["row", "value"], dtype=object)
