"""Counts said in words: the headline that a person reads before any chart."""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from marketable.rulebook import MARKETING, NOT_COVERED

_DATE = re.compile(r"\b[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b")
_ADDRESS = re.compile(r"(?<![\w.+%'-])(?:[\w.+%'-]|&#x27;)+@[\w-]+(?:\.[\w-]+)+")  # also where it is escaped


def headline(now: pd.Series, baseline: pd.Series, tier: int | None) -> str:
    """How many contacts are marketing, against the baseline and the tier.

    Arguments: now and baseline, contacts by status; tier, the number of marketing contacts paid for, or None.

    >>> statuses = ["marketing", "non-marketing", "not covered"]
    >>> headline(pd.Series([2311, 7689, 0], statuses), pd.Series([1899, 8101, 0], statuses), 2000)
    '2,311 of 10,000 contacts are marketing, 412 more than the baseline; 311 over the tier of 2,000.'
    """
    marketing = int(now[MARKETING])
    verb = "contact is" if now.sum() == 1 else "contacts are"
    change = difference(marketing, int(baseline[MARKETING]))
    text = f"{marketing:,} of {int(now.sum()):,} {verb} marketing, {change}"
    if tier is not None:
        text += f"; {against_tier(marketing, tier)}"
    return text + "."


def difference(now: int, baseline: int) -> str:
    """A count against its baseline.

    >>> difference(5, 5), difference(5, 8)
    ('the same as the baseline', '3 fewer than the baseline')
    """
    if now == baseline:
        return "the same as the baseline"
    return f"{abs(now - baseline):,} {'more' if now > baseline else 'fewer'} than the baseline"


def many(number: int, of: str, plural: str = "") -> str:
    """So many of something.

    >>> many(1, "contact"), many(2_000, "contact"), many(0, "entry", "entries")
    ('1 contact', '2,000 contacts', '0 entries')
    """
    return f"{number:,} {of if number == 1 else plural or of + 's'}"


def change(contacts: int) -> str:
    """A difference.

    >>> change(5), change(-3), change(0)
    ('5 more', '3 fewer', 'as many')
    """
    return f"{abs(contacts):,} {'more' if contacts > 0 else 'fewer'}" if contacts else "as many"


def against_tier(marketing: int, tier: int) -> str:
    """A count of marketing contacts against the tier. One over it upgrades the bill; exactly the tier does not.

    >>> against_tier(2000, 2000), against_tier(2001, 2000)
    ('exactly the tier of 2,000', '1 over the tier of 2,000')
    """
    if marketing == tier:
        return f"exactly the tier of {tier:,}"
    where = "over" if marketing > tier else "below"
    return f"{abs(marketing - tier):,} {where} the tier of {tier:,}"


def uncovered(now: pd.Series) -> str:
    """What the article leaves open, or nothing where it leaves nothing open."""
    count = int(now[NOT_COVERED])
    if not count:
        return ""
    return f"{count:,} more are not covered: HubSpot's article does not say which status their tool sets."


def crossing(by_day: pd.Series, tier: int, since: dt.date | None = None) -> dt.date | None:
    """The first day over the tier, from a day on; None where there is none. One day over is what upgrades the bill, and
    a later dip does not undo it.

    >>> days = pd.date_range("2026-04-27", periods=3)
    >>> print(crossing(pd.Series([3, 1, 3], days), 2), crossing(pd.Series([3, 1, 3], days), 2, dt.date(2026, 4, 28)))
    2026-04-27 2026-04-29
    """
    over = by_day.index[by_day > tier]
    over = over if since is None else over[over >= pd.Timestamp(since)]
    return over[0].date() if len(over) else None


def day(date: dt.date) -> str:
    """A date as people write it.

    >>> day(dt.date(2026, 4, 8))
    '8 April 2026'
    """
    return f"{date.day} {date:%B %Y}"


def dated(text: str) -> str:
    """A text with its dates as people write them.

    >>> dated("It counts until 2026-11-01.")
    'It counts until 1 November 2026.'
    """
    return _DATE.sub(lambda found: day(dt.date.fromisoformat(found[0])), text)


def discreet(text: str) -> str:
    """A text in which nothing looks like an e-mail address any more.

    >>> discreet("Import of ann@example.com.csv")
    'Import of (address)'
    """
    return _ADDRESS.sub("(address)", text)
