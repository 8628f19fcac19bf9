"""The explorer without a browser: set a widget, and look at what it shows."""

from __future__ import annotations

import datetime as dt
import html
import re
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from traitlets import Bunch

import marketable as mk
from batches import settings_of
from firm import CONTACTS
from marketable.exports import ColumnMapping
from marketable.views import charts, choosing, switch_list
from marketable.views.tables import csv, html_table
from marketable.workbench import Explorer, explorer
from reference import reference_decide

DATA = explorer.DATA
EXPORT = next(DATA.glob("hubspot-crm-exports-*.csv"))
HOSTILE = "<img src=x onerror=alert(1)>\"'&=1+1"


@pytest.fixture
def view() -> Explorer:
    made = Explorer()
    made.batch.value = str(DATA / "touches.csv")
    return made


def reference_counts(touches: pd.DataFrame, portal: mk.Portal) -> dict[str, int]:
    """Contacts by status, by the slow reference."""
    rows = touches.astype({"source": str, "asset": str}).to_dict("records")
    outcome = reference_decide(
        [row | {"occurred_at": row["occurred_at"].to_pydatetime()} for row in rows], settings_of(portal)
    )
    found = [contact["status"] for contact in outcome.contacts.values()]
    return {status: found.count(status) for status in ("marketing", "non-marketing", "not covered")}


def upload(widget: ipywidgets.FileUpload, name: str, content: bytes) -> None:
    file = Bunch(name=name, type="", size=len(content), content=memoryview(content), last_modified=pd.Timestamp.now())
    widget.value = (file,)


def is_shown(widget: ipywidgets.Widget) -> bool:
    return bool(widget.layout.display != "none")


def headline(view: Explorer) -> str:
    return html.unescape(re.sub("<[^>]*>", " ", view.at["headline"].value))


def test_the_headline_and_the_table_show_what_the_slow_reference_computes(view: Explorer) -> None:
    expected = reference_counts(view.touches, view.portal)
    assert f"{expected['marketing']:,} of {sum(expected.values()):,} contacts are marketing" in headline(view)
    assert view.counts.iloc[-1]["marketing"] == expected["marketing"]
    assert view.counts.iloc[-1]["not covered"] == expected["not covered"]


def test_a_flip_shows_what_the_slow_reference_computes_for_the_changed_portal(view: Explorer) -> None:
    before = reference_counts(view.touches, view.portal)["marketing"]
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    expected = reference_counts(view.touches, view.portal)["marketing"]
    assert expected < before
    assert f"{expected:,} of" in headline(view)
    assert f"{before - expected:,} fewer than the baseline" in headline(view)
    sole = view.what_if.switches.loc["hubspot_form/Newsletter", "sole"]
    assert sole == before - expected


def test_the_explorer_reads_an_export_and_says_what_the_export_itself_says(view: Explorer) -> None:
    view.batch.value = str(EXPORT)
    expected = reference_counts(view.touches, view.portal)
    assert f"{expected['marketing']:,} of {sum(expected.values()):,} contacts" in headline(view)
    actual = (mk.read_export(EXPORT).contacts["status"] == "marketing").sum()
    assert (
        headline(view).split("By the rules")[0].split()
        == (
            f"HubSpot counts {actual:,} of {sum(expected.values()):,} contacts as marketing; "
            f"{2_000 - actual:,} below the tier of 2,000."
        ).split()
    )


def test_baseline_all_on_and_all_off_set_every_switch(view: Explorer) -> None:
    own = {name: box.value for name, (box, _) in view.switches.rows.items()}
    view.all_on.click()
    assert all(box.value for box, _ in view.switches.rows.values())
    most = view.outcome.counts()["marketing"]
    view.all_off.click()
    assert not any(box.value for box, _ in view.switches.rows.values())
    assert view.outcome.counts()["marketing"] < view.baseline.counts()["marketing"] < most
    view.to_baseline.click()
    assert {name: box.value for name, (box, _) in view.switches.rows.items()} == own
    assert "the same as the baseline" in headline(view)
    assert view.portal == mk.Portal.load(DATA / "portal.yaml")


def test_a_switch_that_is_flipped_and_flipped_back_has_its_history_again(view: Explorer) -> None:
    box = view.switches.rows["integration/Eventbrite"][0]
    box.value = not box.value
    assert len(view.portal.switches["integration/Eventbrite"]) == 1
    box.value = not box.value
    assert len(view.portal.switches["integration/Eventbrite"]) == 2


