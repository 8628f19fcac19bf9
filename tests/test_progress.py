"""Progress and classes: what a file may hold, what is refused, and that no answer is lost."""

from __future__ import annotations

import base64
import datetime as dt
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets import Button
from playwright.sync_api import Browser

import marketable as mk
from batches import portals
from lab import in_browser, violations
from marketable.errors import DataError, MarketableError, PortalError, UnknownNameError
from marketable.lessons import classroom as class_module
from marketable.lessons import progress as kept
from marketable.lessons.cases import KINDS
from marketable.lessons.classroom import Classroom
from marketable.lessons.export import ASKED
from marketable.lessons.panels.keeping import Keeping
from marketable.lessons.panels.progress_page import in_short, page
from marketable.lessons.progress import LETTERS, Progress, Tally, read_many
from marketable.lessons.results import by_kind, by_learner, by_lesson, by_question, to_practise
from test_report_page import A4

CODE, OTHER = "K7M2QX", "BCDFGH"
LESSON = "03_the_tools_with_a_switch"
SWITCHES = ["hubspot_form", "non_hubspot_form", "chatflow", "import_single_object", "integration"]
HOSTILE = "<img src=x onerror=alert(1)>"

questions = st.builds(
    "{:02}_{}/{}".format, st.integers(0, 99), st.text("abz_", min_size=1, max_size=60), st.integers(1, 9)
)
answers = st.one_of(
    st.tuples(st.just("question"), questions, st.booleans()),
    st.tuples(st.just("predict"), st.sampled_from(list(KINDS)), st.booleans()),
    st.tuples(st.just("find"), st.sampled_from(SWITCHES), st.booleans()),
    st.tuples(st.just("within"), st.just("made-up"), st.booleans()),
    st.tuples(st.just("explain"), st.sampled_from(ASKED), st.booleans()),
)
codes = st.text(LETTERS, min_size=6, max_size=6)
seeds = st.none() | st.integers(0, 2**31)


def done(code: str, given: list[tuple[str, str, bool]], seed: int | None = None) -> Progress:
    progress = Progress(code=code, seed=seed)
    for answer in given:
        progress = progress.after(*answer)
    return progress


