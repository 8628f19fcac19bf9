"""The trainer's panels: a class is set and ended, and the results of many learners add up."""

from __future__ import annotations

import html
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import marketable as mk
from lab import REPOSITORY, in_browser, run_notebook, violations
from marketable.lessons.cases import KINDS
from marketable.lessons.classroom import Classroom
from marketable.lessons.panels import trainer as trainer_module
from marketable.lessons.panels.progress_page import class_page, hardest
from marketable.lessons.panels.trainer import Setting, Trainer
from marketable.lessons.progress import LETTERS, Progress, read_many
from marketable.lessons.results import by_kind, by_learner, by_question
from marketable.paths import SAVED
from test_progress import CODE, GOOD, HOSTILE, check_in_a_browser, done, every_width, tables, written

LESSONS = ["01_what_it_is", "02_the_fixed_tools", "03_the_tools_with_a_switch", "04_contacts_that_exist_already"]


def class_of_25(folder: Path) -> list[Progress]:
    """Made-up learners, the same each time; later kinds of contact are harder for them."""
    folder.mkdir(parents=True, exist_ok=True)
    dice, made = random.Random(5), []
    for number in range(25):
        given = [
            ("question", f"{lesson}/{n}", dice.random() < 0.7)
            for lesson in LESSONS[: dice.randint(1, 4)]
            for n in (1, 2, 3)
        ]
        for ease, kind in enumerate(reversed(KINDS), 2):
            given += [("predict", kind, dice.random() < ease / 9) for _ in range(dice.randint(3, 8))]
        given += [("find", "chatflow", dice.random() < 0.6) for _ in range(dice.randint(0, 3))]
        given += [("within", "made-up", dice.random() < 0.4) for _ in range(dice.randint(0, 3))]
        made.append(done("".join(dice.choice(LETTERS) for _ in range(6)), given, 42 if number < 22 else None))
        made[-1].save(folder)
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture
def trainer(place: Path) -> Trainer:
    return Trainer(place)


def text_of(widget: object) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", widget.value)))  # type: ignore[attr-defined]


# ---- the class ----


def test_a_class_is_set_shown_and_ended(trainer: Trainer, place: Path) -> None:
    assert "There is no class" in text_of(trainer.setting.present) and trainer.setting.end.disabled
    trainer.setting.seed.value = 7
    trainer.setting.begin.click()
    expected = Classroom(seed=7, portal=mk.Portal.load(place / "data" / "portal.yaml"))
    assert Classroom.load(place / "saved" / "class.yaml") == expected
    assert "the seed 7" in text_of(trainer.setting.present) and "a tier of 2,000" in text_of(trainer.setting.present)
    assert "the seed 7" in text_of(Trainer(place).setting.present)
    assert not trainer.setting.end.disabled
    trainer.setting.end.click()
    assert not (place / "saved" / "class.yaml").exists()
    assert "There is no class" in text_of(trainer.setting.present)


def test_the_portals_to_choose_from_are_those_of_data_and_no_other_settings(trainer: Trainer) -> None:
    labels = [label for label, _ in trainer.setting.portal.choice.options]
    assert labels == ["portal.yaml", "All switches at their defaults", "A file by its path …"]


def test_a_class_may_have_all_defaults_or_an_account_by_its_path(trainer: Trainer, place: Path) -> None:
    trainer.setting.portal.choice.value = "none"
    trainer.setting.begin.click()
    assert Classroom.load(place / "saved" / "class.yaml").portal == mk.Portal()
    mine = mk.Portal(switches={"hubspot_form": {HOSTILE: "off"}})
    mine.save(place / "mine.yaml")
    assert trainer.setting.portal.path.layout.display == "none"
    trainer.setting.portal.choice.value = "path"
    assert trainer.setting.portal.path.layout.display == ""
    trainer.setting.portal.path.value = "mine.yaml"
    trainer.setting.begin.click()
    assert Classroom.load(place / "saved" / "class.yaml").portal == mine
    assert "<img" not in trainer.setting.present.value