def test_flips_count_from_the_chosen_day_and_what_was_before_stays(view: Explorer) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    from_the_beginning = reference_counts(view.touches, view.portal)["marketing"]
    view.since.value = dt.date(2025, 6, 1)
    since_june = reference_counts(view.touches, view.portal)["marketing"]
    before = view.baseline.counts()["marketing"]
    assert from_the_beginning < since_june < before
    assert f"{since_june:,} of" in headline(view)
    assert view.portal.switches["hubspot_form/Newsletter"][-1].since == dt.datetime(2025, 6, 1)


def test_the_plan_is_found_applied_and_undone(view: Explorer) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    before = headline(view)
    view.plan.limit.value = 300
    view.plan.find.click()
    assert "300" in view.plan.answer.value and 'role="alert"' not in view.plan.answer.value
    view.plan.apply.click()
    planned = view.what_if.plan(300)
    assert view.flips == planned.flips and planned.within
    assert reference_counts(view.touches, view.portal)["marketing"] == planned.marketing <= 300
    assert f"{planned.marketing:,} of" in headline(view)
    view.plan.undo.click()
    assert headline(view) == before and view.flips == {"hubspot_form/Newsletter": False}


def test_the_plan_leaves_alone_what_it_is_told_to(view: Explorer) -> None:
    view.plan.limit.value = 300
    view.plan.find.click()
    turned_off = next(iter(view.plan.plan.flips))
    view.plan.keep.value = (turned_off,)
    view.plan.find.click()
    assert turned_off not in view.plan.plan.flips
    view.plan.limit.value = 0
    view.plan.find.click()
    assert "cannot be met" in view.plan.answer.value


def test_a_plan_that_answered_another_question_is_gone(view: Explorer) -> None:
    for change in ({"limit": 250}, {"turn_on": True}, {"keep": ("hubspot_form/Newsletter",)}):
        view.plan.find.click()
        assert view.plan.answer.value and not view.plan.find.disabled
        for name, value in change.items():
            getattr(view.plan, name).value = value
        assert view.plan.answer.value == "" and view.plan.apply.disabled


def test_a_plan_is_applied_again_after_the_baseline_and_not_undone_after_other_flips(view: Explorer) -> None:
    view.plan.limit.value = 300
    view.plan.find.click()
    view.plan.apply.click()
    assert view.plan.apply.disabled and not view.plan.undo.disabled
    view.to_baseline.click()
    assert not view.plan.apply.disabled and view.plan.undo.disabled
    view.plan.apply.click()
    box = next(box for name, (box, _) in view.switches.rows.items() if name not in view.flips)
    box.value = not box.value
    assert view.plan.undo.disabled and len(view.flips) == len(view.plan.plan.flips) + 1


def test_all_on_and_all_off_set_what_the_search_finds(view: Explorer) -> None:
    view.switches.search.value = "webinar"
    view.all_off.click()
    assert view.flips and all("Webinar" in name for name in view.flips)
    view.batch.value = "made-up"
    assert view.switches.search.value == ""


def test_a_limit_that_is_typed_stays_until_the_tier_changes(view: Explorer) -> None:
    view.plan.limit.value = 77
    view.edition.value = view.edition.options[-1][1]
    assert view.plan.limit.value == 77


def test_a_tier_that_is_typed_is_the_limit_of_the_plan(view: Explorer) -> None:
    view.tier.value = 321
    assert view.plan.limit.value == 321


def test_the_credits_are_drawn_and_sum_with_what_no_switch_changes_to_the_headline(view: Explorer) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    credit = view.what_if.switches_after(view.flips)["credit"].sum()
    assert round(credit + view.what_if.always) == view.what_if.counts(view.flips)["marketing"]
    assert 'class="mk-chart"' in view.at["credit-chart"].value


def test_search_narrows_the_switches_and_keeps_the_flips(view: Explorer) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    view.switches.search.value = "webinar"
    assert view.switches.rows and all("Webinar" in name for name in view.switches.rows)
    view.switches.search.value = ""
    assert view.switches.rows["hubspot_form/Newsletter"][0].value is False


