"""What comes: the past is exact, the line stands on it, and what actions do can be counted by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import few_portals, few_touch, frame, portal, portals, touches, zones
from marketable.plain_yaml import read

TODAY = dt.date(2026, 10, 31)  # a Saturday
WEEKS = 40
PRICES = {"included": 2000, "step": 5000, "monthly": 300, "currency": "EUR"}
FILE = Path(__file__).with_name("worked_forecasts.yaml")
NAMES = {
    "name", "marketing", "others", "weekly", "asked", "asked_on", "subscription", "actions",
    "on", "crossing", "billed", "effects", "notes",
}  # fmt: skip
CASES, LINES = read(FILE, mk.MarketableError)


def account(
    marketing: int = 1990, others: int = 1000, weekly: int = 0, asked: int = 0, asked_on: str = "2026-10-20"
) -> pd.DataFrame:
    """Contacts of two imports, one with its box ticked; since then new ones by a form, evenly; some are set as
    non-marketing; and up to today somebody writes an e-mail each week.
    """
    end = pd.Timestamp(TODAY) + pd.Timedelta(hours=20)
    start = end - pd.Timedelta(weeks=WEEKS)
    by_form = end - pd.to_timedelta(np.arange(weekly * WEEKS)[::-1] * 10_080 // max(weekly, 1), unit="min")
    mails = end - pd.to_timedelta(np.arange(WEEKS), unit="W")
    rows = [
        *((f"m{number}", start, "import_single_object", "Fair") for number in range(marketing)),
        *((f"n{number}", start, "import_single_object", "List") for number in range(others)),
        *((f"f{number}", at, "hubspot_form", "Newsletter") for number, at in enumerate(by_form)),
        *((f"m{number}", pd.Timestamp(asked_on), "set_non_marketing", "") for number in range(asked)),
        *(("writer", at, "logged_email", "") for at in mails),
    ]
    return pd.DataFrame(rows, columns=["contact_id", "occurred_at", "source", "asset"])


def portal_of(**subscription: Any) -> mk.Portal:
    return mk.Portal(
        subscription={"tier": 2000, "renewal": "2027-05-01"} | subscription,
        switches={"hubspot_form": {"Newsletter": "on"}, "import_single_object": {"Fair": "on", "List": "off"}},
    )


def outlook_of(case: Mapping[str, Any]) -> mk.Outlook:
    sizes = {name: int(case[name]) for name in ("marketing", "others", "weekly", "asked") if name in case}
    asked_on = case.get("asked_on", "2026-10-20")
    portal = portal_of(**case.get("subscription", {}))
    prices = PRICES | ({"included": portal.subscription.tier} if portal.subscription.tier != 2000 else {})
    return mk.forecast(account(**sizes, asked_on=asked_on), portal, prices, case.get("actions", ()))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for group in CASES.values() for case in group])
def test_counted_by_hand(case: dict[str, Any]) -> None:
    assert set(case) <= NAMES and set(case) & {"on", "crossing", "billed", "effects", "notes"}
    outlook = outlook_of(case)
    for day, told in case.get("on", {}).items():
        row = outlook.by_day.loc[day]
        waiting = f", {row.waiting} waiting" if row.waiting else ""
        assert f"{row.marketing}{waiting}" == told, day
    if "crossing" in case:
        likely = outlook.crossing["likely"]
        assert ("never" if pd.isna(likely) else str(likely.date())) == case["crossing"]
    for month, told in case.get("billed", {}).items():
        row = outlook.months.loc[month]
        assert f"{row.tier:.0f}, {row.price:.2f}" == told, month
    if "effects" in case:
        rows = outlook.effects.itertuples()
        assert [f"{row.marketing}, {row.price:.2f}" for row in rows] == case["effects"]
    for words in case.get("notes", []):
        assert any(words in note for note in outlook.notes), outlook.notes


class TestPast:
    @given(st.one_of(touches(zones), st.lists(few_touch, max_size=12)), st.one_of(portals, few_portals))
    def test_is_what_decide_says_on_every_day(self, batch: list[dict[str, Any]], settings: dict[str, Any]) -> None:
        table, account = frame(batch), portal(settings)
        if not len(table):
            return
        outlook = mk.forecast(table, account)
        assert "marketing contact" in str(outlook) and len(outlook.crossing) == 3
        by_day = outlook.by_day
        known = by_day[: mk.decide(table, account).as_of]
        turns = known.index[known["marketing"].diff().ne(0) | known["waiting"].diff().ne(0)]
        for day in {*known.index[::97], *turns, *(turns - pd.Timedelta(days=1)), known.index[-1]} & {*known.index}:
            contacts = mk.decide(table, account, as_of=day + pd.Timedelta(hours=23, minutes=59, seconds=59)).contacts
            is_marketing = contacts["status"].eq("marketing")
            assert known.loc[day, "marketing"] == is_marketing.sum()
            assert known.loc[day, "waiting"] == (is_marketing & contacts["waiting"]).sum()

    def test_has_no_interval(self) -> None:
        known = mk.forecast(account(), portal_of()).by_day[: pd.Timestamp(TODAY)]
        assert known["low"].equals(known["marketing"]) and known["high"].equals(known["marketing"])

    def test_of_an_export_ends_with_what_hubspot_counts(self, sample: mk.Audit) -> None:
        outlook = mk.forecast(sample)
        assert outlook.today == sample.marketing and outlook.as_of == sample.as_of.date()
        assert outlook.by_day.loc[pd.Timestamp(outlook.as_of), "waiting"] == sample.waiting
        assert outlook.by_day.loc[pd.Timestamp(sample.update_date), "marketing"] < sample.marketing
        assert "as HubSpot counts them" in str(outlook)

    def test_of_an_export_is_the_same_of_its_audit(self, sample: mk.Audit) -> None:
        from_export = mk.forecast(sample.export, sample.given)
        assert from_export.by_day.equals(mk.forecast(sample).by_day)


@pytest.fixture(scope="module")
def sample() -> mk.Audit:
    data = Path(__file__).parents[1] / "data"
    export = mk.read_export(next(data.glob("hubspot-crm-exports-*.csv")))
    return mk.audit(export, mk.Portal.load(data / "portal.yaml"))


class TestLine:
    """The sample firm's touches: they have all there is, forms and imports, bulk work and people at work."""

    TOUCHES = mk.sample_touches(2_000, seed=7)
    PORTAL = mk.Portal(switches={"hubspot_form": {"Newsletter": "on"}}, subscription={"tier": 2000})

    @given(st.lists(st.integers(1, 170), min_size=1, max_size=4), st.data())
    def test_is_the_same_where_actions_change_nothing(self, days: list[int], data: st.DataObject) -> None:
        nothing = mk.forecast(self.TOUCHES, self.PORTAL, PRICES)
        states = nothing.account.past.states
        kinds = st.sampled_from(["import", "set_marketing", "set_non_marketing", *states])
        actions: list[dict[str, Any]] = []
        for number in days:
            on, kind = nothing.as_of + dt.timedelta(days=number), data.draw(kinds)
            if kind == "import":
                many = data.draw(st.integers(0, 10**6))
                existing = data.draw(st.integers(0, min(many, 100)))
                actions.append({"on": on, "import": many, "existing": existing, "tick": False})
            elif kind in states:
                actions.append({"on": on, "switch": kind, "turn": states[kind]})
            else:
                actions.append({"on": on, kind: 0})
        planned = mk.forecast(self.TOUCHES, self.PORTAL, PRICES, actions)
        assert planned.by_day.equals(nothing.by_day) and planned.months.equals(nothing.months)
        assert planned.crossing.equals(nothing.crossing)
        assert not planned.effects["marketing"].any() and not planned.effects["price"].any()

    @given(st.integers(0, 500), st.integers(1, 170))
    def test_is_moved_by_so_many_as_are_set(self, many: int, days: int) -> None:
        nothing = mk.forecast(self.TOUCHES, self.PORTAL)
        on = nothing.as_of + dt.timedelta(days=days)
        planned = nothing.with_actions([{"on": on, "set_marketing": many}])
        moved = (planned.by_day - nothing.by_day)[["marketing", "low", "high"]]
        assert (moved[pd.Timestamp(on) :] == many).all(axis=None)
        assert (moved[: pd.Timestamp(on) - pd.Timedelta(days=1)] == 0).all(axis=None)

    def test_has_the_median_within_the_interval(self) -> None:
        by_day = mk.forecast(self.TOUCHES, self.PORTAL).by_day
        assert (by_day["low"] <= by_day["marketing"]).all() and (by_day["marketing"] <= by_day["high"]).all()
        assert by_day["high"].iloc[-1] > by_day["low"].iloc[-1]

    def test_does_not_repeat_an_import(self) -> None:
        before = mk.forecast(account(marketing=0, weekly=7), portal_of())
        after = mk.forecast(account(marketing=5000, weekly=7), portal_of())
        assert (after.by_day["marketing"].iloc[-1] - before.by_day["marketing"].iloc[-1]) == 5000
        assert after.events.query("what == 'import_single_object/Fair'")["contacts"].tolist() == [5000]

    def test_does_not_repeat_a_clean_up(self) -> None:
        line = mk.forecast(account(marketing=1000, asked=300), portal_of()).by_day["marketing"]
        assert line.iloc[-1] == line["2026-11-01"] == 700

    def test_is_of_the_switches_that_will_be(self) -> None:
        """Newsletter was on until yesterday: what comes is what came by the other form."""
        touches = account(marketing=0, weekly=14)
        touches.loc[touches.index % 2 == 0, "asset"] = "Demo"
        switches = {"hubspot_form": {"Newsletter": [{"switch": True}, {"from": "2026-10-31", "switch": False}]}}
        portal = mk.Portal(switches=switches, subscription={"renewal": "2027-05-01"})
        line = mk.forecast(touches, portal).by_day["marketing"]
        assert line["2026-12-26"] - line["2026-10-31"] == pytest.approx(56, abs=3)

    def test_knows_a_switch_that_the_portal_turns_on_a_day_to_come(self) -> None:
        switches = {"hubspot_form": {"Newsletter": [{"switch": True}, {"from": "2026-11-08", "switch": False}]}}
        told = portal_of().model_copy(update={"switches": mk.Portal(switches=switches).switches})
        action = {"on": "2026-11-08", "switch": "hubspot_form/Newsletter", "turn": "off"}
        planned = mk.forecast(account(marketing=0, weekly=7), portal_of(), actions=[action]).by_day
        assert mk.forecast(account(marketing=0, weekly=7), told).by_day["marketing"].equals(planned["marketing"])

    def test_tells_how_it_would_have_done(self) -> None:
        calibration = mk.forecast(mk.sample_touches(10_000, seed=7), self.PORTAL).calibration
        assert calibration.index.tolist() == [4, 8, 13, 26]
        assert calibration["covered"].between(0.6, 1).all() and calibration["origins"].is_monotonic_decreasing


