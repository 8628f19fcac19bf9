"""The flow of contacts who become marketing by forms, chats, apps and meetings: what comes, and how sure that is.

Sixteen simple forecasts, by exponential smoothing with and without trend and season, are made from each week of the
past for the weeks that followed. Those that told the account's own past best have the most weight. The 80 % interval is
as wide as their errors were then, at the same horizon: a tenth of these lay below it, a tenth above.
"""

from __future__ import annotations

import functools
from itertools import product

import numpy as np
import pandas as pd

FEWEST_WEEKS = 13
OUTSIDE = (0.1, 0.9)  # of the errors a tenth lies below the interval, a tenth above
HORIZONS = (1, 2, 4, 8, 13, 26, 52)  # weeks ahead at which errors are looked at
_YEAR = 365.2425 / 7
_WAVES = (1, 2)  # of a year: one summit, and two
_SEASON_FROM = 60  # weeks, a little more than a year
_LEVELS, _TRENDS, _DAMPED = (0.03, 0.07, 0.15, 0.3), (0.0, 0.05), 0.98
_WARM = 8  # weeks before the first forecast that is looked at
_FORGETS = 0.995  # a week
_POWER = 4  # how much more the better ones weigh
_BORROWED = 4  # independent errors for which the next shorter horizon stands
_UNTOLD = 0.2  # the error of a week before anything is known
_LITTLE = 6  # with so many weeks the interval is twice as wide as the errors, with 60 a tenth wider
_WIDENS = 0.1  # errors grow with the horizon by this power, where nothing longer is known


def weekly(by_day: np.ndarray) -> np.ndarray:
    """The sums of whole weeks, the last of which ends on the last day.

    >>> weekly(np.arange(1, 16)).tolist()
    [35, 84]
    """
    weeks = len(by_day) // 7
    sums: np.ndarray = by_day[len(by_day) - 7 * weeks :].reshape(weeks, 7).sum(axis=1)
    return sums


class Flow:
    """The forecast of a flow. Arguments: weekly, contacts by week, the oldest first; horizon, weeks ahead.

    `median`, `low` and `high`: contacts from now on, after 0, 1, 2 … weeks. `enough`: whether there are weeks enough to
    say anything; without, there are none of these.
    """

    def __init__(self, weekly: np.ndarray, horizon: int) -> None:
        self.weekly, self.horizon = np.asarray(weekly, dtype=np.float64), max(int(horizon), 1)
        self.enough = len(self.weekly) >= FEWEST_WEEKS

    @property
    def median(self) -> np.ndarray:
        return np.concatenate([[0.0], self._forecasts[-1]])

    @property
    def low(self) -> np.ndarray:
        return self._end(0)

    @property
    def high(self) -> np.ndarray:
        return self._end(1)

    @functools.cached_property
    def calibration(self) -> pd.DataFrame:
        """How the same forecast would have done in the past. Index horizon (weeks); origins, the weeks from which it is
        looked at; covered, the share of truths that were within the interval that the errors up to then gave; error,
        the median of the differences from the truth, as a share of it.
        """
        rows = []
        for at, horizon in enumerate(HORIZONS):
            if not self.enough or horizon < 4 or horizon > self.horizon:
                continue
            errors = self._errors[:, at]
            origins = np.flatnonzero(~np.isnan(errors))
            later = origins[origins >= _WARM + 2 * horizon]
            ends = np.array([self._spread(int(origin))[at] for origin in later]).reshape(-1, 2)
            said = (ends[:, 0] <= errors[later]) & (errors[later] <= ends[:, 1])
            truth, told = self._truths[origins, horizon - 1], self._forecasts[origins, horizon - 1]
            error = np.median(np.abs(truth - told) / np.maximum(truth, 1)) if len(origins) else np.nan
            rows.append((horizon, len(later), said.mean() if len(later) else np.nan, error))
        frame = pd.DataFrame(rows, columns=["horizon", "origins", "covered", "error"])
        return frame.astype({"horizon": "int64", "origins": "int64", "covered": float, "error": float}).set_index(
            "horizon"
        )

    def _end(self, which: int) -> np.ndarray:
        """The lower or the upper end of the interval."""
        spread = self._spread(len(self.weekly))[:, which]
        errors = np.interp(np.log(np.arange(1, self.horizon + 1)), np.log(HORIZONS), spread)
        ends = np.maximum((self._forecasts[-1] + 1) * np.exp(errors) - 1, 0)
        return np.concatenate([[0.0], np.maximum.accumulate(ends)])

    @functools.cached_property
    def _truths(self) -> np.ndarray:
        """By week, the sum of the 1, 2, 3 … weeks after it; NaN where they are not over."""
        weeks, sums = len(self.weekly), np.concatenate([[0.0], np.cumsum(self.weekly)])
        ends = np.arange(1, weeks + 1)[:, None] + np.arange(1, self.horizon + 1)
        return np.where(ends <= weeks, sums[np.minimum(ends, weeks)] - sums[1:, None], np.nan)

    @functools.cached_property
    def _forecasts(self) -> np.ndarray:
        """The same as forecast from each week, by the weighted forecasts together."""
        each = _simple_forecasts(self.weekly, self.horizon)
        together: np.ndarray = np.einsum("f,fwh->wh", self._weights(each), each)
        return together

    def _weights(self, each: np.ndarray) -> np.ndarray:
        """What each forecast weighs: the more the smaller its errors were. A few errors are not much believed."""
        weeks, score = len(self.weekly), np.zeros(len(each))
        for horizon in (4, 13, 26):
            origins = np.arange(_WARM, weeks - horizon)
            if horizon <= self.horizon and len(origins) >= 4:
                missed = np.abs(each[:, origins, horizon - 1] - self._truths[origins, horizon - 1])
                mean = np.average(missed, axis=1, weights=_FORGETS ** (2.0 * (weeks - origins)))
                score += len(origins) / (len(origins) + 26) * np.log(mean + 0.02 * mean.mean() + 1e-9)
        weights: np.ndarray = np.exp(-_POWER * (score - score.min()))
        weights /= weights.sum()
        return weights

    @functools.cached_property
    def _errors(self) -> np.ndarray:
        """By week and horizon, the logarithm of truth over forecast; one contact more in both, so that none is 0."""
        at = np.array([horizon for horizon in HORIZONS if horizon <= self.horizon]) - 1
        errors = np.full((len(self.weekly), len(HORIZONS)), np.nan)
        errors[:, : len(at)] = np.log((self._truths[:, at] + 1) / (self._forecasts[:, at] + 1))
        errors[:_WARM] = np.nan
        return errors

    def _spread(self, known: int) -> np.ndarray:
        """By horizon, the errors below and above which a tenth was, of those that were known after so many weeks.

        A long horizon has few errors that do not overlap, so the next shorter one stands in for what is lacking. And
        few weeks know little of how wrong a forecast can be: the fewer they are, the wider they make it.
        """
        first = self._forecasts[known - 1, 0]
        spread = 1.28 * np.sqrt(_UNTOLD**2 + 1 / (first + 1)) * np.array([-1.0, 1.0])
        spreads, believed, before = [], 1.0, 1
        for at, horizon in enumerate(HORIZONS):
            spread, believed = spread * (horizon / before) ** _WIDENS, min(_BORROWED, believed)
            errors = self._errors[: max(known - horizon, 0), at]
            errors = errors[~np.isnan(errors)]
            if len(errors):
                weight = _FORGETS ** np.arange(len(errors))[::-1]
                order = np.argsort(errors)
                places = np.searchsorted(np.cumsum(weight[order]), np.array(OUTSIDE) * weight.sum())
                own = float(weight.sum()) / horizon
                spread = (believed * spread + own * errors[order][places]) / (believed + own)
                believed += own
            spreads.append(spread)
            before = horizon
        return np.array(spreads) * (1 + _LITTLE / known)


