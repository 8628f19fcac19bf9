"""How fast a batch is decided: the library beside Polars, DuckDB, pandas and a plain loop, in one run.

    python tests/benchmark.py --touches 10000 1000000 --rounds 5

From a batch in memory, in order of time, each engine's in its own kind of frame, to: each touch's status before and
after it and a reason; each contact's creator and final status; the counts by both. By rules 1 to 7 of the design, but
not set_non_marketing, whose waits are not said well in any peer. The peers get for nothing what the library works out
on the clock: `Rules`, what a touch does for each source, asset and stretch of time. The library also checks its input,
its reasons are sentences with references, its contacts have eight columns. Each peer has the fastest form found.
Nothing is timed unless all agree, touch by touch, with tests/reference.py on 10,000 touches. Rounds are interleaved,
after one that is not counted. A ratio is a peer's time by the library's in the same round: above 1 it is faster.
"""

from __future__ import annotations

import argparse
import bisect
import datetime as dt
import gc
import os
import sys
import timeit
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise, product
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import marketable as mk
import reference

STATUSES = ["marketing", "non-marketing", "not covered"]
SOURCES = [*reference.RULES, "set_marketing"]
NAMED = {"hubspot_form": 14, "chatflow": 6, "import_single_object": 10, "integration": 8, "import_multi_object": 4}
ASSETS = ["", *(f"{source} {number}" for source, count in NAMED.items() for number in range(count))]
BEGINS, ENDS, ACCESS = dt.date(2023, 3, 1), dt.date(2024, 6, 30), dt.date(2023, 4, 15)
TURNS = {"integration 0": dt.date(2023, 8, 1), "hubspot_form 1": dt.date(2024, 3, 10)}
SWITCHES: dict[str, Any] = {"non_hubspot_form": True} | {source: {} for source in [*NAMED][:4]}
for name in ASSETS[1:-4]:  # those of multi-object imports have had no switch since 2022
    on = int(name.split()[1]) % 3 > 0
    turned = [{"switch": on}, {"from": TURNS.get(name), "switch": not on}]
    SWITCHES[name.split()[0]][name] = turned if name in TURNS else on
PORTAL = {"access_since": ACCESS, "switches": SWITCHES}
NUMBERS, DIGITS, MAILS, UUIDS = IDS = ("numbers", "digits", "e-mails", "UUIDs")
OUTCOME = ["status_before", "status_after", "reason"]
Run = Callable[[], tuple[Any, Any, Any]]  # what is timed: each engine makes ready its frames and returns this


def make_batch(touches: int, ids: str = NUMBERS) -> pd.DataFrame:
    """Touches of 0.7 times as many contacts, with a heavy tail; ids, in no order: 12-digit numbers, or text."""
    random = np.random.default_rng(7)
    row = np.arange(touches)
    creation = np.where(random.random(touches) < 0.3, random.integers(0, np.maximum(row, 1)), row)
    while not np.array_equal(creation, earlier := creation[creation]):
        creation = earlier
    number = np.cumsum(creation == row)[creation] - 1
    contacts, gap = number.max() + 1, 9 * 10**11 // (number.max() + 1)
    contact_id = pd.Series(10**11 + random.permutation(contacts) * gap + random.integers(0, gap, contacts))
    if ids != NUMBERS:
        contact_id = written(contact_id.to_numpy(), ids)
    source = random.integers(0, len(SOURCES), touches)
    first = np.array([ASSETS.index(f"{name} 0") if name in NAMED else 0 for name in SOURCES])
    asset = first[source] + random.integers(0, 1 << 40, touches) % np.array([NAMED.get(s, 1) for s in SOURCES])[source]
    second = np.sort(random.integers(0, (ENDS - BEGINS).days * 86_400, touches))
    batch = pd.DataFrame({"contact_id": contact_id.take(number).reset_index(drop=True)})
    batch["occurred_at"] = np.datetime64(BEGINS, "us") + second * np.timedelta64(1, "s")
    batch["source"] = pd.Categorical.from_codes(source, SOURCES)
    batch["asset"] = pd.Categorical.from_codes(asset, ASSETS)
    return batch


