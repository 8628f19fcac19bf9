"""The second step of an audit: what was understood of the files, before anything is computed."""

from __future__ import annotations

import re

import pandas as pd

from marketable.exports import Export
from marketable.exports.files import is_repeated
from marketable.views import pieces
from marketable.views.tables import html_table
from marketable.views.words import many

from .reading import FACTS, Look

_CALLED = {"certainty": "How surely the creating tool is known", "record ids": "Record IDs"}
_PERHAPS = (
    "If your file has one of these under another name, say so under “Change what was taken for what”; the columns that "
    "were left out can be shown below."
)
_SEVERAL = re.compile(r"\b([Rr]ow) \d[\d,]*")


def read_in_short(export: Export) -> str:
    """Rows read, used and rejected, in a sentence."""
    used, repeated = len(export.contacts), int(is_repeated(export.rejected).sum())
    text = f"{many(export.rows_read, 'row')} read: {many(used, 'contact')} used, "
    if repeated:
        text += f"{repeated:,} {'repeats' if repeated == 1 else 'repeat'} a contact and "
        text += f"{'is' if repeated == 1 else 'are'} not needed, "
    gone = len(export.gone)
    if gone:
        text += f"{gone:,} {'is' if gone == 1 else 'are'} no more, "
    text += f"{export.rows_read - used - repeated - gone:,} rejected."
    return text + (f" {export.submissions_read:,} form submissions read." if export.submissions_read else "")


def understood(export: Export) -> str:
    """What was understood, and what the export does not tell, as HTML in which text is escaped."""
    told = {name: text for name, text in export.understood.items() if not _is_lacking(name)}
    columns = told.pop("columns", "")
    told.pop("not known", "")  # `unknown` says it
    if "files" not in told:
        told.pop("rows", "")
    rows = [(_CALLED.get(name, name[:1].upper() + name[1:]), text) for name, text in told.items()]
    how = html_table(pd.DataFrame(rows, columns=["what", "how"]), "How the files were read")
    return pieces.paragraph(read_in_short(export), "mk-summary") + how + _taken_for(columns) + _lacking(export)


def unknown(look: Look, export: Export) -> str:
    """The words that are not known, by column, as HTML; what is no word is told only to be there."""
    items = []
    for fact, texts in look.unknown.items():
        follows = "These rows are rejected" if fact == "status" else "These cells count as blank"
        items.append(f"{look.named(fact)}: {', '.join(texts)}. {follows}.")
    if look.recorded:
        words = ", ".join(counted(text, rows) for text, rows in look.recorded.items())
        follows = "What created these contacts counts as not covered"
        items.append(f"{look.named('record_source')}: {words}. {follows}.")
    if items:
        heading = '<h2 class="mk-sub">Words that are not known: say below what they mean</h2>'
        return heading + pieces.bullets(items)
    told = export.understood.get("not known")
    return pieces.paragraph(f"Not known: {told}.") if told else ""


def left_out(look: Look) -> str:
    """The columns that were taken for nothing."""
    frame = pd.DataFrame({"column of the file": look.left_out})
    return html_table(frame, "The columns that were left out", most=1000)


def counted(text: str, rows: int) -> str:
    """A word, and how many rows have it."""
    return f"{text} ({many(rows, 'row')})"


def rejected(export: Export) -> str:
    """How many rows were rejected, by reason."""
    if not len(export.rejected):
        return ""
    # A reason that names another row is the same reason for every row.
    reasons = export.rejected["reason"].astype("str").str.replace(_SEVERAL, "another row", regex=True)
    counted = reasons.value_counts().rename_axis("why").reset_index(name="rows")[["rows", "why"]]
    return html_table(counted, "Rows that were not used, by reason", most=50)


def _taken_for(columns: str) -> str:
    """The columns that were taken for something, as a table. Whatever a column is called, its fact comes last."""
    pairs, name = [], ""
    for part in columns.split("; "):
        name = f"{name}; {part}" if name else part
        column, _, fact = name.rpartition(" as ")
        if fact in FACTS or fact == "deleted":
            pairs.append((column, FACTS.get(fact, "whether the contact is deleted")))
            name = ""
    if not pairs:
        return pieces.paragraph(columns)
    return html_table(pd.DataFrame(pairs, columns=["column of the file", "taken for"]), "Which column says what")


def _is_lacking(name: str) -> bool:
    return name.startswith("no ") or name in ("not told", "worth adding")


def _lacking(export: Export) -> str:
    items = [
        text if name.startswith("no ") else f"{name[:1].upper()}{name[1:]}: {text}."
        for name, text in export.understood.items()
        if _is_lacking(name)
    ]
    if not items:
        return ""
    lacks = f'<h2 class="mk-sub">What the export does not say</h2>{pieces.bullets(items)}'
    return lacks + pieces.paragraph(_PERHAPS, "mk-note") if has_left_out(export) else lacks


def has_left_out(export: Export) -> bool:
    """Whether the files have columns that were taken for nothing."""
    return "left out" in export.understood