def written(folder: Path, content: Any, name: str = f"progress-{CODE}.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def leaves(value: Any, *place: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, *place, key)
    else:
        yield place, value


# ---- what progress is ----


@given(codes, seeds, st.lists(answers, max_size=30))
def test_a_progress_file_holds_nothing_but_counts_and_a_code(
    code: str, seed: int | None, given: list[tuple[str, str, bool]]
) -> None:
    allowed = [
        (("format",), lambda value: value == 1),
        (("code",), lambda value: re.fullmatch(f"[{LETTERS}]{{6}}", value)),
        (("seed",), lambda value: value is None or type(value) is int),
        (("questions", "[0-9]{2}_[a-z_]{1,60}/[1-9]"), lambda value: type(value) is bool),
        (("predicted", "|".join(KINDS), "right|wrong"), lambda value: type(value) is int),
        (("found|within|explained", "right|wrong"), lambda value: type(value) is int),
    ]
    for place, value in leaves(json.loads(done(code, given, seed).text())):
        if value == {}:
            continue
        assert any(
            len(place) == len(names)
            and all(re.fullmatch(name, part) for name, part in zip(names, place, strict=True))
            and fits(value)
            for names, fits in allowed
        ), place


@given(codes, seeds, st.lists(answers, max_size=30))
def test_what_is_saved_is_loaded_again(
    tmp_path_factory: pytest.TempPathFactory, code: str, seed: int | None, given: list[tuple[str, str, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("progress")
    progress = done(code, given, seed)
    assert Progress.load(progress.save(folder)) == progress


@given(st.lists(answers, max_size=30))
def test_every_answer_counts_once_and_of_a_question_the_first_one(given: list[tuple[str, str, bool]]) -> None:
    progress = done(CODE, given)
    first: dict[str, bool] = {}
    for exercise, item, right in given:
        if exercise == "question":
            first.setdefault(item, right)
    assert progress.questions == first
    for kind in KINDS:
        told = [right for exercise, item, right in given if (exercise, item) == ("predict", kind)]
        assert progress.predicted.get(kind, Tally()) == Tally(right=sum(told), wrong=len(told) - sum(told))
    for exercise, tally in (
        ("find", progress.found),
        ("within", progress.within),
        ("explain", progress.explained),
    ):
        told = [right for name, _, right in given if name == exercise]
        assert tally == Tally(right=sum(told), wrong=len(told) - sum(told))


@pytest.mark.parametrize(
    ("exercise", "item", "near"),
    [
        ("predict", "fixd", "'fixed'"),
        ("predicts", "fixed", "'predict'"),
        ("question", "3_forms/1", "no such question"),
        ("question", "03_forms/0", "no such question"),
        ("question", "03_forms/1\n", "no such question"),
        ("question", "٠٣_forms/1", "no such question"),
        ("question", "03_forms/../../x/1", "no such question"),
        ("find", "manual", "hubspot_form"),
        ("within", "account", "made-up"),
        ("explain", "as expectd", "'as expected'"),
        ("", "", "question"),
    ],
)
def test_an_exercise_or_item_there_is_not_is_an_error(exercise: str, item: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=re.escape(near)):
        Progress(code=CODE).after(exercise, item, True)


def test_an_answer_leaves_the_progress_before_it_as_it_was() -> None:
    before = Progress(code=CODE)
    assert before.after("predict", "fixed", True).after("question", f"{LESSON}/1", False) != before
    assert before == Progress(code=CODE)


def test_codes_are_fit_to_be_told_and_are_new_each_time(tmp_path: Path) -> None:
    made = {kept.begin(7, tmp_path).code for _ in range(50)}
    assert len(made) == 50
    assert not set("".join(made)) & set("01IOLAEU")
    assert {path.name for path in tmp_path.glob("*.json")} == {f"progress-{code}.json" for code in made}
    assert {one.seed for one in read_many(tmp_path).used} == {7}


@pytest.mark.parametrize(
    "typed", ["", "K7M2Q", "K7M2QXX", "../../x", "K7M2Q/", "K7M2Q.", "K7M2QO", "K7M2Q\0", "K7M2Q٣", "ＫＫＫＫＫＫ"]
)
def test_what_is_no_code_leads_to_no_file(typed: str, tmp_path: Path) -> None:
    for ask in (kept.file_of, kept.resume, kept.delete, kept.remember):
        with pytest.raises(DataError, match="no code"):
            ask(typed, tmp_path)
    with pytest.raises(MarketableError):
        kept.add(typed, [], tmp_path)


def test_a_code_may_be_typed_in_small_letters(tmp_path: Path) -> None:
    Progress(code=CODE).save(tmp_path)
    assert kept.resume(f" {CODE.lower()} ", tmp_path).code == CODE


# ---- files from anywhere ----

GOOD = {"format": 1, "code": CODE, "seed": None, "questions": {}, "predicted": {}}
REFUSED: dict[str, Any] = {
    "empty": b"",
    "not JSON": b"{",
    "a list": [GOOD],
    "null": b"null",
    "not UTF-8": json.dumps(GOOD).encode("utf-16"),
    "bytes of anything": bytes(range(256)),
    "too big": json.dumps(GOOD).encode() + b" " * 10_000_000,
    "nested": b'{"format":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "nested deep": b"[" * 60_000,
    "NaN": b'{"format": 1, "code": "K7M2QX", "seed": NaN}',
    "Infinity": b'{"format": 1, "code": "K7M2QX", "seed": 1e999}',
    "a number of 20,000 digits": b'{"format": 1, "code": "K7M2QX", "seed": ' + b"9" * 20_000 + b"}",
    "a huge count": GOOD | {"found": {"right": 10**15, "wrong": 0}},
    "a negative count": GOOD | {"found": {"right": -1, "wrong": 0}},
    "a part of an answer": GOOD | {"found": {"right": 1.5, "wrong": 0}},
    "a count as text": GOOD | {"found": {"right": "1", "wrong": 0}},
    "a count as yes": GOOD | {"found": {"right": True, "wrong": 0}},
    "right as a number": GOOD | {"questions": {f"{LESSON}/1": 1}},
    "a name twice": b'{"format": 1, "code": "BCDFGH", "code": "K7M2QX"}',
    "another version": GOOD | {"format": 2},
    "a version that is true": GOOD | {"format": True},
    "no version": {"code": CODE},
    "no code": {"format": 1},
    "another's code": GOOD | {"code": OTHER},
    "a code that is a path": GOOD | {"code": "../../"},
    "a name in it": GOOD | {"name": "Ann Miller"},
    "a name deep in it": GOOD | {"found": {"right": 0, "wrong": 0, "who": "Ann"}},
    "an unknown kind": GOOD | {"predicted": {"ann@example.com": {"right": 1, "wrong": 0}}},
    "an unknown question": GOOD | {"questions": {HOSTILE: True}},
    "a seed below": GOOD | {"seed": -1},
    "501 questions": GOOD | {"questions": {f"{n:02}_{'x' * m}/1": True for n in range(100) for m in range(1, 7)}},
    "a surrogate": b'{"format": 1, "code": "\\ud800"}',
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_from_somewhere_else_is_refused_with_words(what: str, tmp_path: Path) -> None:
    path = written(tmp_path, REFUSED[what])
    before = path.read_bytes()
    with pytest.raises(DataError) as refused:
        Progress.load(path)
    said = str(refused.value)
    assert path.name in said and "begin a new one" in said and len(said) < 300
    assert not re.search("Ann|img|example|who|ud800", said)
    with pytest.raises(DataError):
        kept.add(CODE, [("predict", "fixed", True)], tmp_path)
    assert path.read_bytes() == before


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(repr))
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = written(tmp_path_factory.mktemp("any"), content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError):
        Progress.load(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(Progress.model_fields)), json_values)
def test_a_value_that_was_changed_by_hand_is_read_strictly_or_refused(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: Any
) -> None:
    path = written(tmp_path_factory.mktemp("changed"), GOOD | {field: value})
    try:
        progress = Progress.load(path)
    except DataError:
        return
    assert json.loads(progress.text())[field] == value or value == {}


def test_a_file_is_known_by_its_name(tmp_path: Path) -> None:
    for name in (f"progress-{CODE} (1).json", f"{CODE}.json", f"progress-{CODE}.txt", f"progress-{CODE.lower()}.json"):
        with pytest.raises(DataError, match=r"progress-CODE[.]json"):
            Progress.load(written(tmp_path, GOOD, name))


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as other systems have them")
def test_links_folders_and_pipes_are_not_opened(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f"progress-{CODE}.json").symlink_to(Progress(code=CODE).save(elsewhere))
    (folder / f"progress-{OTHER}.json").mkdir()
    os.mkfifo(folder / "progress-BCDFGJ.json")
    (folder / "progress-BCDFGK.json").symlink_to("/dev/zero")
    (folder / "progress-BCDFGM.json").symlink_to(folder / "nowhere")
    results = read_many(folder)
    assert results.used == ()
    assert len(results.rejected) == 5
    assert set(results.rejected["reason"]) == {"This is no ordinary file, and links are not followed."}


def test_every_file_of_a_folder_is_used_or_rejected_with_its_reason_and_no_other_is_read(tmp_path: Path) -> None:
    good = [Progress(code=code).save(tmp_path) for code in (CODE, OTHER)]
    bad = [written(tmp_path, content, f"progress-{number}.json") for number, content in enumerate(REFUSED.values())]
    bad.append(written(tmp_path, GOOD | {"name": "Ann"}, "progress-BCDFGJ.json"))
    (tmp_path / "deeper").mkdir()
    Progress(code="BCDFGK").save(tmp_path / "deeper")
    for name in ("class.yaml", "notes.json", f"progress-{CODE}.json.txt", ".lock"):
        (tmp_path / name).write_text("{}")
    results = read_many(tmp_path)
    assert {one.code for one in results.used} == {CODE, OTHER}
    assert set(results.rejected["file"]) == {path.name for path in bad}
    assert len(results.used) + len(results.rejected) == len(good) + len(bad)
    assert results.rejected["reason"].str.len().gt(10).all()
    assert not results.rejected["reason"].str.contains("Ann|example|img").any()


def test_a_folder_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read.*Give the folder"):
        read_many(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        read_many(written(tmp_path, GOOD))


# ---- several lessons at once ----

ANSWERING = """
import sys
from marketable.lessons import progress as kept
for number in range(40):
    kept.add(sys.argv[1], [("predict", sys.argv[3], number % 4 > 0)], sys.argv[2])
"""


def test_two_lessons_open_at_once_lose_no_answer(tmp_path: Path) -> None:
    code = kept.begin(None, tmp_path).code
    command = [sys.executable, "-c", ANSWERING, code, str(tmp_path)]
    lessons = [subprocess.Popen([*command, kind]) for kind in ("fixed", "existing", "existing")]
    assert [lesson.wait(120) for lesson in lessons] == [0, 0, 0]
    progress = kept.resume(code, tmp_path)
    assert progress.predicted == {"fixed": Tally(right=30, wrong=10), "existing": Tally(right=60, wrong=20)}
    assert {path.name for path in tmp_path.iterdir()} == {".lock", f"progress-{code}.json"}


HOLDING = """
import sys, time
from marketable.lessons import progress as kept
with kept.alone(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lesson_that_was_killed_does_not_lock_the_others_out(tmp_path: Path) -> None:
    code = kept.begin(None, tmp_path).code
    holder = subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline().strip() == b"held"
    holder.kill()
    holder.wait(30)
    assert kept.add(code, [("predict", "fixed", True)], tmp_path).predicted["fixed"].right == 1


def test_progress_that_was_deleted_is_not_made_again(tmp_path: Path) -> None:
    code = kept.begin(None, tmp_path).code
    kept.delete(code, tmp_path)
    with pytest.raises(DataError, match="no progress with this code"):
        kept.add(code, [("predict", "fixed", True)], tmp_path)
    assert not list(tmp_path.glob("*.json"))


# ---- what it adds up to ----


@given(st.lists(st.lists(answers, max_size=12), max_size=4))
def test_the_sums_are_those_of_the_answers(given: list[list[tuple[str, str, bool]]]) -> None:
    progress = [done("BCDFG" + LETTERS[number], mine) for number, mine in enumerate(given)]
    every = [answer for mine in given for answer in mine]
    kinds = by_kind(progress)
    assert kinds["asked"].sum() == sum(exercise == "predict" for exercise, _, _ in every)
    assert kinds["wrong"].sum() == sum(exercise == "predict" and not right for exercise, _, right in every)
    for frame in (kinds, by_question(progress), by_lesson(progress)):
        assert (frame["right"] + frame["wrong"] == frame["asked"]).all()
    assert by_question(progress)["right"].sum() == by_lesson(progress)["right"].sum()
    for frame in (kinds, by_question(progress)):
        assert (frame["wrong"] / frame["asked"]).is_monotonic_decreasing
    learners = by_learner(progress)
    assert len(learners) == len(given)
    assert learners["predicted asked"].sum() == kinds["asked"].sum()
    assert learners["found asked"].sum() == sum(exercise == "find" for exercise, _, _ in every)


def test_the_kind_with_the_most_mistakes_comes_first_to_practise() -> None:
    tallies = {
        "fixed": Tally(right=9, wrong=3),
        "existing": Tally(right=1, wrong=3),
        "by_hand": Tally(right=0, wrong=1),
    }
    assert list(to_practise(Progress(code=CODE, predicted=tallies))["kind"]) == ["existing", "fixed", "by_hand"]
    assert list(by_kind([Progress(code=CODE, final=tallies)], "final")["kind"]) == ["by_hand", "existing", "fixed"]
    assert to_practise(Progress(code=CODE)).empty


# ---- the class ----


@given(seeds, portals)
def test_a_class_is_loaded_as_it_was_saved(
    tmp_path_factory: pytest.TempPathFactory, seed: int | None, settings: dict[str, Any]
) -> None:
    made = Classroom(seed=seed, portal=mk.Portal(**settings))
    assert Classroom.load(made.save(tmp_path_factory.mktemp("class") / "class.yaml")) == made


def test_a_class_holds_the_names_of_an_account_as_they_are(tmp_path: Path) -> None:
    names = ["a: b", "No", "it's", "a\nb", " a ", "\u2028", "#x", "", "x" * 300, HOSTILE]
    portal = mk.Portal(
        time_zone="Europe/Berlin",
        access_since=dt.date(2022, 3, 1),
        switches={"hubspot_form": dict.fromkeys(names, "off"), "non_hubspot_form": "on"},
    )
    made = Classroom(seed=0, portal=portal)
    assert Classroom.load(made.save(tmp_path / "saved" / "class.yaml")) == made


WRONG = {
    "sed: 4": "'sed'.*class.yaml, line 1.*Did you mean 'seed'",
    "seed: x": "no seed.*class.yaml, line 1",
    "seed: -1": "no seed.*line 1",
    "seed: 4.5": "no seed.*line 1",
    "seed: 99999999999999": "no seed.*line 1",
    "seed: [1]": "class.yaml, line 1",
    "seed: 1\nseed: 2": "stands twice.*line 2",
    "seed: 1\nportal: x": "Names with values.*line 2, at portal",
    "portal:\n  switches:\n    hubspot_from: {A: on}": "line 3, at portal.switches.*Did you mean 'hubspot_form'",
    "portal:\n  time_zone: Europe/Berlim": "line 2, at portal.time_zone.*Did you mean 'Europe/Berlin'",
    "portal:\n  subscription:\n    tier: many": "line 3, at portal.subscription.tier",
    "- seed": "Names with values.*line 1",
    "seed: &a 1": "Anchors",
    "{": "not YAML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_fault_in_class_yaml_is_told_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "class.yaml").write_text(text)
    with pytest.raises(PortalError, match=WRONG[text]):
        Classroom.load(tmp_path / "class.yaml")


def test_without_a_class_everybody_practises_alone_in_the_sample_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_module, "FILE", tmp_path / "class.yaml")
    assert Classroom.load() == Classroom(seed=None, portal=mk.Portal.load(class_module.SAMPLE))
    Classroom(seed=42).save()
    assert Classroom.load() == Classroom(seed=42, portal=mk.Portal())


# ---- the line at the top of a lesson ----


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "saved" / "progress"


def opened(folder: Path, lesson: str = LESSON, seed: int | None = 42) -> Keeping:
    return Keeping(lesson, Classroom(seed=seed), folder)


def told(line: Keeping) -> str:
    return html.unescape(re.sub("<[^>]*>", " ", line.status.value))


def kept_line(folder: Path) -> Keeping:
    """A lesson whose progress is kept from the beginning."""
    line = opened(folder)
    line.keep.click()
    return line


def shown(*widgets: Button) -> list[bool]:
    return [widget.layout.display != "none" for widget in widgets]


def test_nothing_is_kept_until_the_learner_says_so(folder: Path) -> None:
    line = opened(folder)
    line.record("predict", "fixed", True)
    assert "Progress is not kept" in told(line)
    assert not folder.exists()
    assert shown(line.keep, line.delete, line.sure, line.leave) == [True, False, False, False]
    assert line.links.value == "" and line.error.value == ""


def test_keeping_makes_a_code_and_a_file_and_adds_what_was_answered_before(folder: Path) -> None:
    line = opened(folder)
    line.record("question", f"{LESSON}/1", True)
    line.keep.click()
    line.record("question", f"{LESSON}/2", False)
    line.record("predict", "fixed", True)
    (path,) = folder.glob("*.json")
    code = path.stem.removeprefix("progress-")
    assert line.code.value == code
    assert f"Your code is {code}: write this code down" in told(line) and path.name in told(line)
    assert "Lesson 3: 1 of 2 questions right at the first try. In all lessons: 1 of 1 contact predicted right." in told(
        line
    )
    assert Progress.load(path) == line.progress
    assert line.progress is not None and line.progress.seed == 42


def test_the_next_lesson_on_this_computer_goes_on_with_the_code_used_last(folder: Path) -> None:
    first = opened(folder)
    first.keep.click()
    code = first.code.value
    Progress(code=OTHER).save(folder)  # collected from a learner, after that
    second = opened(folder, "04_contacts_that_exist_already")
    assert second.code.value == code
    assert f"Continued with {code}, the code used last on this computer" in told(second)
    assert "Lesson 4: no question answered yet" in told(second)
    first.record("predict", "fixed", True)
    second.record("predict", "fixed", True)
    assert kept.resume(code, folder).predicted["fixed"] == Tally(right=2)


def test_in_the_app_nobodys_code_is_filled_in_and_no_path_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(folder).keep.click()
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    line = opened(folder)
    assert line.progress is None and line.code.value == ""
    assert str(folder) not in told(line)
    line.keep.click()
    mine = line.code.value
    assert str(folder) not in told(line) and "progress-" not in told(line)
    assert opened(folder).code.value == ""
    monkeypatch.delenv("SERVER_SOFTWARE")
    assert opened(folder).code.value not in ("", mine)


def test_in_the_app_whoever_has_chosen_it_goes_on_in_every_lesson_without_typing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    monkeypatch.setenv("MARKETABLE_PROGRESS", "new")
    first = opened(folder)
    assert first.progress is not None
    code = first.progress.code
    assert f"document.cookie = 'progress={code};" in first._note.value
    monkeypatch.setenv("MARKETABLE_PROGRESS", code)
    first.record("final", "existing", True)
    following = opened(folder, "04_contacts_that_exist_already")
    assert following.progress is not None and following.progress.code == code
    assert following.progress.final == {"existing": Tally(right=1)}
    following.delete.click()
    following.sure.click()
    assert "progress=; path=/; SameSite=Strict; max-age=0" in following._note.value
    assert opened(folder).progress is None  # what was deleted is not made again


def test_a_code_continues_and_one_there_is_not_says_so_and_leaves_the_progress_as_it_is(folder: Path) -> None:
    done(CODE, [("question", f"{LESSON}/1", True)]).save(folder_of(folder))
    line = opened(folder)
    line.code.value = f" {CODE.lower()}"
    line.go_on.click()
    assert "1 of 1 question right" in told(line) and line.code.value == CODE
    for wrong, said in ((OTHER, "no progress with this code"), ("../../x", "no code"), (HOSTILE, "no code")):
        line.code.value = wrong
        line.go_on.click()
        assert said in line.error.value and "<img" not in line.error.value
        assert line.progress is not None and line.progress.code == CODE
    line.record("predict", "fixed", True)
    assert line.error.value == ""
    assert kept.resume(CODE, folder).predicted["fixed"].right == 1


def folder_of(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_stop_and_delete_asks_once_and_deletes_the_file(folder: Path) -> None:
    line = kept_line(folder)
    line.delete.click()
    assert shown(line.delete, line.sure, line.leave) == [False, True, True]
    line.leave.click()
    assert shown(line.delete, line.sure, line.leave) == [True, False, False]
    assert list(folder.glob("*.json"))
    line.delete.click()
    line.sure.click()
    assert not list(folder.glob("*.json"))
    assert "Deleted. Progress is not kept" in told(line)
    line.record("predict", "fixed", True)
    assert not list(folder.glob("*.json"))
    assert opened(folder).progress is None


def test_what_was_deleted_elsewhere_stops_being_kept_and_is_told(folder: Path) -> None:
    line, other = opened(folder), opened(folder)
    line.keep.click()
    other.code.value = line.code.value
    other.go_on.click()
    other.delete.click()
    other.sure.click()
    line.record("predict", "fixed", True)
    assert "no progress with this code" in line.error.value
    assert line.progress is None and "Progress is not kept" in told(line)


def test_a_full_disk_is_shown_and_the_answer_is_added_when_there_is_room_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = kept_line(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(kept, "write_whole", full)
        line.record("predict", "fixed", True)
        assert "No space left on device" in line.error.value
    line.record("predict", "existing", False)
    assert line.error.value == ""
    assert kept.resume(line.code.value, folder).predicted == {"fixed": Tally(right=1), "existing": Tally(wrong=1)}


@pytest.mark.parametrize("answer", [("predict", "fixd", True), ("", "", True), ("question", HOSTILE, True)])
def test_record_raises_nothing_and_a_wrong_answer_does_not_block_the_next(
    folder: Path, answer: tuple[str, str, bool]
) -> None:
    line = kept_line(folder)
    line.record(*answer)
    assert "There is no such" in line.error.value and "<img" not in line.error.value
    line.record("predict", "fixed", True)
    assert kept.resume(line.code.value, folder).predicted == {"fixed": Tally(right=1)}


def test_a_broken_file_is_told_in_the_lesson_and_left_as_it_is(folder: Path) -> None:
    first = opened(folder)
    first.keep.click()
    path = written(folder, b"{", f"progress-{first.code.value}.json")
    line = opened(folder)
    assert "not JSON" in line.error.value and line.progress is None
    assert path.read_bytes() == b"{"


def test_the_links_download_what_was_answered_up_to_now(folder: Path) -> None:
    line = kept_line(folder)
    line.record("predict", "fixed", False)
    links = re.findall(r'<a download="([^"]*)" href="data:([^;]*);base64,([^"]*)"', line.links.value)
    contents = {name: base64.b64decode(data).decode() for name, _, data in links}
    code = line.code.value
    assert [kind for _, kind, _ in links] == ["text/html", "application/json"]
    assert contents[f"progress-{code}.json"] == kept.file_of(code, folder).read_text("utf-8")
    assert contents[f"progress-{code}.html"] == page(kept.resume(code, folder))


def test_begin_anew_leaves_the_old_progress_and_makes_another_code(folder: Path) -> None:
    line = kept_line(folder)
    line.record("predict", "fixed", True)
    first = line.code.value
    assert line.keep.description == "Begin anew"
    line.keep.click()
    assert line.code.value != first
    assert line.progress is not None and line.progress.predicted == {}
    assert kept.resume(first, folder).predicted["fixed"].right == 1


WHERE = """
from marketable.lessons import classroom, progress
print(progress.FOLDER, classroom.FILE)
"""


@pytest.mark.parametrize("elsewhere", ["", "/var/lib/lessons"])
def test_all_is_saved_in_the_repositorys_saved_or_where_the_machine_says(elsewhere: str) -> None:
    env = os.environ | {"MARKETABLE_SAVED": elsewhere}
    said = subprocess.run([sys.executable, "-c", WHERE], env=env, capture_output=True, text=True, check=True).stdout
    saved = Path(elsewhere or Path(kept.__file__).resolve().parents[3] / "saved")
    assert said.split() == [str(saved / "progress"), str(saved / "class.yaml")]


# ---- the page ----


def a_learner() -> Progress:
    given = [("question", f"0{lesson}_the_fixed_tools/{n}", n < 3) for lesson in (1, 2, 3) for n in (1, 2, 3)]
    given += [("predict", kind, n % 3 > 0) for n, kind in enumerate([*KINDS, *KINDS, "existing", "existing"])]
    given += [("find", "chatflow", True), ("within", "made-up", False)]
    return done(CODE, given, 42)


def tables(text: str) -> list[pd.DataFrame]:
    found = re.findall(r"<table.*?</table>", text, re.S)
    cells = [
        [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in re.findall("<tr>.*?</tr>", t)] for t in found
    ]
    return [pd.DataFrame(rows[1:], columns=rows[0]) for rows in cells]


def test_the_page_shows_the_counts_by_lesson_and_by_kind_and_what_to_practise_next() -> None:
    text = page(a_learner())
    lessons, kinds = tables(text)
    assert lessons["right"].astype(int).sum() == 6 and len(lessons) == 3
    expected = by_kind([a_learner()]).set_index("kind")
    assert dict(zip(kinds["kind of contact"], kinds["wrong"].astype(int), strict=True)) == {
        html.escape(KINDS[kind]): wrong for kind, wrong in expected["wrong"].items()
    }
    first = html.unescape(kinds["kind of contact"].iloc[0])
    assert f"To practise next: “{html.escape(first)}”" in html.unescape(text).replace("'", "&#x27;")
    assert "switches found at once</dt><dd>1 of 1" in text and "tiers kept</dt><dd>0 of 1" in text


def test_a_page_of_nothing_says_so() -> None:
    text = page(Progress(code=CODE))
    for said in ("No question was answered yet", "No contact was predicted yet", "none yet", "begun alone"):
        assert said in text
    assert tables(text) == []
    assert in_short(Progress(code=CODE), LESSON) == "Lesson 3: no question answered yet."


def test_the_page_runs_no_script_and_loads_nothing() -> None:
    text = page(a_learner())
    assert "default-src 'none'" in text
    assert not re.search(r"<script|<img|<link|<iframe|url\(|@import", text)


def check_in_a_browser(browser: Browser, page: str, width: int, folder: Path) -> None:
    """That a page needs no other file, is as wide as its window or paper, and is accessible."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    with browser.new_context(offline=True, viewport={"width": width, "height": 900}) as context:
        leaf = context.new_page()
        leaf.goto((folder / "page.html").as_uri())
        if width == A4["width"]:
            leaf.emulate_media(media="print")
        assert leaf.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(leaf) == []


every_width = pytest.mark.parametrize("width", [1280, 360, A4["width"]])


@in_browser
@every_width
def test_the_page_is_accessible_wide_on_a_phone_and_on_paper(width: int, browser: Browser, tmp_path: Path) -> None:
    check_in_a_browser(browser, page(a_learner()), width, tmp_path)