def written(numbers: np.ndarray, ids: str) -> pd.Series:
    """Numbers as ids of other systems are: digits, e-mails of 18 to 38 characters, UUIDs."""
    if ids == DIGITS:
        return pd.Series(numbers).astype("str")
    if ids == UUIDS:
        return pd.Series([str(uuid.UUID(int=number**3 % 2**128)) for number in numbers.tolist()], dtype="str")
    names = (
        f"{number:x}{'.surname'[: number % 9]}@example{number % 997 ** (number % 4)}.com" for number in numbers.tolist()
    )
    return pd.Series(list(names), dtype="str")


class Rules:
    """What the peers look up. A case is a source, an asset and an era (a stretch without a change, from one of `starts`
    on), numbered (source × assets + asset) × eras + era. `cases`: who creates, the status created (1 to 3), whether an
    existing contact becomes marketing. `outcomes`, at 4 × case + status before (0: none yet): what follows.
    """

    def __init__(self) -> None:
        editions = {day for edition in reference.EDITIONS for day in (edition, edition + dt.timedelta(1))}
        days = {day for day in editions | {ACCESS, *TURNS.values()} if BEGINS < day < ENDS}
        self.starts = [reference.at_midnight(day) for day in sorted(days | {BEGINS})]
        keys = [*product(SOURCES, ASSETS, self.starts)]
        rows = (row for key in keys for row in self._outcomes(*key))
        self.outcomes = pd.DataFrame(rows, columns=[*OUTCOME, "status"], dtype="category")
        for name in ("status_before", "status_after", "status"):
            self.outcomes[name] = self.outcomes[name].cat.set_categories(STATUSES)
        creators = ["not covered" if source == "set_marketing" else source for source, _, _ in keys]
        status = self.outcomes["status"].cat.codes.to_numpy(np.uint16).reshape(-1, 4)
        self.cases = pd.DataFrame({"source": pd.Categorical(creators, SOURCES), "created": status[:, 0] + 1})
        self.cases["makes"] = (status == 0).all(axis=1)

    def _outcomes(self, source: str, asset: str, clock: dt.datetime) -> list[tuple[str | None, ...]]:
        occurs = asset.startswith(f"{source} ") if source in NAMED else asset == ""
        if clock.date() < ACCESS or not occurs:
            return [(None, None, "before access", "non-marketing")] * 4
        name, created, makes, readings = source, "marketing", True, None
        if source != "set_marketing":
            edition = reference.edition_on(clock.date())
            name = f"{source}/{asset} by the edition of {edition}"
            created = reference.status_at_creation(source, asset, clock, edition, PORTAL)
            makes = reference.would_upgrade(source, asset, clock, edition, PORTAL)
            readings = reference.two_readings(source, asset, clock, PORTAL)
        after = [(status, "marketing" if makes else status) for status in STATUSES]
        stay = [(old, new, f"{'stays' if old == new else 'becomes'} {new} by {name}", new) for old, new in after]
        return [(None, created, f"{created}, created by {name} {readings or ''}", created), *stay]


def ours(batch: pd.DataFrame, _: Rules) -> Run:
    portal = mk.Portal(**PORTAL)

    def run() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        outcome = mk.decide(batch, portal)
        return outcome.touches, outcome.contacts, outcome.counts("source")

    return run


