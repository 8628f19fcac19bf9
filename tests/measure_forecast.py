"""How well a forecast tells what comes: coverage of the 80 % interval and median error over made-up accounts, beside a
seasonal naive forecast, ETS, and an automatic ARIMA model of the same flow.

`make measure-forecast`, or with other numbers `python tests/measure_forecast.py --accounts 300 --first 5000`. The peers
need statsforecast (`pip install -e '.[measure]'`); without it they are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
import pandas as pd

import marketable as mk
from accounts import MadeUpAccount, made_up
from marketable.forecasting import account as room
from marketable.forecasting.flow import Flow

WEEKS = (4, 13, 26)
_YEAR = 52


class _PeerFlow(Flow):
    """The same flow, told by another forecast: the contacts of each week to come."""

    tell: Callable[[np.ndarray, int], np.ndarray]

    @property
    def median(self) -> np.ndarray:
        told = np.maximum(type(self).tell(self.weekly, self.horizon), 0)
        return np.concatenate([[0.0], np.cumsum(told)])

    low = high = median


def _seasonal_naive(weekly: np.ndarray, horizon: int) -> np.ndarray:
    season = weekly[-_YEAR:] if len(weekly) >= _YEAR else weekly[-1:]
    return np.resize(season, horizon)


def peers(*, seasonal: bool) -> dict[str, type[Flow]]:
    """The forecasts to compare with, those of statsforecast where it is installed.

    An automatic ARIMA without a season, for with one of 52 weeks it takes several seconds an account.
    """
    found = {"seasonal naive": _seasonal_naive}
    with contextlib.suppress(ImportError):
        from statsforecast.models import AutoARIMA, AutoETS

        def ets(weekly: np.ndarray, horizon: int) -> np.ndarray:
            # Its seasons have at most 24 steps, so that of a year is not told to it.
            return AutoETS(season_length=1).forecast(weekly, horizon)["mean"]

        def arima(weekly: np.ndarray, horizon: int, season: int = 1) -> np.ndarray:
            return AutoARIMA(season_length=season, approximation=season > 1).forecast(weekly, horizon)["mean"]

        def of_the_year(weekly: np.ndarray, horizon: int) -> np.ndarray:
            return arima(weekly, horizon, _YEAR if len(weekly) >= 2.5 * _YEAR else 1)

        found |= {"ETS": ets, "automatic ARIMA": arima} | ({"the same, seasonal": of_the_year} if seasonal else {})
    return {name: type(name, (_PeerFlow,), {"tell": staticmethod(tell)}) for name, tell in found.items()}


def measured(account: MadeUpAccount, others: dict[str, type[Flow]]) -> Iterator[dict[str, object]]:
    """A row for each forecast and horizon: truth, what was said, and the kind and size of the account."""
    actions, until = account.actions, account.truth.index[-1].date() + pd.Timedelta(days=1)
    for name, kind in {"marketable": Flow, **others}.items():
        with mock.patch.object(room, "Flow", kind):
            by_day = mk.forecast(account.past, account.portal, actions=actions, until=until).by_day
        assert by_day["marketing"].loc[account.truth.index[0]] == account.truth.iloc[0]
        for weeks in WEEKS:
            said, truth = by_day.loc[account.truth.index[7 * weeks]], account.truth.iloc[7 * weeks]
            yield {
                "forecast": name, "weeks": weeks, "kind": account.kind, "history": len(account.past),
                "missed": abs(said["marketing"] - truth) / max(truth, 1),
                "missed_change": abs(said["marketing"] - truth) / max(abs(truth - account.truth.iloc[0]), 1),
                "covered": said["low"] <= truth <= said["high"],
                "width": (said["high"] - said["low"]) / max(truth, 1),
                "above": truth > said["high"],
            }  # fmt: skip


def report(table: pd.DataFrame) -> str:
    own = table[table["forecast"] == "marketable"]
    lines = ["80 % interval, share of truths within it:"]
    for weeks, rows in own.groupby("weeks"):
        by_kind = ", ".join(f"{kind} {each['covered'].mean():.0%}" for kind, each in rows.groupby("kind"))
        large = rows["history"] > rows["history"].median()
        by_size = f"small {rows[~large]['covered'].mean():.0%}, large {rows[large]['covered'].mean():.0%}"
        lines.append(
            f"  {weeks:2} weeks ahead: {rows['covered'].mean():.1%} of {len(rows)} ({by_kind}; {by_size}; "
            f"above {rows['above'].mean():.0%}), as wide as {rows['width'].median():.1%} of the count"
        )
    lines.append("median error, as a share of the count (of the change):")
    for name, rows in table.groupby("forecast", sort=False):
        errors = rows.groupby("weeks")[["missed", "missed_change"]].median()
        told = [f"{row.missed:.2%} ({row.missed_change:.0%})" for row in errors.itertuples()]
        lines.append(
            f"  {name:18} " + "  ".join(f"{weeks} weeks {text}" for weeks, text in zip(WEEKS, told, strict=True))
        )
    return "\n".join(lines)


def speed() -> str:
    """A year ahead of a million touches, and a changed action."""
    touches, portal = mk.sample_touches(1_000_000, seed=7), mk.Portal(subscription={"tier": 500_000})
    end = touches["occurred_at"].max().date() + pd.Timedelta(days=365)
    began = time.perf_counter()
    outlook = mk.forecast(touches, portal, until=end)
    assert len(outlook.by_day)
    drawn = time.perf_counter()
    outlook.account._flow.cache_clear()
    again = time.perf_counter()
    assert len(outlook.with_actions([{"on": outlook.as_of, "set_marketing": 1}]).by_day)
    anew = time.perf_counter()
    times = []
    for number, switch in enumerate(list(outlook.account.past.states)[:8]):
        day = outlook.as_of + pd.Timedelta(days=10 + number)
        start = time.perf_counter()
        changed = outlook.with_actions([{"on": day, "switch": switch, "turn": number % 2 == 0}])
        assert len(changed.by_day) and len(changed.months)
        times.append(time.perf_counter() - start)
    return (
        f"a million touches, a year ahead: {drawn - began:.2f} s from the touches, {anew - again:.2f} s once they are "
        f"reduced; a changed action {1000 * np.median(times):.0f} ms (at most {1000 * max(times):.0f} ms)"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--accounts", type=int, default=240)
    arguments.add_argument("--first", type=int, default=0, help="the first account's number")
    arguments.add_argument("--alone", action="store_true", help="without the peers")
    arguments.add_argument("--seasonal", action="store_true", help="with a seasonal ARIMA, which takes seconds each")
    chosen = arguments.parse_args()
    warnings.simplefilter("ignore")
    others = {} if chosen.alone else peers(seasonal=chosen.seasonal)
    print(speed() if not chosen.alone else "", flush=True)
    rows: list[dict[str, object]] = []
    for seed in range(chosen.first, chosen.first + chosen.accounts):
        rows += measured(made_up(seed), others)
    print(report(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