class TestSentences:
    def test_say_where_it_stands_since_when_and_what_it_costs(self) -> None:
        text = str(mk.forecast(account(marketing=2091), portal_of(), PRICES))
        assert "2,091 marketing contacts on 2026-10-31, 91 over the tier of 2,000." in text
        assert "first on 2026-05-01" in text and "7,000 contacts are billed until the renewal on 2027-05-01" in text
        assert "1,800.00 EUR" in text  # November to April

    def test_say_what_is_planned_and_what_that_costs(self) -> None:
        planned = [{"on": "2026-11-30", "import": 600, "tick": True}]
        text = str(mk.forecast(account(), portal_of(), PRICES, planned))
        assert "600 more at the end, and 7,000 instead of 2,000 are billed; that costs 1,500.00 EUR" in text

    def test_say_that_the_tier_is_not_known(self) -> None:
        assert "no tier" in str(mk.forecast(account(), portal_of(tier=None)))

    def test_say_when_it_is_likely_to_cross_and_that_it_may_not(self) -> None:
        outlook = mk.forecast(mk.sample_touches(2_000, seed=7), TestLine.PORTAL)
        last = outlook.by_day.iloc[-1]
        for tier, words in (
            (last.marketing - 20, "if at all"),
            (last.high - 1, "it could, from"),
            (last.high, "will not"),
        ):
            portal = mk.Portal(subscription={"tier": int(tier)}, switches={"hubspot_form": {"Newsletter": "on"}})
            assert words in str(mk.forecast(mk.sample_touches(2_000, seed=7), portal))