def with_polars(batch: pd.DataFrame, rules: Rules) -> Run:
    # Also tried: min().over(contact_id), 5 × slower; group_by and join back, 1.5 × (in memory and streaming); with ids
    # that are text 2 ×, sorting the texts 2 ×, categories of them 2 ×. That a hash is one text's is held against them.
    def frame(of: pd.DataFrame) -> pl.DataFrame:
        enums = {name: pl.Enum(list(kind.categories)) for name, kind in of.dtypes.items() if kind == "category"}
        return pl.from_pandas(of).cast(enums)

    touches, cases, outcomes = frame(batch), frame(rules.cases), frame(rules.outcomes)
    eras = pl.LazyFrame({"occurred_at": rules.starts, "era": range(len(rules.starts))}).cast({"era": pl.UInt16})
    contact, source, asset = pl.col("contact_id"), pl.col("source").to_physical(), pl.col("asset").to_physical()
    case = (source.cast(pl.UInt16) * len(ASSETS) + asset) * len(rules.starts) + pl.col("era")
    key = contact.hash() if touches["contact_id"].dtype == pl.String else contact
    created, makes = (pl.lit(cases[name]).gather("case") for name in ("created", "makes"))

    def new(name: str) -> pl.Expr:
        return pl.col(name).ne_missing(pl.col(name).shift())

    def run() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        by_contact = (
            touches.lazy()
            .join_asof(eras, on="occurred_at")
            .with_row_index("row")
            .select("row", "contact_id", key=key, case=case)
            .sort("key", maintain_order=True)
            .with_columns(first=new("key"), last=pl.col("key").ne_missing(pl.col("key").shift(-1)))
            .with_columns(
                began=pl.when("first").then(created).forward_fill(),
                made=pl.when(makes).then(True).when("first").then(False).forward_fill().shift(),
            )
            .with_columns(outcome=pl.col("case") * 4 + pl.when("first").then(0).when("made").then(1).otherwise("began"))
            .collect(engine="streaming")
        )
        if key is not contact and not by_contact.select((new("contact_id") == pl.col("first")).all()).item():
            raise ValueError("Two ids have the same hash")
        outcome = pl.zeros(len(touches), dtype=pl.UInt16, eager=True).scatter(by_contact["row"], by_contact["outcome"])
        judged = touches.with_columns(pl.lit(outcomes[name]).gather(outcome).alias(name) for name in OUTCOME)
        ends = pl.lit(outcomes["status"]).gather(by_contact.filter("last")["outcome"])
        creators = pl.lit(cases["source"]).gather("case")
        contacts = by_contact.filter("first").select("contact_id", source=creators, status=ends)
        return judged, contacts, contacts.group_by("source", "status").len("contacts")

    return run


def with_duckdb(batch: pd.DataFrame, rules: Rules) -> Run:
    # Also tried: min and arg_min by contact, joined back, as fast at 1 M and 1.3 × slower at 10 M; min over contacts,
    # 1.5 ×; cases joined by their three columns, 1.2 ×; an asof join for the eras; results as Arrow tables.
    connection = duckdb.connect()
    connection.from_df(batch).create("touches")
    connection.from_df(rules.cases.reset_index(names="number")).create("cases")
    connection.from_df(rules.outcomes.reset_index(names="number")).create("outcomes")
    era = " + ".join(f"(occurred_at >= TIMESTAMP '{start}')::INTEGER" for start in rules.starts[1:])
    judged = f"""
        WITH numbered AS (
            SELECT rowid AS row, contact_id,
                (enum_code(source)::INTEGER * {len(ASSETS)} + enum_code(asset)) * {len(rules.starts)} + {era} AS number
            FROM touches
        ), followed AS (
            SELECT row, contact_id, first_value(source) OVER until AS source, lead(row) OVER until IS NULL AS last,
                4 * number + CASE
                    WHEN row_number() OVER until = 1 THEN 0
                    WHEN bool_or(makes) OVER (until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1
                    ELSE first_value(created) OVER until END AS number
            FROM numbered JOIN cases USING (number)
            WINDOW until AS (PARTITION BY contact_id ORDER BY row)
        )
        SELECT row, contact_id, source, last, status_before, status_after, reason, status
        FROM followed JOIN outcomes USING (number)"""
    contacts = "SELECT contact_id, source, status FROM judged WHERE last"
    counts = "SELECT source, status, count(*) AS contacts FROM contacts GROUP BY ALL"

    def run() -> tuple[duckdb.DuckDBPyRelation, ...]:
        for name, query in (("judged", judged), ("contacts", contacts), ("counts", counts)):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        return connection.sql("FROM judged ORDER BY row"), connection.table("contacts"), connection.table("counts")

    return run


