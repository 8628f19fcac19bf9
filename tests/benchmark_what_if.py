"""How fast what-ifs are: the table of exposures beside the same in Polars, DuckDB and pandas, in one run.

    python tests/benchmark_what_if.py --touches 10000 1000000 --rounds 5

Four questions, of the batch of benchmark.py (39 switches, two of them turned once). *Build*: from a batch in memory to
the table, contacts by exposure, creating source, month and rest. The peers get for nothing what the library works out
on the clock, the bit of each source, asset and stretch of time, and need not check their input. *Flip*: the marketing
count after one flip; the peers count anew over columns made ready for it, a contact's number and a bit for each touch.
*Sweep*: all settings of 12, 16 and 20 switches, which the peers could only do flip by flip. *File*: from a csv of the
batch to the counts, beside what pandas takes to read that file. Nothing is timed unless all tables are equal, and equal
to what tests/reference.py says. Rounds are interleaved; a ratio is a peer's time by the library's in the same round.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import timeit
import tracemalloc
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import marketable as mk
import reference
from benchmark import ACCESS, ASSETS, NAMED, PORTAL, SOURCES, Rules, machine, make_batch

REST = ["non-marketing", "not covered"]
OURS = "marketable"
Run = Callable[[], Any]


class Bits:
    """What the peers look up, by case as in `Rules`: the bits of a creation and of a touch of an existing contact (bit
    0: always; 0: none), whether the status is `not covered` while none is on. `of_switch`: each switch's bits while it
    is off or on in the portal.
    """

    def __init__(self, rules: Rules) -> None:
        self.of_switch: dict[str, dict[bool, int]] = {}
        rows = [self._bits(*key) for key in product(SOURCES, ASSETS, rules.starts)]
        self.creates, self.upgrades = (
            np.array(column, dtype=np.uint64) for column in list(zip(*rows, strict=True))[:2]
        )
        self.uncovered = np.array([row[2] for row in rows])
        bits = [bits for states in self.of_switch.values() for bits in states.items()]
        self.own = np.uint64(sum(bit for on, bit in bits if on) | 1)

    def _bits(self, source: str, asset: str, clock: Any) -> tuple[int, int, bool]:
        occurs = asset.startswith(f"{source} ") if source in NAMED else asset == ""
        if clock.date() < ACCESS or not occurs:
            return 0, 0, False
        if source == "set_marketing":
            return 1, 1, True
        rule = reference.rule_on(source, reference.edition_on(clock.date()))
        if rule.switch is None:
            return int(rule.default == "marketing"), 0, rule.default == "not covered"
        states = self.of_switch.setdefault(f"{source}/{asset}" if rule.switch == "asset" else source, {})
        on = reference.switch_is_on(rule, source, asset, clock, PORTAL)
        if on not in states:
            states[on] = 1 << (1 + sum(map(len, self.of_switch.values())))
        return states[on], states[on] if rule.upgrades_existing else 0, False

    def after(self, flipped: str) -> np.uint64:
        """The bits that are on after one switch goes off."""
        return self.own & ~np.uint64(sum(self.of_switch[flipped].values()))


class Engine:
    """One of the engines: `build` makes the table from a batch, `flip` the marketing count when some bits are on."""

    def __init__(self, batch: pd.DataFrame, rules: Rules, bits: Bits) -> None:
        self.batch, self.rules, self.bits = batch, rules, bits
        ends = np.append(batch["occurred_at"].searchsorted(pd.to_datetime(rules.starts[1:])), len(batch))
        self.era = np.repeat(np.arange(len(rules.starts), dtype=np.int32), np.diff(ends, prepend=0))
        self.starts = pd.Series(rules.starts).to_numpy("datetime64[us]")
        creators = ["not covered" if source == "set_marketing" else source for source, _, _ in
                    product(SOURCES, ASSETS, rules.starts)]  # fmt: skip
        self.creators = pd.Categorical(creators, SOURCES)
        self.prepare()

    def prepare(self) -> None:
        """Makes ready, on nobody's clock, the frame that `build` reads and the columns that `flip` reads."""