class TestBadInput:
    @pytest.mark.parametrize(
        ("action", "words"),
        [
            ({"on": "2026-10-30", "set_marketing": 1}, ["over", "2026-10-31"]),
            ({"on": "2027-05-01", "set_marketing": 1}, ["behind the end", "before 2027-05-01"]),
            ({"on": "2026-02-30", "set_marketing": 1}, ["There is no such day"]),
            ({"on": "tomorrow", "set_marketing": 1}, ["not a date"]),
            ({"set_marketing": 1}, ["a value for on"]),
            ({"on": "2026-11-10"}, ["does none"]),
            ({"on": "2026-11-10", "set_marketing": 1, "import": 3, "tick": "on"}, ["one thing"]),
            ({"on": "2026-11-10", "switch": "hubspot_form/Newsletter"}, ["turn is missing"]),
            ({"on": "2026-11-10", "switch": "hubspot_form/Newsleter", "turn": "off"}, ["hubspot_form/Newsletter"]),
            ({"on": "2026-11-10", "switch": "hubspot_form/Newsletter", "turn": "of"}, ["neither on nor off"]),
            ({"on": "2026-11-10", "import": 600}, ["tick is missing"]),
            ({"on": "2026-11-10", "import": -1, "tick": "on"}, ["not a number of contacts"]),
            ({"on": "2026-11-10", "import": 10, "existing": 11, "tick": "on"}, ["at most 10"]),
            ({"on": "2026-11-10", "import": 10**6, "existing": 5000, "tick": "on"}, ["at most 2,991"]),
            ({"on": "2026-11-10", "set_marketing": 1, "existing": 1}, ["Only import goes with existing"]),
            ({"on": "2026-11-10", "set_non_marketing": 1991}, ["not so many", "at most 1,990"]),
            ({"on": "2026-11-10", "set_marketing": 1002}, ["not so many", "at most 1,001"]),
            ({"on": "2026-11-10", "set_non_marketing": ["x1", "x2"]}, ["None of these contacts"]),
            ({"on": "2026-11-10", "set_non_marketing": []}, ["Nobody is named"]),
            ({"on": "2026-11-10", "set_non_marketing": 1.5}, ["not a number of contacts"]),
            ({"on": "2026-11-10", "set_nonmarketing": 1}, ["set_non_marketing"]),
            ("off", ["Names with values"]),
        ],
    )
    def test_of_an_action_says_what_is_wrong(self, action: Any, words: list[str]) -> None:
        with pytest.raises(mk.MarketableError) as wrong:
            mk.forecast(account(), portal_of(), PRICES, [action])
        assert all(word in str(wrong.value) for word in words), str(wrong.value)

    def test_of_an_action_says_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "actions.yaml"
        path.write_text("- {on: 2026-11-10, set_marketing: 1}\n- {on: 2026-11-11, import: some, tick: on}\n")
        with pytest.raises(mk.DataError, match=r"actions.yaml, row 2") as wrong:
            mk.forecast(account(), portal_of(), actions=path)
        assert "some" in str(wrong.value)

    def test_actions_may_stand_in_a_file_and_contacts_too(self, tmp_path: Path) -> None:
        pd.DataFrame({"Record ID": ["m1", "m2", "gone"]}).to_csv(tmp_path / "some.csv", index=False)
        path = tmp_path / "actions.yaml"
        path.write_text(f"- {{on: 2026-11-10, set_non_marketing: ['{tmp_path / 'some.csv'}']}}\n")
        outlook = mk.forecast(account(), portal_of(), actions=path)
        assert outlook.by_day.loc["2026-12-01", "marketing"] == 1988
        assert outlook.changed.index.tolist() == ["m1", "m2"]
        assert outlook.changed["after"].tolist() == ["non-marketing"] * 2

    def test_a_file_of_contacts_without_ids_is_an_error(self, tmp_path: Path) -> None:
        pd.DataFrame({"Name": ["m1"]}).to_csv(tmp_path / "some.csv", index=False)
        actions = [{"on": "2026-11-10", "set_non_marketing": str(tmp_path / "some.csv")}]
        with pytest.raises(mk.DataError, match="Record ID"):
            mk.forecast(account(), portal_of(), actions=actions)

    def test_a_name_that_yaml_takes_for_true_is_understood(self) -> None:
        actions = [{True: dt.date(2026, 11, 10), "set_marketing": 1}]
        assert mk.forecast(account(), portal_of(), actions=actions).by_day["marketing"].iloc[-1] == 1991

    def test_groups_of_an_audit_are_known_by_their_names(self, sample: mk.Audit) -> None:
        planned = [{"on": "2026-11-20", "set_non_marketing": ["hard bounced"]}]
        outlook = mk.forecast(sample, actions=planned)
        assert outlook.effects["marketing"].iloc[0] == -sample.groups.loc["hard bounced", "contacts"]
        with pytest.raises(mk.DataError, match="hard bounced"):
            mk.forecast(sample, actions=[{"on": "2026-11-20", "set_non_marketing": ["hard bounce"]}])

    def test_a_renewal_that_is_over_comes_again(self) -> None:
        outlook = mk.forecast(account(), portal_of(renewal="2024-02-29"), PRICES)
        assert outlook.until == dt.date(2027, 2, 28)
        assert any("2024-02-29 is over" in note for note in outlook.notes)

    def test_without_a_renewal_it_looks_half_a_year_ahead(self) -> None:
        outlook = mk.forecast(account(), portal_of(renewal=None), PRICES)
        assert outlook.until == TODAY + dt.timedelta(weeks=26)
        assert any("does not give the renewal" in note for note in outlook.notes)

    def test_without_a_subscription_there_is_a_line_and_no_bill(self) -> None:
        outlook = mk.forecast(account(), mk.Portal(), PRICES)
        assert outlook.by_day.index[-1] > pd.Timestamp("2027-04-01")
        assert outlook.crossing.isna().all() and outlook.months["price"].isna().all()

    def test_a_tier_that_the_prices_do_not_have_is_an_error(self) -> None:
        with pytest.raises(mk.PortalError, match="2,000 or 7,000"):
            mk.forecast(account(), portal_of(tier=3000), PRICES)

    def test_prices_of_another_hub_are_noted(self) -> None:
        prices = mk.Prices.flat(1000, 1000, 45, hub="starter")
        outlook = mk.forecast(account(), portal_of(), prices)
        assert any("no price of professional" in note for note in outlook.notes)
        assert outlook.months["price"].isna().all()

    @pytest.mark.parametrize("prices", [{"included": 2000}, {"included": 1, "step": 0, "monthly": 1}, 5000, {"a": 1}])
    def test_prices_that_are_none_are_an_error(self, prices: Any) -> None:
        with pytest.raises(mk.PortalError):
            mk.forecast(account(), portal_of(), prices)

    @pytest.mark.parametrize("until", ["2026-10-31", "2099-01-01", "soon", 5])
    def test_an_end_that_cannot_be_is_an_error(self, until: Any) -> None:
        with pytest.raises(mk.DataError, match=r"2026-10-31|2027-07-01"):
            mk.forecast(account(), portal_of(), until=until)

    @pytest.mark.parametrize("weeks", [0, 1, 12])
    def test_with_too_little_history_it_says_so_and_draws_no_line(self, weeks: int) -> None:
        days = pd.date_range(pd.Timestamp(TODAY) - pd.Timedelta(weeks=weeks), pd.Timestamp(TODAY))
        touches = pd.DataFrame({"contact_id": range(len(days)), "occurred_at": days, "source": "hubspot_form"})
        outlook = mk.forecast(touches, portal_of(), PRICES)
        assert outlook.by_day.index[-1] == pd.Timestamp(TODAY) and not len(outlook.months)
        assert f"A history of {weeks} whole week" in str(outlook) and "too short" in str(outlook)
        assert outlook.crossing.isna().all() and not len(outlook.effects) and not len(outlook.calibration)

    def test_no_touch_is_an_error(self) -> None:
        with pytest.raises(mk.DataError, match="nothing to forecast"):
            mk.forecast(account().head(0), portal_of())

    def test_a_gap_of_months_is_no_fault(self) -> None:
        touches = account(weekly=7)
        gap = touches["occurred_at"].between(pd.Timestamp("2026-04-01"), pd.Timestamp("2026-08-01"))
        by_day = mk.forecast(touches[~gap], portal_of()).by_day
        assert by_day.index.is_unique and len(by_day) == (by_day.index[-1] - by_day.index[0]).days + 1

    def test_the_day_is_that_of_the_accounts_zone(self) -> None:
        touches = account(marketing=0, weekly=7)
        touches["occurred_at"] = (touches["occurred_at"] + pd.Timedelta(hours=3)).dt.tz_localize("UTC")  # 23:00
        assert mk.forecast(touches, portal_of()).as_of == TODAY
        berlin = mk.Portal(time_zone="Europe/Berlin", subscription={"renewal": "2027-05-01"})
        assert mk.forecast(touches, berlin).as_of == TODAY + dt.timedelta(days=1)