def with_pandas(batch: pd.DataFrame, rules: Rules) -> Run:
    # Also tried: groupby(contact).cumsum(), 2.5 × slower; transform("min"), 3.5 ×; groupby().first(), 1.7 ×; a stable
    # argsort instead of factorize, 1.9 × at 1 M, as fast at 10 M.
    cases, outcomes = rules.cases, rules.outcomes
    created, makes = cases["created"].to_numpy(), cases["makes"].to_numpy()
    starts = pd.Series(rules.starts).to_numpy("datetime64[us]")

    def run() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        touches, row = len(batch), np.arange(len(batch), dtype=np.int32)
        ends = np.append(batch["occurred_at"].searchsorted(starts[1:]), touches)
        era = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(ends, prepend=0))
        pair = batch["source"].cat.codes.astype(np.int32) * len(ASSETS) + batch["asset"].cat.codes
        case = pair.to_numpy() * len(starts) + era
        contact, ids = pd.factorize(batch["contact_id"])  # numbered in order of appearance
        contact = contact.astype(np.int32)
        first = np.diff(np.maximum.accumulate(contact), prepend=-1) > 0
        made, making = np.full(len(ids), touches, dtype=np.int32), np.flatnonzero(makes[case])[::-1]
        made[contact[making]] = making  # of several the last assignment stays: the earliest touch
        began = created[case[first]]
        outcome = case * 4 + np.where(first, 0, np.where(made[contact] < row, 1, began[contact]))
        judged = batch.assign(**{name: outcomes[name].array.take(outcome) for name in OUTCOME})
        status = pd.Categorical.from_codes(np.where(made < touches, 1, began) - 1, STATUSES)
        source = cases["source"].array.take(case[first])
        contacts = pd.DataFrame({"contact_id": ids, "source": source, "status": status})
        return judged, contacts, contacts.value_counts(["source", "status"]).reset_index(name="contacts")

    return run


def with_a_loop(batch: pd.DataFrame, rules: Rules) -> Run:
    touches = [*zip(*(batch[column].to_numpy().tolist() for column in batch), strict=True)]
    first_case = {pair: len(rules.starts) * number for number, pair in enumerate(product(SOURCES, ASSETS))}
    source_of, created, makes = (rules.cases[name].tolist() for name in rules.cases)
    outcomes = {name: rules.outcomes[name].tolist() for name in OUTCOME}

    def run() -> tuple[dict[str, Any], dict[str, Any], Counter[tuple[str, str]]]:
        known, numbers = {}, []
        for contact_id, occurred_at, source, asset in touches:
            case = first_case[source, asset] + bisect.bisect_right(rules.starts, occurred_at) - 1
            contact = known.get(contact_id)
            if contact is None:
                known[contact_id] = [source_of[case], created[case]]
                numbers.append(4 * case)
            else:
                numbers.append(4 * case + contact[1])
                contact[1] = 1 if makes[case] else contact[1]
        judged = {name: [texts[number] for number in numbers] for name, texts in outcomes.items()}
        ends = {contact_id: (source, STATUSES[status - 1]) for contact_id, (source, status) in known.items()}
        return judged, ends, Counter(ends.values())

    return run


OURS, LOOP = "marketable", "plain loop"
ENGINES = {OURS: ours, "Polars": with_polars, "DuckDB": with_duckdb, "pandas": with_pandas, LOOP: with_a_loop}


def plain(touches: Any, contacts: Any, counts: Any) -> tuple[pd.DataFrame, dict[Any, Any], dict[Any, int]]:
    """An engine's answer in Python's own terms, so that equal answers are equal."""
    if isinstance(touches, pl.DataFrame):
        touches, contacts, counts = touches.to_pandas(), contacts.to_pandas(), counts.to_pandas()
    elif isinstance(touches, duckdb.DuckDBPyRelation):
        touches, contacts, counts = touches.df(), contacts.df(), counts.df()
    elif isinstance(contacts, pd.DataFrame) and contacts.index.name:
        contacts = contacts.reset_index().rename(columns={"created_by": "source"})
        counts = counts.stack().reset_index(name="contacts")
    if isinstance(contacts, pd.DataFrame):
        contacts = {row.contact_id: (row.source, row.status) for row in contacts.itertuples()}
        counts = {(row.source, row.status): row.contacts for row in counts.itertuples() if row.contacts}
    return pd.DataFrame(touches)[OUTCOME].astype("str"), contacts, dict(counts)