class Ours(Engine):
    def prepare(self) -> None:
        self.portal = mk.Portal(**PORTAL)

    def build(self) -> mk.WhatIf:
        self.what_if = mk.WhatIf(self.batch, self.portal)
        return self.what_if

    def flip(self, switch: str) -> int:
        return int(self.what_if.counts({switch: False})["marketing"])


class WithPandas(Engine):
    # Also tried: groupby(contact)["bit"].sum() over distinct bits, 3 × slower; np.bitwise_or.at, 1.3 ×.
    def prepare(self) -> None:
        contact, _ = pd.factorize(self.batch["contact_id"])
        first = np.diff(np.maximum.accumulate(contact), prepend=-1) > 0
        case = self._cases()
        bit = np.where(first, self.bits.creates[case], self.bits.upgrades[case])
        self.contact, self.bit, self.many = contact[bit > 0], bit[bit > 0], contact.max() + 1

    def _cases(self) -> np.ndarray:
        batch = self.batch
        pair = batch["source"].cat.codes.astype(np.int32) * len(ASSETS) + batch["asset"].cat.codes
        return pair.to_numpy() * len(self.starts) + self.era

    def build(self) -> pd.DataFrame:
        ends = np.append(self.batch["occurred_at"].searchsorted(self.starts[1:]), len(self.batch))
        self.era = np.repeat(np.arange(len(self.starts), dtype=np.int32), np.diff(ends, prepend=0))
        case = self._cases()
        contact, _ = pd.factorize(self.batch["contact_id"])
        first = np.flatnonzero(np.diff(np.maximum.accumulate(contact), prepend=-1) > 0)
        mask, bit = self.bits.creates[case[first]], self.bits.upgrades[case]
        for one in np.unique(self.bits.upgrades)[1:]:
            mask[contact[bit == one]] |= one
        table = pd.DataFrame({"mask": mask, "creator": self.creators.codes[case[first]]})
        table["month"] = self.batch["occurred_at"].to_numpy()[first].astype("datetime64[M]").astype(np.int32)
        table["uncovered"] = self.bits.uncovered[case[first]]
        return table.value_counts(sort=False).reset_index(name="contacts")

    def flip(self, switch: str) -> int:
        marketing = np.zeros(self.many, dtype=bool)
        marketing[self.contact[(self.bit & self.bits.after(switch)) > 0]] = True
        return int(np.count_nonzero(marketing))


class WithPolars(Engine):
    def prepare(self) -> None:
        enums = {name: pl.Enum(list(kind.categories)) for name, kind in self.batch.dtypes.items() if kind == "category"}
        self.frame = pl.from_pandas(self.batch).cast(enums)
        self.eras = pl.LazyFrame({"occurred_at": self.rules.starts, "era": range(len(self.starts))})
        self.lookups = {
            "creates": pl.Series(self.bits.creates),
            "upgrades": pl.Series(self.bits.upgrades),
            "uncovered": pl.Series(self.bits.uncovered),
            "creator": pl.Series(self.creators.codes),
        }
        ready = WithPandas(self.batch, self.rules, self.bits)
        self.ready = pl.DataFrame({"contact": ready.contact, "bit": ready.bit})

    def build(self) -> pl.DataFrame:
        source, asset = pl.col("source").to_physical(), pl.col("asset").to_physical()
        case = (source.cast(pl.UInt16) * len(ASSETS) + asset) * len(self.starts) + pl.col("era").cast(pl.UInt16)
        found = {name: pl.lit(lookup).gather("case") for name, lookup in self.lookups.items()}
        return (
            self.frame.lazy()
            .join_asof(self.eras.cast({"era": pl.UInt16}), on="occurred_at")
            .select("contact_id", "occurred_at", case=case)
            .with_columns(bit=found["upgrades"])
            .group_by("contact_id")
            .agg(pl.col("case").first(), pl.col("occurred_at").first(), pl.col("bit").bitwise_or())
            .select(
                found["creator"].alias("creator"),
                found["uncovered"].alias("uncovered"),
                mask=pl.col("bit") | found["creates"],
                month=pl.col("occurred_at").dt.year().cast(pl.Int32) * 12 + pl.col("occurred_at").dt.month(),
            )
            .group_by("mask", "creator", "month", "uncovered")
            .len("contacts")
            .collect()
        )

    def flip(self, switch: str) -> int:
        on = int(self.bits.after(switch))
        return int(
            self.ready.lazy().filter(pl.col("bit") & on > 0).select(pl.col("contact").n_unique()).collect().item()
        )