class TestBill:
    PRICES = mk.Prices(
        currency="EUR",
        steps=[
            {"from": "2026-01-01", "hub": "professional", "contacts": 5000, "monthly": 300},
            {"from": "2026-12-16", "hub": "professional", "contacts": 5000, "monthly": 400},
        ],
    )

    def test_a_day_costs_what_the_list_of_that_day_says(self) -> None:
        months = mk.forecast(account(marketing=2001), portal_of(), self.PRICES).months
        assert months["price"].round(2).tolist()[1:4] == [300.0, round(15 / 31 * 300 + 16 / 31 * 400, 2), 400.0]

    def test_without_the_number_included_the_price_is_what_comes_on_top_of_the_tier(self) -> None:
        portal = portal_of(tier=7000)
        months = mk.forecast(account(marketing=6999), portal, self.PRICES).months
        assert (months["tier"] == 7000).all() and (months["price"] == 0).all()

    def test_with_it_the_price_is_that_of_all_steps(self) -> None:
        months = mk.forecast(account(marketing=6999), portal_of(tier=7000), PRICES).months
        assert (months["tier"] == 7000).all() and (months["price"] == 300).all()

    def test_a_line_beyond_the_renewal_says_that_the_tier_may_be_lowered_there(self) -> None:
        outlook = mk.forecast(account(marketing=2001), portal_of(), PRICES, until="2027-08-01")
        assert (outlook.months["tier"] == 7000).all()
        assert any("at the renewal of 2027-05-01 is agreed with HubSpot" in note for note in outlook.notes)

    def test_the_steps_of_a_hub_are_known_without_prices(self) -> None:
        outlook = mk.forecast(account(marketing=2001), portal_of(hub="starter"))
        assert (outlook.months["tier"] == 3000).all() and outlook.months["price"].isna().all()
