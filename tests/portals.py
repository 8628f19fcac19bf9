"""Made-up portals whose switches are known, as an export shows them: what an audit is measured by."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import marketable as mk
from marketable.auditing.causes import OF_SOURCE
from marketable.engine.moments import start
from marketable.exports import CERTAINTIES, Export
from marketable.exports.statuses import CAUSES, IN_SOURCE
from marketable.portal.portal import Change, History, Portal
from marketable.reading.touches import as_touches
from marketable.rulebook import ACTIONS, MARKETING, NON_MARKETING, Rulebook
from marketable.rulebook.reader import switch_name
from marketable.samples.touches import firm_touches

FORMS = ("hubspot_form", "non_hubspot_form")
YEARS = dt.date(2021, 1, 4), dt.date(2026, 10, 30)
NOBODY = pd.DataFrame({"row": [], "column": [], "value": [], "reason": []})


@dataclass(frozen=True, eq=False)
class MadeUp:
    """`export`: what is seen. `given`: what the portal's owner says. `truth`: what the switches were. `unlike`: by
    switch that was not as the owner says, how many contacts have another status through it. `last`: by switch, when it
    was last touched (microseconds).
    """

    export: Export
    given: Portal
    truth: Portal
    unlike: dict[str, int]
    last: dict[str, int]


def made_up(
    seed: int,
    *,
    touches: int = 6_000,
    unlike: float = 0.2,
    by_hand: tuple[float, float] = (0.03, 0.04),
    bulk: int = 0,
    unnamed: float = 0.1,
    dated: float = 0.0,
    recorded: float = 0.0,
) -> MadeUp:
    """A portal of a seed. Arguments: unlike, the share of switches that are not as the owner says; by_hand, the shares
    of contacts that were set as marketing and as non-marketing; bulk, how many times somebody set most of a month's new
    contacts as one or the other; unnamed, the share of creations whose asset is not told; dated, the share of switches
    of which the owner tells a change: of those that are not as told, it lay on another day, or never came; recorded,
    the share of contacts of whose status HubSpot recorded what set it.
    """
    chance, draws = random.Random(seed), np.random.default_rng(seed)
    batch = firm_touches(touches, seed, *YEARS).astype({"source": "str", "asset": "str"})
    batch = batch[~batch["source"].isin(ACTIONS)].reset_index(drop=True)
    rulebook = Rulebook.load()
    rules = rulebook.newest
    names = batch.groupby(["source", "asset"])["occurred_at"]
    moments = {switch_name(source, asset, rulebook.scope(source)): times for (source, asset), times in names}
    moments.pop(None, None)
    last = {name: start(times.max()) for name, times in moments.items()}
    given = {name: (Change(None, chance.random() < 0.5),) for name in moments}
    truth = dict(given)
    for name, times in moments.items():
        if chance.random() < unlike:
            on = given[name][0].on
            at_once = times.min().normalize() == times.max().normalize()  # an import has one box, ticked or not
            quantile = 0.0 if at_once else chance.choice([0.0, 0.2, 0.4, 0.6, 0.8])
            since = times.quantile(quantile, interpolation="nearest").normalize().to_pydatetime()
            truth[name] = (Change(None, not on),) if not quantile else (given[name][0], Change(since, not on))
    for name in moments:
        if chance.random() < dated:
            given[name], truth[name] = _with_a_change(given[name][0].on, truth[name] != given[name], chance)
    access = chance.choice([None, dt.date(2021, 7, 1), dt.date(2022, 3, 1)])
    given_portal = Portal(access_since=access, subscription={"tier": 2000}).model_copy(update={"switches": given})
    truth_portal = given_portal.model_copy(update={"switches": truth})
    assert {*truth} <= {*moments} and rules

    status = statuses(batch, truth_portal)
    became = {}
    for name, history in truth.items():
        if history != given[name]:
            without = truth_portal.model_copy(update={"switches": truth | {name: given[name]}})
            became[name] = int((statuses(batch, without) != status).sum())
    noise = draws.random(len(status))
    marketing = status.eq(MARKETING)
    marketing = marketing.mask(~marketing & (noise < by_hand[0]), True).mask(marketing & (noise < by_hand[1]), False)
    created = batch.drop_duplicates("contact_id").set_index("contact_id")["occurred_at"].reindex(marketing.index)
    for _ in range(bulk):
        since = pd.Timestamp(YEARS[0]) + pd.Timedelta(days=chance.randrange(2_000))
        month = created.between(since, since + pd.Timedelta(days=30)) & (draws.random(len(created)) < 0.7)
        marketing = marketing.mask(month, chance.random() < 0.5)
    export = _export(batch, marketing, draws, unnamed)
    if recorded:
        export = replace(export, statuses=_causes(batch, truth_portal, marketing, draws, recorded))
    return MadeUp(export, given_portal, truth_portal, became, last)


def _causes(
    batch: pd.DataFrame, truth: Portal, marketing: pd.Series, draws: np.random.Generator, share: float
) -> pd.DataFrame:
    """What HubSpot recorded of a share of the contacts: the switch that decided, or a workflow where none did."""
    contacts = mk.decide(batch, truth).contacts.reindex(marketing.index)
    by_rule = contacts["status"].eq(MARKETING) == marketing
    decided = contacts["decided_by"].astype("str").str.partition("/")
    causes = decided[0].map(OF_SOURCE).where(marketing & by_rule).mask(~by_rule, "workflow")
    chosen = causes.notna() & (draws.random(len(causes)) < share)
    rows = pd.DataFrame(
        {
            "contact_id": marketing.index[chosen],
            "status": np.where(marketing[chosen], MARKETING, NON_MARKETING),
            "cause": pd.Categorical(causes[chosen], categories=list(CAUSES)),
            "detail": decided[2].where(by_rule, "Clean up")[chosen].to_numpy(),
            "recorded_in": IN_SOURCE,
        }
    )
    never = pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    rows["status"] = rows["status"].astype(pd.CategoricalDtype([MARKETING, NON_MARKETING]))
    return rows.assign(at=never, earliest=never, latest=never)


def _with_a_change(on: bool, unlike: bool, chance: random.Random) -> tuple[History, History]:
    """What an owner tells of a switch that was turned once, and what it was."""
    first, second = sorted(_day(chance) for _ in range(2))
    told = (Change(None, on), Change(first, not on))
    others = [(Change(None, on), Change(second, not on)), (Change(None, not on),), (Change(None, on),)]
    return told, chance.choice(others) if unlike else told


def _day(chance: random.Random) -> dt.datetime:
    days = (YEARS[1] - YEARS[0]).days + 300  # some lie ahead
    return dt.datetime.combine(YEARS[0], dt.time()) + dt.timedelta(chance.randrange(days))


def statuses(batch: pd.DataFrame, portal: Portal) -> pd.Series:
    return mk.decide(batch, portal).contacts["status"].astype("str")


def _export(batch: pd.DataFrame, marketing: pd.Series, draws: np.random.Generator, unnamed: float) -> Export:
    """The contacts with their creation, and of the forms sent since the first and the latest."""
    creations = batch.drop_duplicates("contact_id")
    later = batch[~batch.index.isin(creations.index) & batch["source"].isin(FORMS)]
    told = pd.concat([later.drop_duplicates("contact_id"), later.drop_duplicates("contact_id", keep="last")])
    told = told[~told.index.duplicated()].sort_index()
    untold = (draws.random(len(creations)) < unnamed) & (creations["occurred_at"] < "2024-03-01")
    creations = creations.assign(asset=creations["asset"].mask(untold, ""))
    certainty = creations["source"].map({"import_single_object": "ambiguous"}).fillna("certain")
    status = np.where(marketing.reindex(creations["contact_id"]), MARKETING, NON_MARKETING)
    contacts = pd.DataFrame(
        {
            "created_at": creations["occurred_at"].to_numpy(),
            "source": creations["source"].to_numpy(),
            "asset": creations["asset"].to_numpy(),
            "certainty": pd.Categorical(certainty, categories=list(CERTAINTIES)),
            "status": pd.Categorical(status, categories=[MARKETING, NON_MARKETING]),
            "waiting": False,
        },
        index=pd.Index(creations["contact_id"].to_numpy(dtype=object), name="contact_id", dtype="str"),
    )
    return Export(
        contacts=contacts,
        touches=as_touches(pd.concat([creations, told])),
        rejected=NOBODY,
        rows_read=len(contacts),
        submissions_read=0,
        understood={},
        emails=pd.Series("", contacts.index),
        details=pd.DataFrame(index=contacts.index),
    )