def test_a_portal_that_cannot_be_read_leaves_the_class_as_it_was(trainer: Trainer, place: Path) -> None:
    trainer.setting.begin.click()
    before = (place / "saved" / "class.yaml").read_text()
    trainer.setting.portal.choice.value = "path"
    for path, said in (("", "No file is named"), ("nowhere.yaml", "nowhere.yaml"), ("data/sweep.yaml", "not known")):
        trainer.setting.portal.path.value = path
        trainer.setting.begin.click()
        assert said in text_of(trainer.setting.answer)
        assert (place / "saved" / "class.yaml").read_text() == before


def test_a_class_that_cannot_be_read_is_told_and_can_be_set_anew_or_ended(place: Path) -> None:
    (place / "saved").mkdir()
    (place / "saved" / "class.yaml").write_text(f"sed: {HOSTILE}")
    trainer = Trainer(place)
    assert "class.yaml, line 1" in text_of(trainer.setting.answer) and "<img" not in trainer.setting.answer.value
    trainer.setting.begin.click()
    assert trainer.setting.answer.value == "" and "the seed 42" in text_of(trainer.setting.present)


def test_in_the_app_nobody_can_set_the_class_or_read_results(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    trainer = Trainer(place)
    assert trainer.setting is trainer.collecting and not isinstance(trainer.setting, Setting)
    assert any("works in JupyterLab" in text_of(child) for child in trainer.setting.children)


# ---- the results ----


def test_the_tables_are_what_the_learners_did(trainer: Trainer, place: Path) -> None:
    made = class_of_25(place / "saved" / "progress")
    trainer.setting.begin.click()
    trainer.collecting.show.click()
    kinds, questions, learners = tables(trainer.collecting.shown.value)
    assert [html.unescape(name) for name in kinds["kind of contact"]] == [KINDS[kind] for kind in by_kind(made)["kind"]]
    assert list(kinds["wrong"].astype(int)) == list(by_kind(made)["wrong"])
    assert list(questions["wrong"].astype(int)) == list(by_question(made)["wrong"])
    assert list(learners["code"]) == sorted(one.code for one in made)
    rows = by_learner(made)
    expected = [
        f"{right} of {asked}" for right, asked in zip(rows["predicted right"], rows["predicted asked"], strict=True)
    ]
    assert list(learners["contacts predicted right"]) == expected
    said = text_of(trainer.collecting.shown)
    assert "25 files read, 25 used, 0 rejected." in said
    assert "3 of the 25 were not begun in the class with the seed 42" in said
    assert f"The class finds “{KINDS[by_kind(made)['kind'].iloc[0]]}” the hardest" in said


def test_files_that_are_rejected_are_named_with_their_reasons_and_nothing_of_what_they_hold(
    trainer: Trainer, place: Path
) -> None:
    folder = place / "handed in"
    class_of_25(folder)
    (folder / f"progress-{HOSTILE}.json").write_text("{}")
    written(folder, GOOD | {"name": "Ann Miller"})
    trainer.collecting.folder.value = "handed in"
    trainer.collecting.show.click()
    said = text_of(trainer.collecting.shown)
    assert "27 files read, 25 used, 2 rejected." in said
    assert f"progress-{CODE}.json" in said and "does not hold progress as the lessons write it" in said
    assert "Ann" not in said and "<img" not in trainer.collecting.shown.value


def test_a_page_of_the_class_is_saved_and_names_no_file_and_nobody(trainer: Trainer, place: Path) -> None:
    folder = place / "saved" / "progress"
    class_of_25(folder)
    (folder / "progress-Ann Miller.json").write_text("{}")
    assert trainer.collecting.save.disabled
    trainer.collecting.show.click()
    trainer.collecting.save.click()
    page = (place / "saved" / "class-results.html").read_text("utf-8")
    assert "Saved in" in text_of(trainer.collecting.saved)
    assert "26 files read, 25 used, 1 rejected" in page
    assert "The file&#x27;s name is not that of progress" in page
    assert "Ann" not in page and "progress-Ann" not in page
    assert not re.search(r"<script|<img|<link|<iframe|url\(|@import", page)


def test_the_page_is_saved_whole_or_not_at_all(trainer: Trainer, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_of_25(place / "saved" / "progress")
    trainer.collecting.show.click()
    trainer.collecting.save.click()
    before = (place / "saved" / "class-results.html").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trainer_module, "write_whole", full)
    trainer.collecting.save.click()
    assert "No space left on device" in text_of(trainer.collecting.answer)
    assert (place / "saved" / "class-results.html").read_bytes() == before


@pytest.mark.parametrize("typed", ["nowhere", "data/portal.yaml", "\0"])
def test_a_folder_that_cannot_be_read_is_told_and_shows_no_old_results(
    typed: str, trainer: Trainer, place: Path
) -> None:
    class_of_25(place / "saved" / "progress")
    trainer.collecting.show.click()
    trainer.collecting.folder.value = typed
    trainer.collecting.show.click()
    assert "alert" in trainer.collecting.answer.value
    assert (
        trainer.collecting.shown.value == "" and trainer.collecting.save.disabled and trainer.collecting.results is None
    )


def test_an_empty_folder_is_an_answer_too(trainer: Trainer, place: Path) -> None:
    (place / "saved" / "progress").mkdir(parents=True)
    trainer.collecting.show.click()
    said = text_of(trainer.collecting.shown)
    assert "0 files read, 0 used, 0 rejected" in said and "No contact was predicted yet" in said
    assert "There is no learner yet" in said
    assert tables(trainer.collecting.shown.value) == []


def test_a_class_without_a_mistake_is_told_so(tmp_path: Path) -> None:
    done(CODE, [("predict", "fixed", True)]).save(tmp_path)
    assert hardest(read_many(tmp_path)) == "No contact was predicted wrong."


# ---- in a browser ----


@in_browser
@every_width
def test_the_page_of_a_class_is_accessible_wide_on_a_phone_and_on_paper(
    width: int, browser: Browser, tmp_path: Path
) -> None:
    class_of_25(tmp_path)
    (tmp_path / f"progress-{HOSTILE}.json").write_text("{}")
    check_in_a_browser(browser, class_page(read_many(tmp_path), 42), width, tmp_path)


@pytest.fixture
def saved() -> Iterator[Path]:
    """The folder that all kernels save in: empty, and emptied afterwards."""

    def empty() -> None:
        shutil.rmtree(SAVED, ignore_errors=True)
        SAVED.mkdir()

    empty()
    yield SAVED
    empty()


@in_browser
def test_a_class_is_set_a_learner_hands_in_a_file_and_the_trainer_sees_it(
    page: Page, lab: str, saved: Path, tmp_path: Path
) -> None:
    class_of_25(saved / "progress")
    page.set_viewport_size({"width": 1400, "height": 1200})
    run_notebook(page, lab, "lessons/trainer.ipynb")
    page.get_by_role("button", name="Set the class").click(timeout=60_000)
    expect(page.locator(".mk-at-class")).to_contain_text("The class has the seed 42")

    run_notebook(page, lab, "lessons/03_tools_with_a_switch.ipynb")
    page.get_by_role("button", name="Keep my progress").click(timeout=60_000)
    predicted = page.locator(".mk-at-predict")
    predicted.get_by_role("radio").first.check()
    predicted.get_by_role("button", name="Answer").click()
    line = page.locator(".mk-keeping")
    expect(line).to_contain_text(re.compile("[01] of 1 contact predicted right"))
    code = page.get_by_label("My code").input_value()
    with page.expect_download() as download:
        page.get_by_role("link", name="my progress file").click()
    assert download.value.suggested_filename == f"progress-{code}.json"
    handed_in = Progress.load(download.value.path().rename(tmp_path / f"progress-{code}.json"))
    assert (handed_in.code, handed_in.seed) == (code, 42)
    with page.expect_download() as download:
        page.get_by_role("link", name="my results as a page").click()
    assert f"What {code} has done" in download.value.path().read_text("utf-8")
    assert violations(page, ".mk-keeping") == []

    run_notebook(page, lab, "lessons/trainer.ipynb")
    page.get_by_role("button", name="Show", exact=True).click(timeout=60_000)
    results = page.locator(".mk-at-results")
    expect(results).to_contain_text("26 files read, 26 used, 0 rejected")
    expect(results).to_contain_text(code)
    page.get_by_role("button", name="Save as a page").click()
    expect(results).to_contain_text("Saved in")
    for panel in (".mk-at-class", ".mk-at-results"):
        assert violations(page, panel) == []
    assert code in (saved / "class-results.html").read_text("utf-8")