class WithDuckDB(Engine):
    def prepare(self) -> None:
        self.connection = duckdb.connect()
        self.connection.from_df(self.batch).create("touches")
        cases = pd.DataFrame({"creates": self.bits.creates, "upgrades": self.bits.upgrades})
        cases = cases.assign(uncovered=self.bits.uncovered, creator=self.creators.codes)
        self.connection.from_df(cases.reset_index(names="number")).create("cases")
        ready = WithPandas(self.batch, self.rules, self.bits)
        self.connection.from_df(pd.DataFrame({"contact": ready.contact, "bit": ready.bit})).create("ready")

    def build(self) -> duckdb.DuckDBPyRelation:
        era = " + ".join(f"(occurred_at >= TIMESTAMP '{start}')::INTEGER" for start in self.rules.starts[1:])
        self.connection.execute(f"""
            CREATE OR REPLACE TEMP TABLE exposures AS
            WITH numbered AS (
                SELECT rowid AS row, contact_id, occurred_at,
                    (enum_code(source)::INTEGER * {len(ASSETS)} + enum_code(asset)) * {len(self.starts)}
                        + {era} AS number
                FROM touches
            ), by_contact AS (
                SELECT bit_or(upgrades) AS bit, arg_min(number, row) AS number, min(occurred_at) AS created
                FROM numbered JOIN cases USING (number) GROUP BY contact_id
            )
            SELECT bit | creates AS mask, creator, year(created) * 12 + month(created) AS month, uncovered,
                count(*) AS contacts
            FROM by_contact JOIN cases USING (number) GROUP BY ALL""")
        return self.connection.table("exposures")

    def flip(self, switch: str) -> int:
        query = f"SELECT count(DISTINCT contact) FROM ready WHERE bit & {int(self.bits.after(switch))} > 0"
        return int(self.connection.execute(query).fetchall()[0][0])


ENGINES = {OURS: Ours, "Polars": WithPolars, "DuckDB": WithDuckDB, "pandas": WithPandas}


def agree(rules: Rules, bits: Bits) -> None:
    """Ends all unless every engine's table gives, by source and status, what the slow reference says of some flips."""
    batch = make_batch(10_000)
    engines = {name: engine(batch, rules, bits) for name, engine in ENGINES.items()}
    tables = {name: engine.build() for name, engine in engines.items()}
    for flipped in ("hubspot_form/hubspot_form 1", "non_hubspot_form", "integration/integration 0"):
        source, _, asset = flipped.partition("/")
        switches = dict(PORTAL["switches"])
        switches[source] = {**switches[source], asset: False} if asset else False
        walked = reference.reference_decide(batch.to_dict("records"), PORTAL | {"switches": switches})
        ends = pd.DataFrame(walked.contacts.values()).value_counts(["created_by", "status"]).to_dict()
        for name, engine in engines.items():
            counts = by_status(tables[name], flipped, engine)
            marketing = sum(count for (_, status), count in ends.items() if status == "marketing")
            if counts != ends or engine.flip(flipped) != marketing:
                raise SystemExit(f"{name} differs from the reference after {flipped} is off. Nothing is timed.")


def by_status(table: Any, flipped: str, engine: Engine) -> dict[tuple[str, str], int]:
    """Contacts by source and status, from an engine's table."""
    if isinstance(table, mk.WhatIf):
        counts = table.by("source", {flipped: False}).stack()
        return {key: count for key, count in counts.to_dict().items() if count}
    frame = (
        table.to_pandas()
        if isinstance(table, pl.DataFrame)
        else table
        if isinstance(table, pd.DataFrame)
        else table.df()
    )
    reached = (frame["mask"].astype("uint64") & engine.bits.after(flipped)) > 0
    status = np.where(reached, "marketing", np.where(frame["uncovered"], REST[1], REST[0]))
    source = np.array(engine.creators.categories)[frame["creator"]]
    return frame["contacts"].groupby([source, status]).sum().to_dict()