def test_of_very_many_switches_those_that_reach_the_most_are_shown_and_the_rest_is_counted(
    view: Explorer, tmp_path: Path
) -> None:
    forms = [f"Form {number}" for number in range(600) for _ in range(1 + number % 3)]
    path = tmp_path / "forms.csv"
    columns = {"contact_id": range(len(forms)), "occurred_at": "2025-01-01", "source": "hubspot_form", "asset": forms}
    pd.DataFrame(columns).to_csv(path, index=False)
    view.batch.value = "path"
    view.path.value = str(path)
    assert len(view.switches.rows) == switch_list.MOST
    assert f"{switch_list.MOST} that reach the most contacts, of 6" in view.switches.note.value
    view.switches.search.value = "Form 599"
    assert list(view.switches.rows) == ["hubspot_form/Form 599"]


def test_why_tells_a_contacts_touches_with_their_explanations(view: Explorer) -> None:
    view.example_of.value = "hubspot_form/Newsletter"
    view.example.click()
    assert view.contact.value in set(view.touches["contact_id"])
    assert "Newsletter" in view.at["explanation"].value and "trust H" in view.at["explanation"].value
    view.contact.value = "nobody@example.com"
    assert 'role="alert"' in view.at["explanation"].value and "no such contact" in view.at["explanation"].value


def test_a_contact_of_an_export_is_found_by_its_e_mail_and_hubspots_own_status_is_told(view: Explorer) -> None:
    view.batch.value = str(EXPORT)
    export = mk.read_export(EXPORT)
    decided = view.outcome.contacts["status"].astype(str)
    actual = export.contacts["status"].astype(str).reindex(decided.index)
    other = decided.index[(decided == "non-marketing") & (actual == "marketing")][0]
    view.contact.value = export.emails[other].upper()
    assert f"{other} is non-marketing" in view.at["explanation"].value
    assert "The export says marketing" in view.at["explanation"].value


def test_another_example_is_shown_each_time(view: Explorer) -> None:
    shown = []
    for _ in range(3):
        view.example.click()
        shown.append(view.contact.value)
    assert len(set(shown)) == 3


def test_flips_are_kept_when_the_batch_changes_and_dropped_with_the_portal(view: Explorer) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    view.batch.value = "made-up"
    assert view.switches.rows["hubspot_form/Newsletter"][0].value is False
    assert "fewer than the baseline" in headline(view)
    view.account.choice.value = "none"
    assert view.switches.rows["hubspot_form/Newsletter"][0].value is True


def test_the_message_names_the_portal_that_is_applied(view: Explorer, tmp_path: Path) -> None:
    mk.Portal().save(tmp_path / "mine.yaml")
    own = view.account.choice.value
    view.account.choice.value = "path"
    view.account.path.value = str(tmp_path / "mine.yaml")
    assert "under mine.yaml" in view.at["message"].value
    view.account.choice.value = own
    assert "under portal.yaml" in view.at["message"].value


def test_searching_and_choosing_batches_leaves_no_widgets_behind(view: Explorer) -> None:
    def models() -> int:
        view.batch.value = str(EXPORT)
        view.switches.search.value = "webinar"
        view.switches.search.value = ""
        view.batch.value = str(DATA / "touches.csv")
        return len(ipywidgets.widgets.widget._instances)

    assert models() == models()