def _simple_forecasts(weekly: np.ndarray, horizon: int) -> np.ndarray:
    """By forecast and week: the sums of the 1, 2, 3 … weeks to come, as far as could be known in that week."""
    weeks = len(weekly)
    season = _season(weekly)
    ahead = np.arange(weeks)[:, None] + np.arange(1, horizon + 1)
    factor_ahead = np.exp(np.einsum("whk,wk->wh", _waves(ahead), season))
    factor = np.exp(np.einsum("wk,wk->w", _waves(np.arange(weeks)), np.vstack([season[:1] * 0, season[:-1]])))
    alpha, beta, seasonal = (np.array(each) for each in zip(*product(_LEVELS, _TRENDS, (False, True)), strict=True))
    level, trend = np.full(len(alpha), weekly[:4].mean()), np.zeros(len(alpha))
    levels, trends = np.empty((2, weeks, len(alpha)))
    for week in range(weeks):
        seen = np.where(seasonal, weekly[week] / factor[week], weekly[week])
        before = level + _DAMPED * trend
        level = np.maximum(before + np.maximum(alpha, 1 / (week + 4)) * (seen - before), 0)
        trend = _DAMPED * trend + beta * (level - before)
        levels[week], trends[week] = level, trend
    damped = np.cumsum(_DAMPED ** np.arange(1, horizon + 1))
    rate = np.maximum(levels.T[:, :, None] + trends.T[:, :, None] * damped, 0)
    rate[seasonal] *= factor_ahead
    sums: np.ndarray = np.cumsum(rate, axis=2)
    return sums


def _season(weekly: np.ndarray) -> np.ndarray:
    """By week the waves of the year, as the weeks up to it show them beside a curved trend. Ridge regression on the
    logarithm keeps them small where little is known; before a year is over nothing is.
    """
    week = np.arange(len(weekly))
    years = week / _YEAR
    known = np.column_stack([np.ones(len(week)), years, years**2 / 4, _waves(week)])
    products = np.cumsum(known[:, :, None] * known[:, None, :], axis=0)
    targets = np.cumsum(known * np.log(weekly + 0.5)[:, None], axis=0)
    ridge = np.diag([1e-3, 0.05, 0.5, *[4.0] * (2 * len(_WAVES))])
    waves: np.ndarray = np.linalg.solve(products + ridge, targets[..., None])[:, 3:, 0]
    waves[:_SEASON_FROM] = 0
    return waves


def _waves(week: np.ndarray) -> np.ndarray:
    """Cosine and sine of the year's waves, in a last axis."""
    angle = 2 * np.pi * week[..., None] / _YEAR * np.array(_WAVES)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)
