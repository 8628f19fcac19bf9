"""The audit's panel without a browser: choose a file, press a button, and read what is shown and saved."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import tempfile
import zipfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from traitlets import Bunch

import marketable as mk
from firm import BOUNCED, CONTACTS, DATA, EXPORT, MARKETING, WAITING
from marketable.exports import ColumnMapping
from marketable.views import audited, choosing
from marketable.workbench import AuditPanel, Explorer
from marketable.workbench.audit import telling
from marketable.workbench.audit.chart import by_explanation

PORTAL = mk.Portal.load(DATA / "portal.yaml")
HOSTILE = ["<img src=x onerror=alert(1)>", "$x^2$", "=1+1", "two\nlines", "</pre><script>alert(1)</script>"]
FOREIGN = [
    "Nummer,Adresse,Angelegt am,Gekommen durch,Genauer,Mailstand",
    "101,a@example.com,03/04/2024 10:00,Form,Newsletter,ja bitte",
    "102,b@example.com,05/04/2024 10:00,Form,Newsletter,ja bitte",
    "103,c@example.com,06/04/2024 10:00,CRM UI,Ann,lieber nicht",
]
HEADER = "Record ID,Email,Create Date,Record source,Record source detail 1,Marketing contact status"


@pytest.fixture
def panel(tmp_path: Path) -> AuditPanel:
    made = AuditPanel()
    made.save_to.value = str(tmp_path / "saved")
    return made


@pytest.fixture
def sample(panel: AuditPanel) -> AuditPanel:
    """The panel with the audit of the sample export."""
    panel.files.choice.value = str(EXPORT)
    panel.start.click()
    assert panel.at["audit-error"].value == ""
    return panel


@pytest.fixture
def in_app(monkeypatch: pytest.MonkeyPatch) -> AuditPanel:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    return AuditPanel()


def text(widget: Any) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", widget.value)).split())


def is_shown(widget: Any) -> bool:
    return widget.layout.display != "none"


def all_of(widget: Any) -> list[Any]:
    return [widget, *(each for child in getattr(widget, "children", ()) for each in all_of(child))]


def read_paths(panel: AuditPanel, *paths: Path) -> None:
    panel.files.choice.value = choosing.BY_PATH
    panel.files.paths.value = "\n".join(map(str, paths))
    panel.files.read.click()


def upload(widget: ipywidgets.FileUpload, *files: tuple[str, bytes]) -> None:
    now = dt.datetime.now(dt.UTC)
    widget.value = tuple(
        Bunch(name=name, content=memoryview(content), type="", size=len(content), last_modified=now)
        for name, content in files
    )


def written(path: Path, rows: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(rows), encoding=encoding)
    return path


def downloaded(widget: ipywidgets.HTML) -> bytes:
    (content,) = re.findall(r'href="data:[a-z/]+;base64,([^"]*)"', widget.value)
    return b64decode(content)


# ---- the order of the steps ----


def test_nothing_is_computed_before_what_was_understood_is_shown(panel: AuditPanel) -> None:
    assert not any(map(is_shown, (panel.steps["understood"], panel.steps["account"], panel.results)))
    panel.files.choice.value = str(EXPORT)
    assert is_shown(panel.steps["understood"]) and is_shown(panel.steps["account"])
    assert panel.audit is None and not is_shown(panel.results)
    told = text(panel.at["understood"])
    assert f"{CONTACTS:,} rows read: {CONTACTS:,} contacts used, 0 rejected." in told
    for part in ("UTF-8", "comma", "English", mk.read_export(EXPORT).understood["certainty"].split(",")[0]):
        assert part in told
    panel.start.click()
    assert is_shown(panel.results) and panel.audit is not None


def test_what_was_found_goes_when_something_it_rests_on_is_changed(sample: AuditPanel) -> None:
    for change in (
        lambda: setattr(sample.account.tier, "value", 500),
        lambda: setattr(sample.account.days, "value", 30),
        lambda: setattr(sample.account.portal.choice, "value", choosing.NO_FILE),
        lambda: setattr(sample.files.choice, "value", ""),
    ):
        change()
        assert sample.audit is None and not is_shown(sample.results)
        sample.start.click()
    assert 'role="alert"' in sample.at["audit-error"].value, "no file is chosen any more"


def test_the_files_of_a_folder_are_put_together_and_so_are_several_paths(panel: AuditPanel, tmp_path: Path) -> None:
    rows = EXPORT.read_text(encoding="utf-8-sig").splitlines()
    halves = [
        written(tmp_path / f"part-{number}.csv", [rows[0], *part])
        for number, part in enumerate((rows[1:900], rows[900:]))
    ]
    for paths in ([tmp_path], halves):
        read_paths(panel, *paths)
        assert f"{CONTACTS:,} contacts used, 0 rejected." in text(panel.at["understood"])
    assert panel.export is not None and len(panel.export.contacts) == CONTACTS


# ---- the sample, whose surprises are known ----


def test_the_planted_switches_are_named_and_no_others(sample: AuditPanel) -> None:
    told = text(sample.results.at["differing"])
    assert "Switches that are not as the portal says: 2" in told
    assert "HubSpot forms: Pricing enquiry: looks on; the portal says off." in told
    assert re.search(r"Shopware: looks on since 2025-0\d-\d\d, off before; the portal says off", told)
    assert told.count("Where to look:") == 2
    assert "Settings > Integrations > Marketing contacts" in told and "the form's Options tab" in told
    assert "The other switches: 23 look as the portal says" in text(sample.results.at["others"])
    assert "CONVERSATIONS" in text(sample.results.at["remarks"])


def test_the_headline_says_how_many_against_the_tier_and_its_parts_sum_to_them(sample: AuditPanel) -> None:
    told = text(sample.results.at["headline"])
    assert f"{MARKETING} of {CONTACTS:,} contacts are marketing; {2_000 - MARKETING:,} below the tier of" in told
    parts = re.findall(
        r"(\d[\d,]*) (?:as the rules|through a switch|through what|through something|for one of|created by)", told
    )
    assert sum(int(part.replace(",", "")) for part in parts) == MARKETING
    sample.account.tier.value = 700
    sample.start.click()
    assert f"{MARKETING - 700} over the tier of 700" in text(sample.results.at["headline"])
    assert "mk-over" in sample.results.at["headline"].value


def test_the_picture_says_the_finding_and_stands_for_the_table_below(sample: AuditPanel) -> None:
    assert sample.audit is not None
    chart = by_explanation(sample.audit.counts)
    assert f" of {MARKETING} marketing contacts come from switches that are not as the portal says." in chart.alt
    assert re.search(r"as expected: \d+ marketing, \d+ non-marketing", chart.alt) and chart.png.startswith(b"\x89PNG")
    table = telling.counts(sample.audit)
    assert table.iloc[-1].tolist() == ["Total", MARKETING, CONTACTS - MARKETING, CONTACTS]


def test_the_groups_are_told_with_their_share_of_the_tier_and_of_the_price(sample: AuditPanel) -> None:
    assert "a month" not in text(sample.results.at["groups"])
    sample.account.prices.choice.value = str(DATA / "prices.yaml")
    sample.start.click()
    told = text(sample.results.at["groups"])
    assert re.search(r"made marketing by HubSpot forms: Pricing enquiry \d+ \d+ \d\.\d% \d\.\d\d", told)
    assert "EUR a month" in told and "by whole steps" in told
    assert f"hard bounced {BOUNCED}" in text(sample.results.at["mail"])
    assert re.search(r"never mailed \d+", text(sample.results.at["mail"])) and re.search(r"never mailed \d+", told)
    assert f"The {WAITING} contacts that wait for the update date are in none of these groups." in told


def test_an_export_without_columns_on_mail_says_which_to_add(panel: AuditPanel, tmp_path: Path) -> None:
    read_paths(panel, written(tmp_path / "plain.csv", [HEADER, "1,a@b.c,2024-03-01,CRM UI,Ann,Marketing contact"]))
    understood = text(panel.at["understood"])
    assert "Worth adding: " in understood and "Marketing contact status source type" in understood
    panel.start.click()
    assert "does not tell who is mailed" in text(panel.results.at["mail"])
    assert "Email hard bounce reason" in text(panel.results.at["mail"])


def test_of_contacts_that_are_new_it_is_too_early_to_tell_who_is_mailed(panel: AuditPanel, tmp_path: Path) -> None:
    header = f"{HEADER},Last marketing email send date"
    read_paths(panel, written(tmp_path / "new.csv", [header, "1,a@b.c,2025-03-01,FORM,Demo,Marketing contact,"]))
    panel.start.click()
    assert "not told, or too new to tell 1" in text(panel.results.at["mail"])
    assert "does not tell who is mailed" not in text(panel.results.at["mail"])


def test_a_tool_that_is_not_certain_is_no_reason_to_trust_an_explanation(panel: AuditPanel, tmp_path: Path) -> None:
    rows = [HEADER, "1,a@b.c,2025-03-01,CONVERSATIONS,,Non-marketing contact"]
    read_paths(panel, written(tmp_path / "chat.csv", rows))
    panel.start.click()
    panel.results.example.click()
    assert "or of a tool that is not certain." in text(panel.results.at["explanation"])


def test_myths_are_answered_by_the_contacts(sample: AuditPanel) -> None:
    told = text(sample.results.at["myths"])
    assert re.search(r"“Imports make marketing contacts.” No. Of \d+ contacts from imports", told)
    assert re.search(r"\d+ are non-marketing\.", told)
    assert f"“Setting contacts as non-marketing works at once.” No. {WAITING} contacts have been set" in told


def test_why_tells_expected_actual_explanation_trust_reason_and_touches(sample: AuditPanel) -> None:
    results = sample.results
    results.example_of.value = "a switch is not as the portal says"
    results.example.click()
    told = text(results.at["explanation"])
    assert "is marketing; expected: non-marketing. Explanation: a switch is not as the portal says." in told
    assert "How far to trust it: inferred from the other contacts" in told and "seems to have been on" in told
    assert results.at["explanation"].value.count("<li>") == len(sample.audit.likely.why(results.about.value))  # type: ignore[union-attr]
    email = sample.audit.export.emails[results.about.value]  # type: ignore[union-attr]
    results.about.value = email.upper()
    assert text(results.at["explanation"]) == told
    results.about.value = "nobody@example.com"
    assert 'role="alert"' in results.at["explanation"].value


def test_no_contact_is_named_unless_asked(sample: AuditPanel) -> None:
    assert sample.audit is not None
    shown = " ".join(
        [*(str(widget.value) for widget in all_of(sample) if isinstance(widget, ipywidgets.HTML))]
        + [str(widget.options) for widget in all_of(sample) if isinstance(widget, ipywidgets.Dropdown)]
    )
    assert not re.search(r"[\w.]@\w", shown)
    named = set(re.findall(r"\b\d{12}\b", shown))
    assert not named & set(sample.audit.contacts.index)


# ---- without a portal ----


def test_without_a_portal_every_switch_is_held_against_hubspots_default(panel: AuditPanel) -> None:
    assert is_shown(panel.account.hub)
    panel.files.choice.value = str(EXPORT)
    assert panel.account.portal.choice.label == "portal.yaml", "the samples have their portal"
    assert not is_shown(panel.account.hub)
    panel.account.portal.choice.value = choosing.NO_FILE
    assert is_shown(panel.account.hub) and is_shown(panel.account.since)
    panel.account.hub.value, panel.account.tier.value = "enterprise", 1000
    panel.start.click()
    assert "a switch is not as HubSpot delivers it" in text(panel.results.at["counts"])
    told = text(panel.results.at["differing"])
    assert "Switches that are not as HubSpot delivers it" in told and "Demo request: looks off" in told
    assert panel.audit is not None and panel.audit.portal.subscription.hub == "enterprise"
    assert f"{1_000 - MARKETING} below the tier of 1,000" in text(panel.results.at["headline"])
    assert "a switch is not as HubSpot delivers it" in panel.results.contents()["counts.csv"].decode("utf-8-sig")


def test_without_a_portal_the_day_of_access_and_the_time_zone_can_be_told(sample: AuditPanel) -> None:
    account = sample.account
    account.portal.choice.value = choosing.NO_FILE
    account.since.value, account.zone.value = dt.date(2022, 3, 1), "Europe/Berlin"
    sample.start.click()
    assert sample.audit is not None
    assert sample.audit.portal.access_since == dt.date(2022, 3, 1) and "older than access" in sample.audit.counts.index
    account.zone.value = "Berlin"
    sample.start.click()
    assert "There is no such time zone" in text(sample.at["audit-error"]) and sample.audit is None


def test_a_portal_that_does_not_name_the_day_of_access_is_asked_for_it(sample: AuditPanel, tmp_path: Path) -> None:
    account, missing = sample.account, "contacts from before that day may be explained wrongly"
    assert not is_shown(account.since) and account.note.value == "", "the portal of the samples names it"
    PORTAL.model_copy(update={"access_since": None}).save(tmp_path / "portal.yaml")
    account.portal.choice.value = choosing.BY_PATH
    assert not is_shown(account.since), "there is no portal yet that does not say"
    account.portal.path.value = str(tmp_path / "portal.yaml")
    assert is_shown(account.since) and not is_shown(account.zone) and missing in text(account.note)
    account.since.value = PORTAL.access_since
    assert account.note.value == ""
    sample.start.click()
    assert sample.audit is not None and sample.audit.given == PORTAL
    assert "older than access" in sample.audit.counts.index
    account.portal.choice.value = choosing.NO_FILE
    assert is_shown(account.since) and account.note.value == ""
    account.since.value = None
    assert missing in text(account.note)


def test_a_portal_that_cannot_be_read_is_not_replaced_by_another(sample: AuditPanel, tmp_path: Path) -> None:
    choice = sample.account.portal
    choice.choice.value = choosing.BY_PATH
    sample.start.click()
    assert "No portal has been read yet" in text(sample.at["audit-error"]) and sample.audit is None
    (tmp_path / "bad.yaml").write_text("time_zone: Berlin")
    choice.path.value = f'"{tmp_path / "bad.yaml"}"'
    assert "There is no such time zone" in text(sample.at["audit-error"])
    sample.start.click()
    assert "No portal has been read yet" in text(sample.at["audit-error"]) and sample.audit is None


# ---- a mapping ----


def test_columns_and_values_that_are_not_known_are_told_by_hand_and_the_mapping_is_saved_and_used_again(
    panel: AuditPanel, tmp_path: Path
) -> None:
    path = written(tmp_path / "fremd.csv", FOREIGN)
    read_paths(panel, path)
    assert 'role="alert"' in panel.at["error"].value and is_shown(panel.steps["mapping"])
    assert not is_shown(panel.steps["account"])
    for fact, column in {
        "record_id": "Nummer",
        "email": "Adresse",
        "created_at": "Angelegt am",
        "record_source": "Gekommen durch",
        "record_source_detail": "Genauer",
        "status": "Mailstand",
    }.items():
        panel.mapping.columns[fact].value = column
    panel.mapping.use_it.click()
    assert "day" in panel.at["error"].value and "month" in panel.at["error"].value, (
        "the order of day and month cannot be told"
    )
    panel.mapping.dates.value = "day first"
    panel.mapping.use_it.click()
    assert "0 contacts used, 3 rejected" in text(panel.at["understood"]) and is_shown(panel.steps["mapping"])
    assert "This is no status" in text(panel.at["rejected"])
    panel.mapping.values["status", "ja bitte"].value = "marketing"
    panel.mapping.values["status", "lieber nicht"].value = "non-marketing"
    panel.mapping.use_it.click()
    assert "3 contacts used, 0 rejected" in text(panel.at["understood"]) and not is_shown(panel.steps["mapping"])
    assert panel.export is not None
    assert panel.export.contacts["created_at"].dt.strftime("%m-%d").tolist() == ["04-03", "04-05", "04-06"]
    panel.mapping.save_it.click()
    saved = ColumnMapping.load(tmp_path / "saved" / "mapping.yaml")
    assert saved.dates == "day first" and saved.columns["status"] == ("Mailstand",)
    assert mk.read_export(path, mapping=saved).contacts["status"].tolist() == ["marketing"] * 2 + ["non-marketing"]


def test_words_for_yes_and_no_are_told_once_for_all_columns_by_column_and_word(
    panel: AuditPanel, tmp_path: Path
) -> None:
    header = f"{HEADER},Marketing contact until next update,Unsubscribed from all email"
    rows = [
        f"{number},{number}@b.c,2024-03-01,Form,News,{marketing},stimmt nicht,{unsubscribed}"
        for number, (marketing, unsubscribed) in enumerate(
            [("stimmt", "stimmt nicht"), ("stimmt", "stimmt"), ("stimmt nicht", "stimmt")]
        )
    ]
    read_paths(panel, written(tmp_path / "excel.csv", [header, *rows]))
    assert "0 contacts used" in text(panel.at["understood"]) and is_shown(panel.steps["mapping"])
    labels = {field.description for field in panel.mapping.values.values()}
    two = "Marketing contact until next update and Unsubscribed from all email"
    assert labels == {
        "Marketing contact status: stimmt",
        "Marketing contact status: stimmt nicht",
        f"{two}: stimmt nicht",
        "Unsubscribed from all email: stimmt",
    }
    panel.mapping.use_it.click()
    assert is_shown(panel.steps["mapping"]), "there is no other way on"
    for (fact, word), field in panel.mapping.values.items():
        meanings = ("marketing", "non-marketing") if fact == "status" else ("yes", "no")
        field.value = meanings[word != "stimmt"]
    panel.mapping.use_it.click()
    assert "3 contacts used, 0 rejected" in text(panel.at["understood"]) and not is_shown(panel.steps["mapping"])
    assert panel.export is not None and panel.export.details["unsubscribed"].tolist() == [False, True, True]


def test_a_word_for_yes_that_is_not_known_is_asked_for_though_its_row_is_used(
    panel: AuditPanel, tmp_path: Path
) -> None:
    header, row = f"{HEADER},Unsubscribed from all email", "2024-03-01,Form,News,Marketing contact"
    read_paths(panel, written(tmp_path / "wahr.csv", [header, f"1,a@b.c,{row},stimmt", f"2,d@e.f,{row},No"]))
    assert "2 contacts used, 0 rejected" in text(panel.at["understood"]) and is_shown(panel.steps["account"])
    assert is_shown(panel.steps["mapping"]) and "Unsubscribed from all email: stimmt" in text(panel.at["unknown"])
    panel.mapping.values["unsubscribed", "stimmt"].value = "yes"
    panel.mapping.use_it.click()
    assert panel.export is not None and panel.export.details["unsubscribed"].tolist() == [True, False]
    assert not is_shown(panel.steps["mapping"]) and panel.at["unknown"].value == ""


def test_words_for_what_created_a_contact_are_told_by_hand_too(panel: AuditPanel, tmp_path: Path) -> None:
    rows = [
        HEADER,
        *[f"{number},,2024-03-01,Formular,Newsletter,Marketing contact" for number in (1, 2)],
        "3,,2024-03-01,Formular,#footer,Marketing contact",
        "4,,2024-03-01,Gespräche,,Non-marketing contact",
    ]
    read_paths(panel, written(tmp_path / "deutsch.csv", rows))
    assert "Record source: Formular (3 rows), Gespräche (1 row)" in text(panel.at["unknown"])
    assert is_shown(panel.steps["mapping"]) and is_shown(panel.steps["account"]), "but nobody has to"
    assert not is_shown(panel.mapping.of_columns), "the columns are known"
    panel.change.click()
    assert is_shown(panel.mapping.of_columns)
    field = panel.mapping.recorded["Formular"]
    assert field.description == "Record source: Formular (3 rows)"
    field.value = dict(field.options)["HubSpot forms (FORM)"]
    panel.mapping.use_it.click()
    assert panel.export is not None
    assert panel.export.contacts["source"].tolist() == ["hubspot_form"] * 2 + ["non_hubspot_form", "not covered"]
    assert "Gespräche" in text(panel.at["unknown"]) and "Formular" not in text(panel.at["unknown"])
    panel.keep.click()
    assert "Formular" in (tmp_path / "saved" / "mapping.yaml").read_text()
    assert mk.read_export(tmp_path / "deutsch.csv", mapping=tmp_path / "saved" / "mapping.yaml").contacts.equals(
        panel.export.contacts
    )


def test_what_was_said_of_a_word_can_be_changed_and_what_is_in_use_is_saved(panel: AuditPanel, tmp_path: Path) -> None:
    row = "1,a@b.c,2024-03-01,Formular,Newsletter,jawohl"
    read_paths(panel, written(tmp_path / "deutsch.csv", [HEADER, row]))
    assert not is_shown(panel.keep), "nothing was said yet"
    panel.mapping.values["status", "jawohl"].value, panel.mapping.recorded["Formular"].value = "non-marketing", "IMPORT"
    panel.mapping.use_it.click()
    assert not is_shown(panel.steps["mapping"])
    panel.change.click()
    said = panel.mapping.values["status", "jawohl"], panel.mapping.recorded["Formular"]
    assert [field.value for field in said] == ["non-marketing", "IMPORT"]
    said[0].value, said[1].value = "marketing", "FORM"
    panel.mapping.use_it.click()
    assert panel.export is not None
    assert panel.export.contacts[["source", "status"]].values.tolist() == [["hubspot_form", "marketing"]]
    panel.keep.click()
    assert ColumnMapping.load(tmp_path / "saved" / "mapping.yaml") == ColumnMapping(
        values={"marketing": "jawohl"}, recorded={"FORM": "Formular"}
    )


def test_what_the_export_lacks_may_be_in_it_under_another_name_and_all_such_columns_can_be_seen(
    panel: AuditPanel, tmp_path: Path
) -> None:
    others = [f"Eigenes Feld {number}" for number in range(1, 31)]
    row = "1,a@b.c,2024-03-01,Form,News,Marketing contact"
    path = written(tmp_path / "many.csv", [f"{HEADER},{','.join(others)}", f"{row}{',x' * 30}"])
    read_paths(panel, path)
    assert "under another name, say so under “Change what was taken for what”" in text(panel.at["understood"])
    assert "Eigenes Feld 30" not in text(panel.at["understood"])
    panel.columns.value = True
    assert all(other in text(panel.at["left-out"]) for other in others) and "Record ID" not in text(
        panel.at["left-out"]
    )
    read_paths(panel, written(tmp_path / "few.csv", [HEADER, row]))
    assert "under another name" not in text(panel.at["understood"]), "there is no column that it could be"
    assert not is_shown(panel.columns) and panel.at["left-out"].value == ""


def test_a_saved_mapping_is_offered_and_used(tmp_path: Path) -> None:
    ColumnMapping(columns={"created_at": ["Angelegt am"], "email": ["Adresse"]}, dates="day first").save(
        tmp_path / "ours.yaml"
    )
    written(tmp_path / "fremd.csv", FOREIGN)
    panel = AuditPanel(tmp_path)
    panel.files.choice.value = str(tmp_path / "fremd.csv")
    assert "ours.yaml" in dict(panel.mapping.saved.options)
    panel.mapping.saved.value = str(tmp_path / "ours.yaml")
    assert panel.at["error"].value == "" and "3 contacts used" in text(panel.at["understood"])


def test_the_saved_mapping_is_used_for_the_next_file_too(tmp_path: Path) -> None:
    own = {"created_at": ["Angelegt am"], "email": ["Adresse"]}
    ColumnMapping(columns=own, dates="day first").save(tmp_path / "ours.yaml")
    for name in ("first.csv", "second.csv"):
        written(tmp_path / name, FOREIGN)
    panel = AuditPanel(tmp_path)
    for name in ("first.csv", "second.csv"):
        panel.files.choice.value = str(tmp_path / name)
        assert panel.export is None
        panel.mapping.saved.value = str(tmp_path / "ours.yaml")
        assert panel.export is not None and len(panel.export.contacts) == 3


def test_addresses_where_yes_or_no_should_stand_are_told_and_not_shown(panel: AuditPanel, tmp_path: Path) -> None:
    rows = [f"{HEADER},Unsubscribed from all email", "1,a@b.c,2024-03-01,CRM UI,Ann,Marketing contact,x@y.z"]
    read_paths(panel, written(tmp_path / "some.csv", rows))
    assert "Not known: Unsubscribed from all email: … (1). These cells count as blank" in text(panel.at["unknown"])
    assert not is_shown(panel.steps["mapping"])


def test_one_column_for_two_facts_is_refused_and_changes_nothing(panel: AuditPanel) -> None:
    panel.files.choice.value = str(EXPORT)
    panel.change.click()
    before = panel.export
    panel.mapping.columns["mailed_at"].value = "Create Date"
    panel.mapping.use_it.click()
    assert "stands for" in text(panel.at["error"]) and panel.export is before


def test_what_is_no_table_says_so_and_offers_no_mapping(panel: AuditPanel, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    read_paths(panel, tmp_path / "empty.csv")
    assert 'role="alert"' in panel.at["error"].value and not is_shown(panel.steps["mapping"])
    read_paths(panel, tmp_path / "missing.csv")
    assert "missing.csv" in text(panel.at["error"])


# ---- rejected rows ----


def test_rejected_rows_are_counted_by_reason_and_shown_and_saved_on_request(panel: AuditPanel, tmp_path: Path) -> None:
    rows = [
        HEADER,
        "1,a@b.c,2024-03-01,CRM UI,Ann,Marketing contact",
        *["1,a@b.c,2024-03-01,CRM UI,Ann,"] * 2,
        "2,,x,,,",
    ]
    read_paths(panel, written(tmp_path / "some.csv", rows))
    assert "4 rows read: 1 contact used, 2 repeat a contact and are not needed, 1 rejected." in text(
        panel.at["understood"]
    )
    assert "2 The contact stands already in another row" in text(panel.at["rejected"])
    assert panel.at["rejected-rows"].value == ""
    panel.rows.value = True
    assert "stands already in row 2" in text(panel.at["rejected-rows"])
    panel.save_rows.click()
    assert len(pd.read_csv(tmp_path / "saved" / "rejected-rows.csv")) == 3


# ---- saving ----


def test_the_portal_that_is_saved_has_the_switches_as_they_seem_to_have_been(
    sample: AuditPanel, tmp_path: Path
) -> None:
    sample.results.save_portal.click()
    portal = mk.Portal.load(tmp_path / "saved" / "portal.yaml")
    assert portal == sample.audit.portal  # type: ignore[union-attr]
    assert portal.is_on("hubspot_form/Pricing enquiry") and portal.is_on("integration/Shopware")
    assert "Pricing enquiry: on" in text(sample.results.at["portal"])


def test_the_ids_of_a_group_are_saved_and_addresses_only_where_they_are_asked_for(
    sample: AuditPanel, tmp_path: Path
) -> None:
    sample.results.group.value = "made marketing by integration/Shopware"
    assert "Settings > Integrations" in text(sample.results.at["advice"])
    saved = tmp_path / "saved" / "made-marketing-by-integration-shopware.csv"
    sample.results.save_group.click()
    ids = pd.read_csv(saved, dtype=str)
    (shown,) = re.findall(r"made marketing by Integrations and API: Shopware (\d+)", text(sample.results.at["groups"]))
    assert list(ids) == ["Record ID"] and len(ids) == int(shown)
    assert f"{shown} contacts" in text(sample.results.at["group-saved"])
    sample.results.addresses.value = True
    assert sample.results.at["group-saved"].value == "", "what was saved held no addresses"
    sample.results.save_group.click()
    assert list(pd.read_csv(saved, dtype=str)) == ["Record ID", "Email"]


def test_each_group_has_a_file_of_its_own_whatever_the_script_of_its_name(panel: AuditPanel, tmp_path: Path) -> None:
    apps = ["在庫管理", "顧客管理", "Größe", "Gr e", "長" * 100, "長" * 100 + "い", "../up"]
    rows = [
        f"{number}{at},,2024-03-{number:02},Integration,{app},Marketing contact"
        for at, app in enumerate(apps)
        for number in range(1, 21)
    ]
    read_paths(panel, written(tmp_path / "apps.csv", [HEADER, *rows]))
    panel.start.click()
    for _, name in panel.results.group.options:
        panel.results.group.value = name
        panel.results.save_group.click()
    saved = {path.stem: len(path.read_text("utf-8-sig").split()) for path in (tmp_path / "saved").glob("*.csv")}
    assert {"made-marketing-by-integration-在庫管理", "made-marketing-by-integration-up"} <= set(saved)
    assert len(saved) == len(apps) and sum(saved.values()) == len(apps) * 22  # two words of a header, and 20 ids
    assert all(re.fullmatch(r"[\w-]{1,83}", name) and len(name.encode()) <= 200 for name in saved)


def test_the_whole_audit_is_saved_and_contacts_only_where_they_are_asked_for(
    sample: AuditPanel, tmp_path: Path
) -> None:
    folder = tmp_path / "saved" / "audit"
    sample.results.save_all.click()
    files = {path.name for path in folder.iterdir()}
    assert files == {"counts.csv", "switches.csv", "groups.csv", "portal.yaml"}
    switches = pd.read_csv(folder / "switches.csv")
    assert switches[switches["differs"]]["switch"].tolist() == [
        "hubspot_form/Pricing enquiry",
        "integration/Shopware",
    ]
    assert not re.search(r"\w@\w", "".join(path.read_text() for path in folder.iterdir()))
    sample.results.contacts.value = True
    sample.results.save_all.click()
    assert len(pd.read_csv(folder / "contacts.csv")) == CONTACTS


# ---- in the app ----


def test_a_portal_that_was_saved_before_is_kept_under_another_name(sample: AuditPanel, tmp_path: Path) -> None:
    (saved := tmp_path / "saved").mkdir()
    for name, content in (("portal.yaml", "# mine"), ("portal-1.yaml", "# older")):
        (saved / name).write_text(content)
    sample.results.save_portal.click()
    assert "What portal.yaml was before is now portal-2.yaml." in text(sample.results.at["portal-saved"])
    sample.results.save_portal.click()
    assert "before" not in text(sample.results.at["portal-saved"]), "it says the same already"
    assert sample.audit is not None
    assert {path.name: path.read_text() for path in saved.iterdir()} == {
        "portal.yaml": sample.audit.portal_text,
        "portal-1.yaml": "# older",
        "portal-2.yaml": "# mine",
    }


def test_in_the_app_files_come_by_upload_leave_by_download_and_no_path_is_read_or_written(
    in_app: AuditPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for choice in (in_app.files.choice, in_app.account.portal.choice, in_app.account.prices.choice):
        assert not [label for label, _ in choice.options if "path" in label]
    assert in_app.save_to not in all_of(in_app)
    in_app.save_to.value = str(tmp_path / "elsewhere")
    in_app.files.paths.value = str(EXPORT)
    in_app.files.read.click()  # neither can be seen, but a browser may send what it likes
    assert in_app.export is None
    in_app.files.choice.value = choosing.UPLOAD
    upload(in_app.files.upload, (EXPORT.name, EXPORT.read_bytes()))
    assert in_app.files.upload.value == (), "an upload is not kept, so that it cannot be saved with the notebook"
    assert f"{CONTACTS:,} contacts used" in text(in_app.at["understood"])
    assert not list(Path(tempfile.gettempdir()).glob("marketable-*/hubspot-crm-exports-*")), (
        "it is in no folder any more"
    )
    assert in_app.account.portal.choice.value == choosing.NO_FILE, "an upload is nobody's of the samples"
    in_app.account.portal.choice.value = str(DATA / "portal.yaml")
    in_app.start.click()
    in_app.results.save_portal.click()
    portal = mk.Portal.of_text(downloaded(in_app.results.at["portal-saved"]).decode())
    assert portal.is_on("hubspot_form/Pricing enquiry")
    in_app.results.save_all.click()
    with zipfile.ZipFile(io.BytesIO(downloaded(in_app.results.at["all-saved"]))) as archive:
        assert set(archive.namelist()) == {"counts.csv", "switches.csv", "groups.csv", "portal.yaml"}
    assert list(tmp_path.iterdir()) == []


def test_uploads_are_put_together_whatever_they_are_called(in_app: AuditPanel) -> None:
    row = "{},{}@b.c,2024-03-01,CRM UI,Ann,Marketing contact"
    files = [
        (name, "\n".join([HEADER, row.format(number, number)]).encode())
        for number, name in enumerate(["../../etc/a.csv", "C:\\b\\a.csv", "nul\0.csv", "ü" * 200 + ".csv", ".csv"])
    ]
    upload(in_app.files.upload, *files)
    assert in_app.at["error"].value == "" and "5 contacts used, 0 rejected" in text(in_app.at["understood"])
    upload(in_app.files.upload, ("page.html", b"<html>"))
    assert "Files of this kind are not read" in text(in_app.at["error"]) and in_app.export is None
    upload(in_app.files.upload, ("huge.csv", b"x" * (choosing.UPLOAD_LIMIT + 1)))
    assert "too large to upload" in text(in_app.at["error"])


def test_settings_are_uploaded_in_the_app(in_app: AuditPanel) -> None:
    in_app.account.portal.choice.value = choosing.UPLOAD
    upload(in_app.account.portal.upload, ("mine.yaml", b"subscription: {tier: 321}"))
    assert in_app.account.tier.value == 321 and in_app.account.account.portal.subscription.tier == 321
    in_app.account.prices.choice.value = choosing.UPLOAD
    upload(in_app.account.prices.upload, ("prices.yaml", (DATA / "prices.yaml").read_bytes()))
    assert in_app.account.account.prices == mk.Prices.load(DATA / "prices.yaml")
    upload(in_app.account.prices.upload, ("prices.yaml", b"\xff\xfe\x00"))
    assert 'role="alert"' in in_app.at["audit-error"].value


# ---- hostile text ----


@pytest.mark.parametrize("name", HOSTILE)
def test_text_from_data_is_text_everywhere(panel: AuditPanel, tmp_path: Path, name: str) -> None:
    rows = [
        {
            "Record ID": f"{number}",
            "Email": f"{number}@b.c",
            "Create Date": f"2024-03-{number:02}",
            "Record source": "Integration",
            "Record source detail 1": name,
            "Marketing contact status": "Marketing contact" if number < 28 else name,
            name: "x",
        }
        for number in range(1, 30)
    ]
    path = tmp_path / f"{name.replace('/', '')}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    read_paths(panel, path) if "\n" not in name else upload(panel.files.upload, (path.name, path.read_bytes()))
    assert is_shown(panel.steps["mapping"]), "the value is no status"
    panel.rows.value = panel.mapping.examples.value = True
    panel.start.click()
    assert panel.at["audit-error"].value == ""
    results = panel.results
    results.example_of.value = "a switch is not as the portal says"
    results.example.click()
    results.save_all.click()
    widgets = all_of(panel)
    shown = [widget.value for widget in widgets if isinstance(widget, ipywidgets.HTML)]
    assert any(html.escape(name.split("\n")[0]) in each for each in shown)
    assert not any("<img src=x" in each or "<script" in each for each in shown)
    assert not any(getattr(widget, "description_allow_html", False) for widget in widgets)
    assert not any("$x^2$" in getattr(widget, "description", "") for widget in widgets)
    assert audited.portal(panel.audit).count("</pre>") == 1  # type: ignore[arg-type]
    for file in ("switches.csv", "groups.csv"):
        for row in pd.read_csv(tmp_path / "saved" / "audit" / file, dtype=str, keep_default_na=False).to_numpy():
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


# ---- for everybody ----


def test_every_input_has_a_label(sample: AuditPanel) -> None:
    sample.change.click()
    inputs = (ipywidgets.Text, ipywidgets.Textarea, ipywidgets.BoundedIntText, ipywidgets.Dropdown)
    inputs = (*inputs, ipywidgets.Checkbox, ipywidgets.Button, ipywidgets.FileUpload)
    for widget in all_of(sample):
        if isinstance(widget, inputs):
            assert widget.description.strip(), widget


def test_the_notebooks_saved_text_holds_nothing_of_the_data(sample: AuditPanel) -> None:
    assert repr(sample) == "AuditPanel"


# ---- the explorer starts from it ----


def test_the_explorer_offers_portals_only_and_first_the_one_that_an_audit_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "SAVED", tmp_path)
    assert [name for name, _ in Explorer().account.choice.options][:-2] == ["portal.yaml"]
    mk.Portal(switches={"hubspot_form": {"Newsletter": "off"}}).save(tmp_path / "portal.yaml")
    ColumnMapping(dates="day first").save(tmp_path / "mapping.yaml")
    explorer = Explorer()
    assert [name for name, _ in explorer.account.choice.options][:-2] == ["saved/portal.yaml", "portal.yaml"]
    assert explorer.portal.is_on("hubspot_form/Newsletter") is False
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert [name for name, _ in Explorer().account.choice.options][:-2] == ["portal.yaml"]