def agree(ids: str, rules: Rules) -> None:
    """Ends all unless every engine's whole answer is that of the slow reference, and the reasons tell the same."""
    batch = make_batch(10_000, ids)
    walked = reference.reference_decide(batch.to_dict("records"), PORTAL)
    judged = pd.DataFrame(walked.touches)[OUTCOME[:2]].astype("str")
    ends = {contact_id: (end["created_by"], end["status"]) for contact_id, end in walked.contacts.items()}
    reasons = {}
    for name, engine in ENGINES.items():
        touches, contacts, counts = plain(*engine(batch, rules)())
        reasons[name] = touches["reason"].tolist()
        pairs = {*zip(reasons[OURS], reasons[name], strict=True)}
        right = [judged.equals(touches[OUTCOME[:2]]), ends == contacts, Counter(ends.values()) == counts]
        right.append(len(pairs) == len({*reasons[OURS]}) == len({*reasons[name]}))
        if not all(right):
            sys.exit(f"{name} differs (touches, contacts, counts, reasons: {right}; ids: {ids}). Nothing is timed.")


def compare(touches: int, ids: str, rounds: int, rules: Rules) -> float:
    """Prints the table of one size. Returns the library's median, in seconds."""
    batch = make_batch(touches, ids)
    runs = {name: engine(batch, rules) for name, engine in ENGINES.items() if touches <= 100_000 or name != LOOP}
    names = [*runs]
    turns = [names[turn % len(names) :] + names[: turn % len(names)] for turn in range(rounds + 1)]
    seconds = [{name: timeit.timeit(runs[name], gc.collect, number=1) for name in turn} for turn in turns]
    times = pd.DataFrame(seconds, columns=names)[1:]
    medians, fastest, ratios = times.median(), times.min(), times.div(times[OURS], axis=0).median()
    print(f"\n## {touches:,} touches of {batch['contact_id'].nunique():,} contacts, ids: {ids}\n")
    print("| | median ms | ratio | fastest ms | ratio of fastest |\n|---|--:|--:|--:|--:|")
    for name in names:
        print(f"| {name} | {1000 * medians[name]:,.0f} | {ratios[name]:.2f}", end=" | ")
        print(f"{1000 * fastest[name]:,.0f} | {fastest[name] / fastest[OURS]:.2f} |", flush=True)
    tracemalloc.start()
    runs[OURS]()
    each, peak = 1e6 * medians[OURS] / touches, tracemalloc.get_traced_memory()[1] / touches
    print(f"\nThe library takes {each:.3f} µs and at most {peak:,.0f} extra bytes a touch.")
    tracemalloc.stop()
    return float(medians[OURS])


def many_assets(size: int) -> str:
    """How long a batch takes in which every touch has an asset of its own, as an import's name may be."""
    batch = make_batch(size).assign(source="hubspot_form", asset=[f"form {number}" for number in range(size)])
    portal = mk.Portal(**PORTAL)
    decided = timeit.timeit(lambda: mk.decide(batch, portal).contacts, number=1)
    return f"{size:,}: decide {decided:.1f} s, WhatIf {timeit.timeit(lambda: mk.WhatIf(batch, portal), number=1):.1f} s"


def machine() -> str:
    """When and on what this runs."""
    now, memory = dt.datetime.now(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ["marketable", "numpy", "pandas", "polars", "duckdb", "pyarrow"]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    where = f"{os.cpu_count()} cores, {memory:.0f} GB, load {os.getloadavg()[0]:.1f}"
    return f"{now:%Y-%m-%d %H:%M}, {where}, Python {sys.version.split()[0]}, {versions}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--touches", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ids", nargs="+", choices=IDS, default=IDS, help="contact ids, for all engines")
    options = parser.parse_args()
    rules = Rules()
    for ids in options.ids:
        agree(ids, rules)
    print(machine())
    print(f"All agree with the reference on 10,000 touches. Medians of {options.rounds} interleaved rounds.")
    for ids in options.ids:
        took = [(size, compare(size, ids, options.rounds, rules)) for size in sorted(set(options.touches))]
        for (size, less), (larger, more) in pairwise(took):
            slope = np.log(more / less) / np.log(larger / size)
            print(f"\nFrom {size:,} to {larger:,} touches the library's time grows as touches ^ {slope:.2f}.")
    print("\nEvery touch with an asset of its own.", *map(many_assets, sorted(set(options.touches))), sep="\n")


if __name__ == "__main__":
    main()
