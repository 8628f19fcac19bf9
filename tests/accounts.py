"""Made-up accounts with a future, to see how well a forecast tells it: they grow or shrink, have seasons and campaigns,
turn switches, import files, and clean up. What is planned in the future is told as actions; what is not is weather.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import marketable as mk

WEEKS_AHEAD = 26
TODAY = pd.Timestamp("2026-10-31")
_FORMS = ("Newsletter", "Demo request", "Contact us", "Whitepaper", "Webinar", "Pricing")


@dataclass(frozen=True)
class MadeUpAccount:
    """`past`, the touches up to today; `portal`, as it is today; `actions`, what is planned; `truth`, the marketing
    contacts by day from today on, as it turns out.
    """

    past: pd.DataFrame
    portal: mk.Portal
    actions: list[dict[str, Any]]
    truth: pd.Series
    kind: str


def made_up(seed: int) -> MadeUpAccount:
    draw = np.random.default_rng(seed)
    weeks = int(draw.integers(40, 209))
    rate = _weekly_rate(draw, weeks + WEEKS_AHEAD)
    pairs, share = _assets(draw, weeks + WEEKS_AHEAD)
    monday = TODAY.normalize() - pd.Timedelta(weeks=weeks) + pd.Timedelta(days=1)
    touches = _flow(draw, rate, pairs, share, monday, weeks)
    switches, turned = _switches(draw, pairs, weeks, monday)
    events, actions, ticked = _events(draw, touches, float(rate[:weeks].mean()), weeks, monday)
    today = pd.DataFrame(
        {"contact_id": [-1], "occurred_at": [TODAY + pd.Timedelta(hours=20)], "source": "document_open"}
    )
    every = pd.concat([touches, *events, today], ignore_index=True).sort_values("occurred_at", kind="stable")
    portal = mk.Portal(
        switches=switches | {"import_single_object": ticked}, subscription={"renewal": "2027-06-01", "tier": 2000}
    )
    truth = mk.decide(every, portal.with_switches(turned)).by_day()
    end = TODAY + pd.Timedelta(days=1)
    for switch, (day, on) in turned.items():
        actions.append({"on": day, "switch": switch, "turn": on})
    every_day = pd.date_range(truth.index[0], TODAY + pd.Timedelta(weeks=WEEKS_AHEAD), unit="us")
    truth = truth.reindex(every_day).ffill()
    past = every[every["occurred_at"] < end].reset_index(drop=True)
    kind = "switches" if turned else "events" if actions else "quiet"
    return MadeUpAccount(past, portal, actions, truth[TODAY:], kind)


def _weekly_rate(draw: np.random.Generator, weeks: int) -> np.ndarray:
    """The expected touches of each week: size, growth, a slow drift, seasons, holidays, campaigns and leaps."""
    at = np.arange(weeks)
    size = np.exp(draw.uniform(np.log(4), np.log(250)))
    growth = draw.normal(0.15, 0.35) * (at - weeks) / 52
    drift = np.cumsum(draw.normal(0, draw.uniform(0, 0.05), weeks))
    phase, amplitude = draw.uniform(0, 52.18), draw.choice([0, draw.uniform(0.1, 0.5)])
    season = amplitude * np.cos(2 * np.pi * (at - phase) / 52.18)
    if draw.random() < 0.5:
        season -= draw.uniform(0.3, 1) * (((at - phase) % 52.18) < 2)
    weather = draw.gamma(20, 1 / 20, weeks) if draw.random() < 0.5 else np.ones(weeks)
    campaigns = np.where(draw.random(weeks) < 0.04, draw.uniform(1.5, 3, weeks), 1)
    leap = np.zeros(weeks)
    if draw.random() < 0.3:
        leap[draw.integers(0, weeks) :] = draw.normal(0, 0.4)
    return size * np.exp(growth + drift - drift[-WEEKS_AHEAD] + season + leap) * weather * campaigns


def _assets(draw: np.random.Generator, weeks: int) -> tuple[list[tuple[str, str]], np.ndarray]:
    """The tools that touch, and by week and tool its share, which drifts."""
    forms = draw.choice(_FORMS, int(draw.integers(2, 6)), replace=False)
    pairs = [("hubspot_form", str(form)) for form in forms]
    pairs += [("chatflow", "Live chat"), ("integration", "Shop"), ("meetings_link", ""), ("logged_email", "")]
    start = draw.gamma(1, size=len(pairs)) * np.r_[np.full(len(forms), 2.0), 0.5, 0.7, 0.4, 0.5] + 0.02
    drift = np.cumsum(draw.normal(0, 0.015, (weeks, len(pairs))), axis=0)
    share = start * np.exp(drift)
    return pairs, share / share.sum(axis=1, keepdims=True)


def _flow(
    draw: np.random.Generator, rate: np.ndarray, pairs: list[tuple[str, str]], share: np.ndarray,
    monday: pd.Timestamp, weeks: int,
) -> pd.DataFrame:  # fmt: skip
    counts = draw.poisson(rate[:, None] * share)
    week, pair = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    weekday = draw.choice(7, len(week), p=[0.19, 0.19, 0.18, 0.18, 0.14, 0.06, 0.06])
    minute = week * 10_080 + weekday * 1_440 + draw.integers(480, 1_200, len(week))
    order = np.argsort(minute, kind="stable")
    minute, pair = minute[order], pair[order]
    is_new = draw.random(len(order)) < draw.uniform(0.55, 0.95)
    is_new[:1] = True
    number = np.cumsum(is_new)
    contact = np.where(is_new, number, 1 + (draw.random(len(order)) ** 0.5 * number).astype(np.int64))
    return pd.DataFrame(
        {
            "contact_id": np.minimum(contact, number),
            "occurred_at": (monday + pd.to_timedelta(minute, unit="min")).astype("datetime64[us]"),
            "source": [pairs[each][0] for each in pair],
            "asset": [pairs[each][1] for each in pair],
        }
    )


def _switches(
    draw: np.random.Generator, pairs: list[tuple[str, str]], weeks: int, monday: pd.Timestamp
) -> tuple[dict[str, Any], dict[str, tuple[dt.date, bool]]]:
    """The portal's switches, some of which were turned, and what is to be turned."""
    by_source: dict[str, Any] = {"hubspot_form": {}, "chatflow": {}, "integration": {}}
    turned: dict[str, tuple[dt.date, bool]] = {}
    for source, asset in pairs:
        if source not in by_source:
            continue
        on = bool(draw.random() < (0.8 if source == "hubspot_form" else 0.3))
        if draw.random() < 0.2:
            day = monday + pd.Timedelta(days=int(draw.integers(7, weeks * 7)))
            by_source[source][asset] = [{"switch": not on}, {"from": day.date(), "switch": on}]
        else:
            by_source[source][asset] = on
        if draw.random() < 0.08:
            ahead = int(draw.integers(1, WEEKS_AHEAD * 7 - 30))
            turned[f"{source}/{asset}"] = ((TODAY + pd.Timedelta(days=ahead)).date(), not on)
    return by_source, turned