def test_an_export_without_record_sources_says_which_column_to_add(view: Explorer, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("Record ID,Create Date\n1,2024-03-01 10:00\n")
    view.account.choice.value = "none"
    view.batch.value = "path"
    view.path.value = str(path)
    assert view.at["error"].value == ""
    assert "What created the contacts is not told" in headline(view) and "is marketing" not in headline(view)
    assert "Record source" in headline(view)


def test_an_own_file_is_judged_by_no_made_up_account_unless_it_is_asked_for(view: Explorer, tmp_path: Path) -> None:
    path = tmp_path / "touches.csv"
    path.write_text("contact_id,occurred_at,source,asset\n1,2026-03-01 10:00,hubspot_form,Demo request\n")
    assert view.tier.value == 2_000
    view.batch.value = "path"
    view.path.value = str(path)
    assert "1 of 1 contact is marketing" in headline(view), "the made-up firm has this form off"
    assert view.tier.value == 0 and "under switches at their defaults" in view.at["message"].value
    view.account.choice.value = str(DATA / "portal.yaml")
    assert "0 of 1 contact is marketing" in headline(view)
    view.batch.value = str(DATA / "touches.csv")
    view.batch.value = "path"
    assert "0 of 1 contact is marketing" in headline(view), "what was chosen stays"


def test_save_writes_the_settings_the_decisions_and_the_pictures(view: Explorer, tmp_path: Path) -> None:
    view.switches.rows["hubspot_form/Newsletter"][0].value = False
    view.tier.value = 450
    view.save_to.value = str(tmp_path / "saved")
    view.save.click()
    saved = tmp_path / "saved"
    portal = mk.Portal.load(saved / "portal.yaml")
    assert portal.is_on("hubspot_form/Newsletter") is False and portal.subscription.tier == 450
    touches = pd.read_csv(saved / "decisions-touches.csv", dtype=str)
    assert len(touches) == len(view.touches)
    assert mk.decide(mk.read_touches(DATA / "touches.csv").touches, portal).counts().equals(view.outcome.counts())
    contacts = pd.read_csv(saved / "decisions-contacts.csv", dtype=str)
    assert (contacts["status"] == "marketing").sum() == view.outcome.counts()["marketing"]
    assert (saved / "contacts-by-source.png").read_bytes().startswith(b"\x89PNG")
    assert "Saved in" in view.at["saved"].value
    assert "hubspot_form/Newsletter: off" in (saved / "summary.txt").read_text()
    view.save_to.value = str(saved / "portal.yaml")
    view.save.click()
    assert "The disk says no" in view.at["saved"].value


def test_an_error_in_a_callback_appears_in_the_explorer(view: Explorer, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    view.batch.value = "path"
    view.path.value = str(tmp_path / "notes.csv")
    assert 'role="alert"' in view.at["error"].value and "neither a batch" in view.at["error"].value
    view.path.value = str(tmp_path / "missing.csv")
    assert "missing.csv" in view.at["error"].value
    assert "Below is still touches.csv" in view.at["message"].value
    view.batch.value = str(DATA / "touches.csv")
    assert view.at["error"].value == ""


def test_an_uploaded_file_is_read_and_one_that_is_too_large_or_of_another_kind_is_refused(view: Explorer) -> None:
    view.batch.value = "upload"
    upload(
        view.upload,
        "../../mine.csv",
        b"contact_id,occurred_at,source,asset\n1,2024-03-01,hubspot_form,F\n2,soon,hubspot_form,F\n",
    )
    assert "2 rows read, 1 used, 1 rejected" in view.at["message"].value
    assert "1 of 1 contact is marketing" in headline(view)
    assert view.upload.value == (), "an upload is not kept, so that it cannot be saved with the notebook"
    upload(view.upload, "huge.csv", b"x" * (explorer.UPLOAD_LIMIT + 1))
    assert "too large to upload" in view.at["error"].value
    upload(view.upload, "page.html", b"<html>")
    assert ".csv, .xlsx" in view.at["error"].value


def test_a_file_that_needed_a_mapping_in_the_audit_is_explored_with_the_same_one(
    view: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign, mapping = tmp_path / "fremd.csv", tmp_path / "mapping.yaml"
    rows = ["1,03.04.2024,Form,Newsletter,ja bitte", "2,03.04.2024,CRM UI,Ann,lieber nicht"]
    foreign.write_text("\n".join(["Nummer,Angelegt am,Gekommen durch,Genauer,Mailstand", *rows]))
    own = {"record_id": "Nummer", "created_at": "Angelegt am", "status": "Mailstand"}
    own |= {"record_source": "Gekommen durch", "record_source_detail": "Genauer"}
    ColumnMapping(columns=own, values={"marketing": "ja bitte", "non-marketing": "lieber nicht"}).save(mapping)
    audit = mk.audit(mk.read_export(foreign, mapping=mapping), view.portal)
    assert not is_shown(view.mapping_box), "the samples need none"
    view.batch.value = "path"
    view.path.value = str(foreign)
    assert "neither a batch" in view.at["error"].value and is_shown(view.mapping_box)
    view.mapping.choice.value = "path"
    view.mapping.path.value = str(mapping)
    assert view.at["error"].value == ""
    assert "fremd.csv, mapped by mapping.yaml: 2 rows read, 2 used, 0 rejected" in view.at["message"].value
    assert view.baseline.counts()["marketing"] == audit.marketing == 1
    view.batch.value = str(EXPORT)
    assert view.at["error"].value == "" and f"{CONTACTS:,} rows read, {CONTACTS:,} used" in view.at["message"].value
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    app = Explorer()
    app.batch.value = "upload"
    upload(app.upload, "fremd.csv", foreign.read_bytes())
    assert "neither a batch" in app.at["error"].value
    app.mapping.choice.value = "upload"
    upload(app.mapping.upload, "mapping.yaml", mapping.read_bytes())
    assert app.at["error"].value == "" and app.upload.value == (), "the file need not be uploaded again"
    assert app.baseline.counts()["marketing"] == audit.marketing


def test_mappings_are_offered_first_those_that_an_audit_saved_and_nothing_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "SAVED", tmp_path)
    mk.Portal(switches={"hubspot_form": {"Newsletter": "off"}}).save(tmp_path / "portal.yaml")
    (tmp_path / "comments.yaml").write_text("# none")
    ColumnMapping(dates="day first").save(tmp_path / "mapping.yaml")
    assert [name for name, _ in Explorer().mapping.choice.options] == [
        "No mapping of columns",
        "saved/mapping.yaml",
        "A file by its path …",
    ]


def test_in_the_app_a_file_that_is_refused_is_called_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    app = Explorer()
    app.batch.value = "upload"
    upload(app.upload, "Kontakte <Oktober>.csv", b"a,b\n1,2\n")
    assert (
        "(Kontakte <Oktober>.csv)" in html.unescape(app.at["error"].value) and "upload.csv" not in app.at["error"].value
    )


def test_text_from_data_is_text_in_every_widget_table_and_picture(view: Explorer, tmp_path: Path) -> None:
    path = tmp_path / f"{HOSTILE.replace('/', '')}.csv"
    pd.DataFrame(
        {
            "contact_id": [HOSTILE, "2"],
            "occurred_at": "2025-01-01",
            "source": ["hubspot_form", HOSTILE],
            "asset": HOSTILE,
        }
    ).to_csv(path, index=False)
    view.batch.value = "path"
    view.path.value = str(path)
    assert "1 of 1 contact is marketing" in headline(view), view.at["error"].value
    view.contact.value = HOSTILE
    assert "becomes" not in view.at["explanation"].value and "Created by a HubSpot form" in view.at["explanation"].value
    shown = [widget.value for widget in _widgets(view) if isinstance(widget, ipywidgets.HTML)]
    assert any("&lt;img" in text for text in shown)
    assert not any("<img src=x" in text for text in shown)
    assert not any(box.description_allow_html for box, _ in view.switches.rows.values())


def test_saved_cells_cannot_become_formulas() -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "Newsletter"]
    frame = pd.DataFrame({"plain": cells, "category": pd.Categorical(cells), "count": [-1] * len(cells)})
    back = pd.read_csv(pd.io.common.BytesIO(csv(frame)), dtype=str, keep_default_na=False)
    for column in ("plain", "category"):
        assert back[column].tolist() == [f"'{cell}" for cell in cells[:-1]] + ["Newsletter"]
    assert set(back["count"]) == {"-1"}


def test_every_input_has_a_label_and_every_picture_a_text(view: Explorer) -> None:
    inputs = (ipywidgets.Text, ipywidgets.BoundedIntText, ipywidgets.Dropdown, ipywidgets.Checkbox, ipywidgets.Button)
    for widget in _widgets(view):
        if isinstance(widget, inputs):
            assert widget.description.strip(), widget
    for chart in view.charts.values():
        assert len(chart.alt) > 60 and 'alt="' in chart._repr_html_()


def test_the_notebooks_saved_text_holds_nothing_of_the_data(view: Explorer) -> None:
    assert repr(view) == "Explorer"


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    nothing = mk.decide(mk.sample_touches(0), mk.Portal())
    by_source = nothing.counts("source")
    assert charts.by_source(by_source, by_source, {}).png.startswith(b"\x89PNG")
    assert charts.over_time(nothing.by_day(), nothing.by_day(), 10).alt.endswith("There are no touches.")


def test_a_table_that_was_shortened_says_so() -> None:
    assert "The first 2 of 3 rows" in html_table(pd.DataFrame({"a": [1, 2, 3]}), "Counts.", most=2)


def _widgets(widget: Any) -> list[Any]:
    return [widget, *(each for child in getattr(widget, "children", ()) for each in _widgets(child))]
