"""What a report finds adds up, and is what `decide` and what-ifs say of the same batch."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import marketable as mk
from batches import NO_ZONE, frame, portal, portals, touches, zones
from marketable.errors import MarketableError, ParameterError, UnknownNameError
from marketable.exports import ColumnMapping
from marketable.report.findings import CEASED, CREATED, TURNED, Findings
from marketable.report.parameters import Parameters
from marketable.report.sections import ahead, charts, flip, made_from, summary
from marketable.rulebook import MARKETING, STATUSES
from test_architecture import REPOSITORY

PERIODS = ["", "2023-12", "2024-02", "2024-03", "2024-Q1", "2024", "2024-02-14/2024-03-01", "2025-01"]
FEWER = settings(max_examples=settings.default.max_examples // 3)  # each writes and reads files
SAMPLES = ["hubspot-crm-exports-all-contacts-2026-10-31.csv", "api_contacts.json", "fivetran_contact.csv"]


@dataclass(frozen=True)
class Asked:
    """A report that was asked: its findings, and the batch and the portal that they are about."""

    found: Findings
    batch: pd.DataFrame
    portal: mk.Portal
    figures: dict[str, Any]

    @property
    def options(self) -> dict[str, Any]:
        edition = self.found.parameters.edition or None
        return {"edition": edition, "as_of": self.found.parameters.as_of or self._end_of_period}

    @property
    def _end_of_period(self) -> dt.datetime | None:
        return self.found.period.ends if self.found.parameters.period else None


@st.composite
def asked(draw: st.DrawFn, *, flipped: bool = False, figures: bool = False) -> Asked:
    """Findings of batches made to be awkward, read from files as a report reads them; with their figures if wanted."""
    batch, account = draw(touches(draw(st.sampled_from([NO_ZONE, zones])), least=3)), draw(portals)
    parameters: dict[str, Any] = {"period": draw(st.sampled_from(PERIODS))}
    parameters["edition"] = draw(st.sampled_from(["", "", "2024-02-14"]))
    with TemporaryDirectory() as folder:
        data, settings = Path(folder, "touches.csv"), Path(folder, "portal.yaml")
        table = frame(batch)
        table.assign(occurred_at=[str(touch["occurred_at"]) for touch in batch]).to_csv(data, index=False)
        portal(account).save(settings)
        parameters |= {"data": str(data), "portal": str(settings)}
        try:
            found = Findings.of(Parameters(**parameters))
            if flipped:
                names = list(found.what_if.switches.index)
                assume(names)
                some = st.sampled_from(names)
                flips = st.dictionaries(some, st.booleans() | st.just("off from 2024-03-01"), min_size=1, max_size=4)
                found = replace(found, parameters=Parameters(**parameters, flips=draw(flips)))
        except ParameterError as nothing:
            assume("All touches are later" not in nothing.problem)
            raise
        numbers = found.numbers() if figures else {}  # while the files are there
        return Asked(found, found.opened.touches, portal(account), numbers)


@FEWER
@given(asked())
def test_the_counts_now_and_before_are_what_decide_says(asked: Asked) -> None:
    now = mk.decide(asked.batch, asked.portal, **asked.options)
    before = mk.decide(
        asked.batch,
        asked.portal,
        edition=asked.options["edition"],
        as_of=asked.found.period.before.ends,
    )
    assert asked.found.counts.loc["now"].to_dict() == now.counts().to_dict()
    assert asked.found.counts.loc["before"].to_dict() == before.counts().to_dict()
    pd.testing.assert_frame_equal(asked.found.now.contacts, now.contacts)
    assert asked.found.counts.loc["what-if"].to_dict() == now.counts().to_dict()  # without flips
    assert not len(asked.found.credits)


@FEWER
@given(asked())
def test_changes_are_the_difference_of_the_counts_and_the_list_names_each_once(asked: Asked) -> None:
    found = asked.found
    sums = found.changes.groupby("kind")["contacts"].sum()
    came, went = sums.get(CREATED, 0) + sums.get(TURNED, 0), sums.get(CEASED, 0)
    marketing = found.counts[MARKETING]
    assert came - went == marketing["now"] - marketing["before"]
    assert found.listed["contact_id"].is_unique
    assert found.listed["kind"].value_counts().to_dict() == sums[sums > 0].to_dict()
    is_marketing = found.listed["status"].eq(MARKETING)
    assert is_marketing.eq(found.listed["kind"].ne(CEASED)).all()
    created = found.listed.loc[found.listed["kind"] == CREATED, "contact_id"]
    assert not created.isin(found.before.contacts.index).any()


@FEWER
@given(asked(flipped=True))
def test_the_what_if_is_what_decide_says_of_the_flipped_portal_and_the_credit_that_moves_is_the_difference(
    asked: Asked,
) -> None:
    found = asked.found
    flipped = mk.decide(asked.batch, asked.portal.with_switches(found.flips), **asked.options)
    assert found.counts.loc["what-if"].to_dict() == flipped.counts().to_dict()
    assert found.imagined.counts().to_dict() == flipped.counts().to_dict()
    marketing = found.counts[MARKETING]
    assert asked.found.credits["change"].sum() == pytest.approx(marketing["what-if"] - marketing["now"], abs=1e-6)


@FEWER
@given(asked(flipped=True, figures=True))
def test_the_figures_by_source_and_by_month_sum_to_the_counts(asked: Asked) -> None:
    figures = asked.figures
    now = figures["counts"]["now"]
    for rows in (figures["sources"], figures["months"]):
        assert {status: sum(row[status] for row in rows) for status in STATUSES} == now
    assert sum(row["what-if"] for row in figures["sources"]) == figures["counts"]["what-if"][MARKETING]
    credit = sum(row["credit"] for row in figures["switches"])
    assert figures["always"] + credit == pytest.approx(now[MARKETING], abs=1e-3)


@pytest.fixture(scope="module", params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Iterator[Findings]:
    yield Findings.of(Parameters(data=f"data/{request.param}"))


@pytest.fixture(scope="module")
def usual() -> Findings:
    """What is found where nothing else is asked."""
    return Findings.of(Parameters())


def test_gaps_count_every_contact_whose_status_the_copy_tells(sample: Findings) -> None:
    export, gaps = sample.opened.export, sample.gaps
    assert export is not None
    assert gaps is not None
    told = export.contacts["status"].dropna()
    decided = sample.now.contacts.loc[lambda contacts: contacts.index.isin(told.index)]
    assert gaps["contacts"].sum() == len(decided) > 0
    assert gaps["expected"].sum() == decided["status"].eq(MARKETING).sum()
    assert gaps["actual"].sum() == told.reindex(decided.index).eq(MARKETING).sum()
    assert gaps["difference"].equals(gaps["actual"] - gaps["expected"])
    assert gaps["difference"].abs().is_monotonic_decreasing


def test_of_an_earlier_day_and_of_a_batch_without_statuses_nothing_is_audited() -> None:
    for parameters in (Parameters(period="2026-08"), Parameters(data="data/touches.csv")):
        found = Findings.of(parameters)
        assert found.audit is None and found.gaps is None
        assert not [name for name in found.numbers() if name.startswith("audit")]


def test_the_figures_of_the_audit_are_those_of_mk_audit(sample: Findings) -> None:
    assert sample.opened.export is not None
    audit, figures = mk.audit(sample.opened.export, sample.portal), sample.numbers()
    shown = {row.pop("explanation"): row for row in figures["audit"]}
    assert shown == audit.counts.to_dict("index")
    assert sum(row["all"] for row in shown.values()) == len(sample.opened.export.contacts)
    differing = audit.switches[audit.switches["differs"]]
    assert [(row["switch"], row["looks"]) for row in figures["audit switches"]] == list(differing["looks"].items())
    assert {row["group"]: row["contacts"] for row in figures["audit groups"]} == audit.groups["contacts"].to_dict()
    assert [row["myth"] for row in figures["audit myths"]] == list(audit.myths.index)
    assert mk.Portal.of_text(figures["audit portal"]) == audit.portal
    assert json.loads(json.dumps(figures["audit switches"], allow_nan=False)) == figures["audit switches"]


def test_those_who_wait_and_until_when_are_told_as_the_audit_tells_it(sample: Findings) -> None:
    assert sample.opened.export is not None and sample.audit is not None
    waiting = sample.opened.export.contacts["waiting"] & sample.opened.export.contacts["status"].eq(MARKETING)
    assert sample.numbers()["waiting"] == sample.waiting == sample.audit.waiting == waiting.sum()


def test_the_update_date_is_the_one_after_the_last_mail_too_unless_another_day_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    header = "Record ID,Create Date,Record source,Marketing contact status,Last marketing email send date"
    path.write_text(f"{header}\n1,2025-02-10,MEETINGS,Non-marketing contact,2025-10-30\n")
    asked = {"": "2025-11-01", "2025-03-15": "2025-04-01"}
    for as_of, update_date in asked.items():
        assert str(Findings.of(Parameters(data=str(path), as_of=as_of)).update_date) == update_date


def test_an_edition_that_is_pinned_holds_for_the_audit_too(usual: Findings) -> None:
    pinned = Findings.of(Parameters(edition="2020-09-23"))
    assert pinned.audit is not None
    expected = pinned.now.contacts["status"].astype("str")
    assert pinned.audit.contacts["expected"].astype("str").equals(expected.reindex(pinned.audit.contacts.index))
    assert not pinned.audit.counts.equals(usual.audit.counts)  # type: ignore[union-attr]


def test_whom_the_account_pays_for_and_never_mails_is_told_where_the_export_tells(sample: Findings) -> None:
    export = sample.opened.export
    assert export is not None
    new = {"unsubscribed": True, "bounced": False, "mailed_at": pd.NaT, "form_submissions": 1, "status_source": "FORM"}
    details = pd.DataFrame(new, index=export.contacts.index).astype({"mailed_at": "datetime64[us]"})
    opened = replace(sample.opened, export=replace(export, details=details))
    figures = replace(sample, opened=opened).numbers()
    groups = {row["group"]: row["contacts"] for row in figures["audit groups"]}
    waiting = export.contacts["waiting"]  # they have been set as non-marketing already
    assert groups["unsubscribed"] == (export.contacts["status"].eq(MARKETING) & ~waiting).sum()
    assert "unsubscribed" not in [
        row["group"]
        for row in replace(
            sample, opened=replace(sample.opened, export=replace(export, details=details[[]]))
        ).numbers()["audit groups"]
    ]


def test_money_is_told_where_a_price_list_is_named(usual: Findings) -> None:
    free, priced = usual, Findings.of(Parameters(prices="data/prices.yaml"))
    assert {row["monthly"] for row in free.numbers()["audit groups"]} == {None}
    for row in priced.numbers()["audit groups"]:
        assert row["monthly"] == pytest.approx(row["contacts"] * 230 / 5000)
    assert priced.numbers()["parameters"]["prices"] == "prices.yaml"
    assert "prices.yaml" in priced.checksums and "prices.yaml" not in free.checksums


def test_a_file_with_columns_of_its_own_is_reported_on_with_the_mapping_of_its_audit(tmp_path: Path) -> None:
    data, mapping = tmp_path / "fremd.csv", tmp_path / "mapping.yaml"
    rows = ["1,a@b.c,03.04.2026,Form,Newsletter,ja bitte", "2,d@e.f,03.04.2026,CRM UI,Ann,lieber nicht"]
    data.write_text("\n".join(["Nummer,Adresse,Angelegt am,Gekommen durch,Genauer,Mailstand", *rows]))
    with pytest.raises(MarketableError, match="no column"):
        Findings.of(Parameters(data=str(data)))
    own = {"record_id": "Nummer", "created_at": "Angelegt am", "status": "Mailstand"}
    own |= {"record_source": "Gekommen durch", "record_source_detail": "Genauer"}
    ColumnMapping(columns=own, values={"marketing": "ja bitte", "non-marketing": "lieber nicht"}).save(mapping)
    found = Findings.of(Parameters(data=str(data), mapping=str(mapping)))
    audit = mk.audit(mk.read_export(data, mapping=mapping), found.portal)
    assert found.counts.loc["now", MARKETING] == audit.marketing == 1
    assert found.asked["mapping"] == "mapping.yaml" and "mapping.yaml" in found.checksums


def test_rows_are_read_or_rejected_by_a_reason(sample: Findings) -> None:
    figures = sample.numbers()
    assert figures["rows"]["rejected"] == len(sample.opened.rejected) == sum(figures["rejected"].values())
    assert figures["checksums"].keys() >= {sample.opened.name, "portal.yaml"}


def test_a_switch_that_nobody_has_is_refused_before_anything_is_counted() -> None:
    with pytest.raises(MarketableError, match=r"no such switch.*Did you mean 'hubspot_form/Newsletter'"):
        Findings.of(Parameters(flips={"hubspot_form/Newsleter": "off"}))


def test_before_the_first_touch_there_is_nothing_to_report_on() -> None:
    with pytest.raises(ParameterError, match=r"All touches are later.*from 2021-01-05"):
        Findings.of(Parameters(as_of="2002-01-01"))


def test_a_switch_that_neither_the_portal_lists_nor_a_touch_asked_is_refused_with_the_nearest() -> None:
    for of in ("switches", "flips"):
        with pytest.raises(UnknownNameError, match="Did you mean 'hubspot_form/Newsletter'"):
            Findings.of(Parameters(**{of: {"hubspot_form/Newsleter": "off"}}))


def test_switches_amend_the_portal_and_flips_do_not(usual: Findings) -> None:
    name = "hubspot_form/Newsletter"
    amended, flipped = (Findings.of(Parameters(**{of: {name: "off"}})) for of in ("switches", "flips"))
    assert amended.counts.loc["now"].equals(flipped.counts.loc["what-if"])
    assert flipped.counts.loc["now"].equals(usual.counts.loc["now"])
    assert amended.marketing < usual.marketing
    assert usual.portal == mk.Portal.load(REPOSITORY / "data" / "portal.yaml")


def test_the_last_touch_counts_in_the_hour_that_comes_twice_too(tmp_path: Path) -> None:
    data, account = tmp_path / "touches.csv", tmp_path / "portal.yaml"
    lines = ["1,2023-10-01T02:30+02:00,hubspot_form,A", "2,2023-10-29T02:30+01:00,hubspot_form,A"]
    data.write_text("\n".join(["contact_id,occurred_at,source,asset", *lines]))
    account.write_text("time_zone: Europe/Berlin\n")
    found = Findings.of(Parameters(data=str(data), portal=str(account), flips={"hubspot_form/A": "on"}))
    assert found.imagined.counts().to_dict() == found.counts.loc["what-if"].to_dict()
    assert found.imagined.counts()[MARKETING] == 2


@pytest.mark.parametrize(
    ("undone", "rule", "other"),
    [("set_marketing", "undo_by_hand", "undo_by_tool"), ("hubspot_form", "undo_by_tool", "undo_by_hand")],
)
def test_a_report_says_what_undid_a_wait_and_names_every_page_that_was_read(
    tmp_path: Path, undone: str, rule: str, other: str
) -> None:
    days = {"2024-03-01": "hubspot_form", "2024-03-05": "set_non_marketing", "2024-03-20": undone}
    batch = pd.DataFrame({"contact_id": "1", "occurred_at": list(days), "source": list(days.values()), "asset": "F"})
    batch.to_csv(tmp_path / "touches.csv", index=False)
    page = made_from(Findings.of(Parameters(data=str(tmp_path / "touches.csv"), edition="2024-02-14"))).content
    lifecycle = mk.Rulebook.load().lifecycle
    assert lifecycle[rule].says in page and lifecycle[other].says not in page
    for reference in mk.Rulebook.load().on("2024-02-14")["import_single_object"].references:
        assert reference.title in page
    assert "manage-marketing-contacts-settings-for-your-integrations" in page and 'href=""' not in page


def test_what_is_planned_and_three_numbers_of_a_price_move_what_comes(usual: Findings) -> None:
    told = Parameters(included=2_000, step=5_000, monthly=230, actions="data/actions.yaml")
    found = Findings.of(told)
    assert found.outlook is not None and usual.outlook is not None
    assert found.prices == mk.Prices.flat(2_000, 5_000, 230) and usual.prices is None
    assert found.outlook.today == usual.outlook.today == int(found.own["marketing"].sum())  # type: ignore[index]
    together = int(found.outlook.effects.loc["all together", "marketing"])
    last, without = (each.outlook.by_day["marketing"].iloc[-1] for each in (found, usual))  # type: ignore[union-attr]
    assert together == last - without != 0
    ahead = found.numbers()["ahead"]
    assert ahead["today"] == found.outlook.today and ahead["says"] == found.outlook.says
    assert "With what is planned there are" in " ".join(ahead["says"])
    assert json.dumps(ahead)


@pytest.fixture(scope="module")
def export() -> mk.Export:
    return mk.read_export(REPOSITORY / "data" / SAMPLES[0])


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_every_page_tells_one_count_and_one_distance_from_the_tier(
    export: mk.Export, tmp_path: Path, beside: int
) -> None:
    """Above the count, at it, and below: what HubSpot counts is the one number that the tier is held against."""
    data = REPOSITORY / "data" / SAMPLES[0]
    own = int(export.contacts["status"].eq(MARKETING).sum())
    tier = own + beside
    subscription = {"commitment": "yearly", "renewal": "2027-07-01", "tier": tier}
    account = mk.Portal(subscription=subscription)
    account.save(tmp_path / "portal.yaml")
    found = Findings.of(Parameters(data=str(data), portal=str(tmp_path / "portal.yaml")))
    page = " ".join(
        section.content for section in (summary(found), ahead(found), charts(found), flip(found)) if section
    )
    said = {-1: f"1 over the tier of {tier:,}", 0: f"exactly the tier of {tier:,}", 1: f"1 below the tier of {tier:,}"}
    distances = re.findall(r"exactly the tier(?: of [\d,]+)?|[\d,]+ (?:over|below) the tier of [\d,]+", page)
    assert distances and {said[beside].startswith(each) for each in distances} == {True}
    assert re.findall(r"<dt>(?:over|below) the tier</dt><dd>([\d,]+)</dd>", page) == [str(abs(beside))]
    outlook = mk.forecast(export, account)
    assert outlook.today == found.outlook.today == found.numbers()["own"]["marketing"] == own  # type: ignore[union-attr]
    assert int(outlook.by_day["marketing"].loc["2026-10-31"]) == own and found.as_of.date() == outlook.as_of


def test_where_nothing_says_what_created_them_nothing_is_counted_by_the_rules(tmp_path: Path) -> None:
    export = pd.read_csv(REPOSITORY / "data" / SAMPLES[0], dtype=str)
    known = export[["Record ID", "Create Date", "Marketing contact status"]]
    known.to_csv(tmp_path / "contacts.csv", index=False)
    found = Findings.of(Parameters(data=str(tmp_path / "contacts.csv")))
    own = int(known["Marketing contact status"].eq("Marketing contact").sum())
    assert found.numbers()["own"]["marketing"] == own
    page = summary(found).content + charts(found).content + ahead(found).content
    assert f"HubSpot counts {own:,}" in page and "Add the properties Record source" in page
    assert "0 of 1,8" not in page and "by the rules" not in page and flip(found) is None