def _events(
    draw: np.random.Generator, touches: pd.DataFrame, usual: float, weeks: int, monday: pd.Timestamp
) -> tuple[list[pd.DataFrame], list[dict[str, Any]], dict[str, bool]]:
    """Imports and clean-ups, past and planned; the planned ones are told. And which imports have their box ticked."""
    happened, actions, ticked = [], [], {}
    for number in range(int(draw.poisson(2.5))):
        is_planned = draw.random() < 0.25
        first = weeks * 7 + 3 if is_planned else 20
        last = (weeks + WEEKS_AHEAD) * 7 - 40 if is_planned else weeks * 7 - 3
        day = monday + pd.Timedelta(days=int(draw.integers(first, last)))
        many = max(25, int(usual * draw.uniform(1, 12)))
        if draw.random() < 0.6:
            rows = {"contact_id": 10_000_000 * (number + 1) + np.arange(many), "source": "import_single_object"}
            ticked[f"List {number}"] = bool(draw.random() < 0.5)
            what = {"import": many, "tick": ticked[f"List {number}"]}
        else:
            # Who is cleaned up has not been seen for longer than others.
            known = touches[touches["occurred_at"] < min(day, TODAY)].drop_duplicates("contact_id", keep="last")
            silent = known["contact_id"].to_numpy()[: len(known) // 2]
            chosen = draw.choice(silent, min(many, len(silent) // 2), replace=False)
            rows = {"contact_id": chosen, "source": "set_non_marketing"}
            what = {"set_non_marketing": [str(each) for each in chosen]}
        at = day + pd.Timedelta(hours=9)
        asset = f"List {number}" if "import" in what else ""
        if len(rows["contact_id"]):
            happened.append(pd.DataFrame(rows).assign(occurred_at=at.as_unit("us"), asset=asset))
            if is_planned:
                actions.append({"on": day.date(), **what})
    return happened, actions, ticked