def timed(runs: dict[str, Run], rounds: int) -> pd.DataFrame:
    """Seconds by round and run, interleaved; one round before them is not counted."""
    names = [*runs]
    turns = [names[turn % len(names) :] + names[: turn % len(names)] for turn in range(rounds + 1)]
    return pd.DataFrame([{name: timeit.timeit(runs[name], gc.collect, number=1) for name in turn} for turn in turns])[
        1:
    ]


def show(title: str, seconds: pd.DataFrame, by: str = OURS) -> float:
    """Prints the medians and ratios of some runs. Returns the library's median."""
    medians, ratios = seconds.median(), seconds.div(seconds[by], axis=0).median()
    print(f"\n### {title}\n\n| | median ms | ratio |\n|---|--:|--:|")
    for name in seconds:
        print(f"| {name} | {1000 * medians[name]:,.3g} | {ratios[name]:,.2f} |", flush=True)
    return float(medians[OURS])


def compare(touches: int, rounds: int, rules: Rules, bits: Bits) -> float:
    """Prints the tables of one size. Returns how long the library builds, in seconds."""
    batch = make_batch(touches)
    engines = {name: engine(batch, rules, bits) for name, engine in ENGINES.items()}
    print(f"\n## {touches:,} touches of {batch['contact_id'].nunique():,} contacts")
    took = show("Build", timed({name: engine.build for name, engine in engines.items()}, rounds))
    what_if = engines[OURS].build()
    tracemalloc.start()
    engines[OURS].build()
    print(f"\nAt most {tracemalloc.get_traced_memory()[1] / touches:,.0f} extra bytes a touch.")
    tracemalloc.stop()
    names = [f"hubspot_form/hubspot_form {number}" for number in range(10)]
    flips = {name: lambda engine=engine: [engine.flip(switch) for switch in names] for name, engine in engines.items()}
    show("Flip (of 10, one at a time)", timed(flips, rounds) / len(names))
    sizes = [12, 16, 20]
    sweeps: dict[str, Run] = {
        f"2^{size} settings": lambda size=size: what_if.sweep(what_if.switches.index[:size]) for size in sizes
    }
    one = {names[0]: False}
    sweeps[OURS] = lambda: what_if.counts(one)
    sweeps["2^16 settings by source"] = lambda: what_if.sweep(what_if.switches.index[:16], by="source")
    sweeps["switches"] = lambda: what_if.switches_after(one)
    show("The library's other questions, against one flip", timed(sweeps, rounds))
    return took


def from_file(touches: int, rounds: int) -> None:
    """Prints how long a file takes to its counts, against pandas reading it."""
    portal = mk.Portal(**PORTAL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "touches.csv"
        make_batch(touches).to_csv(path, index=False)
        megabytes = path.stat().st_size / 1e6
        runs: dict[str, Run] = {
            OURS: lambda: mk.WhatIf(mk.read_touches(path).touches, portal).counts(),
            "read_touches alone": lambda: mk.read_touches(path),
            "pandas.read_csv": lambda: pd.read_csv(path),
        }
        show(f"A csv of {touches:,} touches ({megabytes:,.0f} MB) to counts", timed(runs, rounds), "pandas.read_csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--touches", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rules = Rules()
    bits = Bits(rules)
    agree(rules, bits)
    print(machine())
    print(f"All agree with the reference on 10,000 touches. Medians of {options.rounds} interleaved rounds.")
    took = [(size, compare(size, options.rounds, rules, bits)) for size in sorted(set(options.touches))]
    from_file(min(1_000_000, max(options.touches)), options.rounds)
    for (size, less), (larger, more) in pairwise(took):
        slope = np.log(more / less) / np.log(larger / size)
        print(f"\nFrom {size:,} to {larger:,} touches the time to build grows as touches ^ {slope:.2f}.")


if __name__ == "__main__":
    main()
