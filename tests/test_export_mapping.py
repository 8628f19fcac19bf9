"""What a portal's own names promise, how the shipped ones are vouched for, and what a look at a file shows."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marketable import exports
from marketable.errors import DataError, MappingError
from marketable.exports import ColumnMapping, preview, read_export, recorded_sources
from marketable.exports.sources import folded, shipped_sources
from marketable.exports.vocabulary import FACTS
from marketable.rulebook import NOT_COVERED, SOURCES

COLUMNS = yaml.safe_load(Path(exports.__file__).with_name("export_columns.yaml").read_text(encoding="utf-8"))
LABELS = {fact: entry["names"] for fact, entry in COLUMNS["columns"].items()}
TEXT = "Kennung,Angelegt am,Status,Herkunft\n7,2024-03-01 09:00,zahlend,Altsystem\n8,2024-03-02 09:00,frei,Altsystem\n"
OWN: dict[str, Any] = {
    "columns": {
        "record_id": "Kennung",
        "created_at": ["Angelegt am"],
        "status": ["Status"],
        "record_source": "Herkunft",
    },
    "values": {"marketing": ["zahlend"], "non-marketing": "frei"},
    "sources": [{"recorded": ["Altsystem"], "source": "import_multi_object", "certainty": "likely", "why": "We know."}],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "contacts.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


# The mapping


def test_a_mapping_names_columns_values_and_sources(path: Path) -> None:
    contacts = read_export(path, mapping=OWN).contacts
    assert contacts["status"].tolist() == ["marketing", "non-marketing"]
    assert contacts[["source", "certainty"]].drop_duplicates().values.tolist() == [["import_multi_object", "likely"]]


def test_a_column_may_bear_the_name_of_the_fact_itself(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("record_id,created_at\n7,2024-03-01\n8,?\n", encoding="utf-8")
    export = read_export(path, mapping={"columns": {"created_at": "created_at"}})
    assert export.contacts["created_at"].dt.year.to_dict() == {"7": 2024}
    assert export.rejected["column"].tolist() == ["created_at"]


def test_a_mapping_is_saved_and_used_again(path: Path) -> None:
    own = ColumnMapping(**OWN, dates="month first")
    own.save(path.with_name("mapping.yaml"))
    assert ColumnMapping.load(path.with_name("mapping.yaml")) == own
    assert len(read_export(path, mapping=path.with_name("mapping.yaml")).contacts) == 2


@given(
    st.dictionaries(
        st.sampled_from(FACTS), st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=2), max_size=3
    )
)
def test_any_names_survive_saving(columns: dict[str, list[str]]) -> None:
    try:
        own = ColumnMapping(columns=columns)
    except MappingError:  # a name for two facts
        return
    assert ColumnMapping.of_text(own.text()) == own


def test_an_empty_mapping_changes_nothing() -> None:
    for empty in (ColumnMapping(), ColumnMapping.of_text(""), ColumnMapping.of_text("columns:\nvalues:\nsources:\n")):
        assert empty == ColumnMapping() and empty.text() == ""


def test_a_name_of_the_mapping_goes_before_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Record ID,Email,Create Date,Joined\n7,a@b.c,2024-03-01,2020-01-01\n", encoding="utf-8")
    mapping = ColumnMapping(columns={"created_at": ["Joined"], "record_id": ["Email"]})
    export = read_export(path, mapping=mapping)
    assert export.contacts.index.tolist() == ["a@b.c"]
    assert export.contacts["created_at"].dt.year.tolist() == [2020]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("column: {}", r"'column' \(mapping.yaml, line 1, at column\).*'columns'"),
        ("columns:\n  createdat: [X]", r"'createdat' \(mapping.yaml, line 2, at columns.createdat\).*'created_at'"),
        (
            "values:\n  maybe: [X]",
            r"\(mapping.yaml, line 2, at values.maybe\).*one of marketing, non-marketing, yes, no",
        ),
        ("columns:\n  email: [X]\n  status: [x]", r"stands for email already: 'x' \(mapping.yaml, line 3"),
        ("values: {marketing: [a], non-marketing: [A]}", "stands for marketing already"),
        ("columns: {email: {a: b}}", "Names are text"),
        ("recorded: {FORMS: [Formular]}", r"'FORMS' \(mapping.yaml, line 1, at recorded.FORMS\).*Did you mean 'FORM'"),
        ("recorded: {FORM: [a], BOT: [A]}", "stands for FORM already"),
        ("columns: {email: ['']}", "must not be blank"),
        ("dates: days first", r"'days first' \(mapping.yaml, line 1, at dates\).*Did you mean 'day first'"),
        ("sources:\n- {recorded: X, source: import, certainty: likely}", "line 2.*one of hubspot_form"),
        (
            "sources:\n- {recorded: X, source: manual, certainty: sure}",
            "one of certain, likely, ambiguous, not covered",
        ),
        ("sources:\n- {source: manual, certainty: likely}", "Expected a value for recorded"),
        ("sources:\n- recorded: X\n  sorce: manual", "line 3.*Did you mean 'source'"),
        ("- a", "Names with values are needed here"),
        ("columns: [", "This is not YAML"),
    ],
)
def test_a_mapping_that_is_not_valid_is_an_error_that_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=message):
        ColumnMapping.load(path)


def test_an_error_of_a_mapping_is_an_error_of_data(tmp_path: Path, path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_export(path, mapping=tmp_path / "none.yaml")


# The shipped names


def test_every_language_has_its_references_and_its_trust() -> None:
    spoken = {language for names in [*LABELS.values(), *COLUMNS["values"].values()] for language in names}
    assert spoken == COLUMNS["languages"].keys()
    for entry in COLUMNS["languages"].values():
        assert entry["trust"] in "HML" and all(reference["title"] for reference in entry["references"])


def test_labels_that_deserve_another_trust_are_labels_of_their_language() -> None:
    for language, entry in COLUMNS["languages"].items():
        labels = {
            label for names in [*LABELS.values(), *COLUMNS["values"].values()] for label in names.get(language, [])
        }
        for trust, named in entry.get("but", {}).items():
            assert trust in "HML" and set(named) <= labels, language


def test_what_a_status_says_is_never_inferred() -> None:
    for meaning in ("marketing", "non-marketing"):
        for language, texts in COLUMNS["values"][meaning].items():
            entry = COLUMNS["languages"][language]
            assert entry["trust"] != "L" and not set(texts) & set(entry.get("but", {}).get("L", [])), language


def test_a_label_stands_for_one_fact_and_one_meaning_whatever_the_language() -> None:
    stands: dict[str, str] = {}
    for fact, names in LABELS.items():
        for label in (label for labels in names.values() for label in labels):
            assert stands.setdefault(folded(label), fact) == fact, label
    for group in (("marketing", "non-marketing"), ("yes", "no")):
        meant = [{folded(text) for texts in COLUMNS["values"][meaning].values() for text in texts} for meaning in group]
        assert not meant[0] & meant[1]


def test_sources_of_a_mapping_are_sources_of_the_rulebook() -> None:
    with pytest.raises(MappingError, match="Did you mean 'chatflow'"):
        ColumnMapping(sources=[{"recorded": "X", "source": "chatflows", "certainty": "likely"}])
    assert "chatflow" in SOURCES


# The preview


def test_a_preview_shows_what_each_column_was_taken_for_and_what_is_missing(path: Path) -> None:
    seen = preview(path)
    assert [(column.name, column.fact) for column in seen.columns][:2] == [("Kennung", None), ("Angelegt am", None)]
    assert seen.columns[2].samples == ("zahlend", "frei")
    assert (seen.missing, seen.rows, seen.dates) == (("record_id", "created_at"), 2, "")


def test_a_preview_with_a_mapping_shows_what_is_left_to_map(path: Path) -> None:
    columns = {"record_id": "Kennung", "created_at": "Angelegt am", "status": "Status"}
    seen = preview(path, mapping=ColumnMapping(columns=columns))
    assert (seen.missing, seen.unknown) == ((), {"status": ("zahlend", "frei")})
    assert preview(path, mapping=ColumnMapping(**OWN)).unknown == {}


def recorded(tmp_path: Path, *words: str) -> Path:
    path = tmp_path / "contacts.csv"
    lines = [f"{at},2024-03-01,{word},Demo" for at, word in enumerate(words)]
    path.write_text("\n".join(["Record ID,Create Date,Record source,Record source detail 1", *lines]), encoding="utf-8")
    return path


def test_a_preview_counts_the_recorded_sources_that_are_not_known(tmp_path: Path) -> None:
    path = recorded(tmp_path, "Konversationen", "Formular", "Formular ", "FORM", "Bot Chatflow", "", "WORKFLOWS", "Ads")
    assert preview(path).recorded == {"Formular": 2, "Konversationen": 1}
    own = [{"recorded": "Konversationen", "source": "team_email", "certainty": "likely"}]
    assert preview(path, mapping=ColumnMapping(recorded={"FORM": "formular"}, sources=own)).recorded == {}


def test_a_preview_shows_at_most_fifty_recorded_sources_the_most_frequent_first(tmp_path: Path) -> None:
    path = recorded(tmp_path, *(f"word {at}" for at in range(60)), "word 59")
    assert len(preview(path).recorded) == 50 and next(iter(preview(path).recorded)) == "word 59"


def test_a_mapping_says_which_recorded_source_a_word_is(tmp_path: Path) -> None:
    path = recorded(tmp_path, "Formular", "import", "Konversationen", "Formular")
    mapping = ColumnMapping(recorded={"FORM": ["FORMULAR"], "BOT": "Import"})
    contacts = read_export(path, mapping=ColumnMapping.of_text(mapping.text())).contacts
    assert contacts["source"].tolist() == ["hubspot_form", "chatflow", NOT_COVERED, "hubspot_form"]
    assert contacts[["asset", "certainty"]].values.tolist()[0] == ["Demo", "certain"]


def test_the_recorded_sources_that_can_be_mapped_to_are_those_of_the_shipped_entries() -> None:
    known = recorded_sources()
    assert known["FORM"] == "hubspot_form" and known["CRM_UI"] == "manual" and "" not in known
    assert {entry.source for entry in shipped_sources()} - set(known.values()) == {"non_hubspot_form"}


def test_a_preview_shows_at_most_three_samples(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("Email,Create Date\n" + "".join(f"{at % 5}@b.c,\n" for at in range(20)), encoding="utf-8")
    assert preview(path).columns[0].samples == ("0@b.c", "1@b.c", "2@b.c")


def test_a_preview_of_json_shows_the_properties(tmp_path: Path) -> None:
    path = tmp_path / "contacts.json"
    path.write_text(
        '{"results": [{"id": "7", "properties": {"createdate": "2024-03-01", "x": "y"}}]}', encoding="utf-8"
    )
    facts = {column.name: column.fact for column in preview(path).columns}
    assert facts == {"id": "record_id", "createdate": "created_at", "x": None}


def test_addresses_are_no_words_to_ask_about(path: Path) -> None:
    path.write_text("Record ID,Create Date,Record source,Unsubscribed from all email\n1,2024-03-01,a@b.c,x@y.z\n")
    seen = preview(path)
    assert (seen.unknown, seen.recorded) == ({}, {})
    assert "@" not in str(read_export(path).understood)


def test_a_preview_shows_that_the_order_of_day_and_month_is_not_decided(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_dates(*_: object) -> None:
        raise DataError("No cell tells", advice='Give dates="day first"')

    monkeypatch.setattr("marketable.exports.previews.read_dates", read_dates)
    assert preview(path).dates == 'No cell tells. Give dates="day first"'
