"""The line ahead: today's count, the steps of what is planned, the flow under the switches as they will be, and who
leaves on the update dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marketable.portal.portal import Subscription
from marketable.portal.update_dates import update_date_after

from .effects import Effects
from .flow import Flow
from .past import Past, States


@dataclass(frozen=True)
class Line:
    """By day from the day after today: the median, the 80 % interval, and how many wait."""

    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    waiting: np.ndarray


def draw(
    past: Past,
    planned: Effects,
    turns: list[tuple[dt.date, str, bool]],
    subscription: Subscription,
    days: int,
    joins: Callable[[States], Flow],
    leaves: Flow | None,
) -> Line:
    """The line for so many days. Arguments: turns, of switches, in order of their days; joins, the flow under switches;
    leaves, the flow of those whom people at work set as non-marketing.
    """
    median, low, high = _joined(past, turns, days, joins)
    waiting = np.full(days + 1, sum(past.due.values()))
    for due, many in past.due.items():
        waiting[_at(due, past, days) :] -= many
    for (start, due), many in planned.waits.items():
        waiting[_at(start, past, days) : _at(due, past, days)] += many
    if leaves is not None:
        asked = [_daily(path, days) for path in (leaves.median, leaves.low, leaves.high)]
        effective = _update_date_before(past.today, subscription, days)
        gone, least, most = (each[effective] for each in asked)
        # The two flows are not sure in ways of their own.
        low = median - np.hypot(median - low, most - gone) - gone
        high = median + np.hypot(high - median, gone - least) - gone
        median = median - gone
        waiting = waiting + np.rint(asked[0] - gone).astype(np.int64)
    steps = np.zeros(days + 1)
    for day, many in planned.steps.items():
        if _at(day, past, days) <= days:
            steps[_at(day, past, days)] += many
    base = int(past.marketing[-1]) + np.cumsum(steps)
    # Whole numbers within the interval, and the median is one of them.
    median = np.rint(base + median)
    low, high = np.minimum(np.ceil(base + low), median), np.maximum(np.floor(base + high), median)
    return Line(*(np.maximum(each[1:], 0).astype(np.int64) for each in (median, low, high, waiting)))


def _joined(
    past: Past, turns: list[tuple[dt.date, str, bool]], days: int, joins: Callable[[States], Flow]
) -> np.ndarray:
    """How many join up to each day. From a day on which a switch is turned, as many as would have with it so."""
    states = dict(past.states)
    starts = sorted({0, *(_at(day, past, days) - 1 for day, *_ in turns)})
    found = np.zeros((3, days + 1))
    for start, end in zip(starts, [*starts[1:], days], strict=True):
        states |= {name: on for day, name, on in turns if _at(day, past, days) - 1 == start and name in states}
        flow = joins(states)
        for row, path in zip(found, (flow.median, flow.low, flow.high), strict=True):
            daily = _daily(path, days)
            row[start + 1 : end + 1] = row[start] + daily[start + 1 : end + 1] - daily[start]
    return found


def _daily(path: np.ndarray, days: int) -> np.ndarray:
    """From weeks to days: 0, 1, 2 … days from now."""
    daily: np.ndarray = np.interp(np.arange(days + 1) / 7, np.arange(len(path)), path)
    return daily


def _at(day: dt.date, past: Past, days: int) -> int:
    """How many days after today a day is; behind the end, one more than there are."""
    return min((day - past.today).days, days + 1)


def _update_date_before(today: dt.date, subscription: Subscription, days: int) -> np.ndarray:
    """By day the number of the day up to which requests have taken effect: that before the latest update date."""
    found = np.zeros(days + 1, dtype=np.int64)
    due = update_date_after(today, subscription)
    while (due - today).days <= days:
        found[(due - today).days] = (due - today).days - 1
        due = update_date_after(due, subscription)
    return np.maximum.accumulate(found)
