"""What reading dates of any form promises."""

import datetime as dt
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marketable.errors import DataError
from marketable.reading.dates import DAY_FIRST, MONTH_FIRST, read_dates, read_times, time_faults

MINUTES = st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2099, 12, 31, 23, 59)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


def half_day(moment: dt.datetime) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M} {'PM' if moment.hour > 11 else 'AM'}"


Writer = Callable[[dt.datetime], str]
MONTHS_FIRST: dict[str, Writer] = {
    "3/15/2024 2:30 PM": lambda moment: f"{moment.month}/{moment.day}/{moment.year} {half_day(moment)}",
    "03/15/2024, 2:30 p.m.": lambda moment: (
        f"{moment:%m/%d/%Y}, {half_day(moment).replace('AM', 'a.m.').replace('PM', 'p.m.')}"
    ),
    "3/15/24 14:30": lambda moment: f"{moment.month}/{moment.day}/{moment:%y %H:%M}",
    "3/15/2024 2:30\u202fPM": lambda moment: f"{moment:%m/%d/%Y} {half_day(moment)}".replace(" PM", "\u202fPM"),
    "03-15-2024 14:30:00": lambda moment: f"{moment:%m-%d-%Y %H:%M:%S}",
}
DAYS_FIRST: dict[str, Writer] = {
    "15/03/2024 14:30": lambda moment: f"{moment:%d/%m/%Y %H:%M}",
    "15-03-2024 14:30": lambda moment: f"{moment:%d-%m-%Y %H:%M}",
    "15/3/24 2:30 PM": lambda moment: f"{moment.day}/{moment.month}/{moment:%y} {half_day(moment)}",
}
SETTLED: dict[str, Writer] = {
    "2024-03-15 14:30": lambda moment: f"{moment:%Y-%m-%d %H:%M}",
    "2024-03-15T14:30:00.000": lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.000",
    "2024-03-15T14:30Z": lambda moment: f"{moment:%Y-%m-%dT%H:%M}Z",
    "2024-03-15 14:30:00 UTC": lambda moment: f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    "2024-03-15 14:30:00+00": lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}+00",
    "2024-03-15 14:30:00.000 +0000": lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}.000 +0000",
    "2024/03/15 14:30": lambda moment: f"{moment:%Y/%m/%d %H:%M}",
    "2024-3-15 2:30 PM": lambda moment: f"{moment.year}-{moment.month}-{moment.day} {half_day(moment)}",
    "15.03.2024 14:30": lambda moment: f"{moment:%d.%m.%Y %H:%M}",
    "15.3.24 14.30": lambda moment: f"{moment.day}.{moment.month}.{moment:%y %H.%M}",
    "1710513000000": lambda moment: str(int(moment.replace(tzinfo=dt.UTC).timestamp() * 1000)),
}


def read(*cells: str, order: str | None = None) -> list[object]:
    return list(read_dates({"when": pd.Series(cells, range(2, 2 + len(cells)), dtype="str")}, order).times["when"])


def plain(times: list[object]) -> list[dt.datetime]:
    return [pd.Timestamp(time).tz_localize(None).to_pydatetime() for time in times]  # type: ignore[arg-type]


def fault(*cells: str, order: str | None = None) -> DataError:
    with pytest.raises(DataError) as caught:
        read(*cells, order=order)
    return caught.value


@given(st.sampled_from(sorted(SETTLED)), st.lists(MINUTES, min_size=1, max_size=5))
def test_a_form_that_settles_itself_is_read_back_exactly(form: str, moments: list[dt.datetime]) -> None:
    assume(form != "1710513000000" or min(moments) > dt.datetime(2001, 9, 10))  # before, milliseconds have 12 digits
    assert plain(read(*map(SETTLED[form], moments))) == moments


@given(st.sampled_from(sorted(DAYS_FIRST | MONTHS_FIRST)), st.lists(MINUTES, min_size=1, max_size=5), st.booleans())
def test_one_day_after_the_12th_settles_it_for_all(form: str, moments: list[dt.datetime], at_the_end: bool) -> None:
    late = dt.datetime(2024, 3, 15, 14, 30)
    moments = [*moments, late] if at_the_end else [late, *moments]
    assert plain(read(*map((DAYS_FIRST | MONTHS_FIRST)[form], moments))) == moments


@given(st.sampled_from(sorted(DAYS_FIRST | MONTHS_FIRST)), st.lists(MINUTES, min_size=1, max_size=5))
def test_what_nothing_settles_is_refused_and_read_right_once_it_is_told(form: str, moments: list[dt.datetime]) -> None:
    moments = [moment.replace(day=moment.day % 12 + 1) for moment in moments]
    assume(any(moment.day != moment.month for moment in moments))
    cells = list(map((DAYS_FIRST | MONTHS_FIRST)[form], moments))
    assert "whether the day or the month comes first" in str(fault(*cells))
    assert plain(read(*cells, order=DAY_FIRST if form in DAYS_FIRST else MONTH_FIRST)) == moments


def test_a_refusal_names_the_first_cell_and_what_to_give() -> None:
    found = fault("5/5/2024", "3/4/2024")
    assert (found.row, found.column, found.value) == (3, "when", "3/4/2024")
    assert 'Say which it is, dates="day first" or dates="month first"' in str(found)


def test_where_day_and_month_are_alike_nothing_needs_to_be_settled() -> None:
    assert read("5/5/2024") == [pd.Timestamp(2024, 5, 5)]


def test_one_column_settles_it_for_the_others() -> None:
    created, sent = pd.Series(["3/4/2024"]), pd.Series(["3/15/2024"])
    dates = read_dates({"created": created, "sent": sent})
    assert dates.order == MONTH_FIRST
    assert dates.times["created"].tolist() == [pd.Timestamp(2024, 3, 4)]


def test_dots_mean_that_the_day_comes_first_in_the_other_columns_too() -> None:
    assert read("3/4/2024", "05.06.2024") == [pd.Timestamp(2024, 4, 3), pd.Timestamp(2024, 6, 5)]


def test_cells_that_contradict_each_other_are_refused_with_one_row_of_each() -> None:
    found = fault("3/15/2024", "1/2/2024", "15/3/2024")
    assert found.row == 2 and "the day in '15/3/2024' (row 4, column when)" in str(found)


def test_cells_that_do_not_fit_the_order_given_are_no_dates() -> None:
    assert read("3/15/2024", "15/3/2024", order=DAY_FIRST)[1] == pd.Timestamp(2024, 3, 15)
    assert pd.isna(read("3/15/2024", "15/3/2024", order=DAY_FIRST)[0])


def test_another_order_is_an_error_that_offers_the_nearest() -> None:
    assert "Did you mean 'day first'?" in str(fault("3/4/2024", order="days first"))


@pytest.mark.parametrize("cells", [["45366.604", "", "45367"], ["45366,604"]])
def test_serial_numbers_of_excel_are_refused_and_told_how_to_mend(cells: list[str]) -> None:
    assert "the serial numbers that Excel keeps for dates" in str(fault(*cells))
    assert "Format the column in Excel" in str(fault(*cells))


def test_a_number_among_dates_is_no_date() -> None:
    assert pd.isna(read("2024-03-01", "45366.604")[1])


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday",
        "2024-02-30",
        "31/04/2024",
        "13/13/2024",
        "0/1/2024",
        "15/3-2024",
        "15/3/024",
        "115/3/2024",
        "15/3/2024 24:00",
        "15/3/2024 14:60",
        "15/3/2024 14:30 PM",
        "15/3/2024 0:30 AM",
        "15/3/2024 14:30 CET",
        "1709287200",
        "17092872000000",
        "Tuesday 15/3/2024",
        "\u0661\u0665/3/2024",
    ],
)
def test_what_is_no_date_stays_none_and_is_a_row_to_reject(cell: str) -> None:
    cells = pd.Series([cell, "16/3/2024"], [2, 3], dtype="str")
    times = read_dates({"when": cells}).times["when"]
    assert times.isna().tolist() == [True, False]
    assert time_faults(cells, times, "when")["row"].tolist() == [2]


def test_blank_cells_stay_blank_and_blanks_around_do_not_matter() -> None:
    assert read("", " 15/3/2024\u00a0", "2024-03-15 14:30 ")[1:] == [
        pd.Timestamp(2024, 3, 15),
        pd.Timestamp(2024, 3, 15, 14, 30),
    ]
    assert pd.isna(read("", "15/3/2024")[0])


def test_forms_with_and_without_a_zone_stand_side_by_side() -> None:
    dates = read_dates({"when": pd.Series(["2024-03-01T09:30+02:00", "15/3/2024", "1709287200000", "2024-03-01"])})
    assert list(dates.times["when"]) == [
        pd.Timestamp("2024-03-01 09:30+02:00"),
        pd.Timestamp(2024, 3, 15),
        pd.Timestamp("2024-03-01 10:00", tz="UTC"),
        pd.Timestamp(2024, 3, 1),
    ]


def test_the_forms_are_told_in_words() -> None:
    cells = pd.Series(["", "3/4/2024 2:30 PM", "3/15/2024 9:00 AM"])
    assert read_dates({"a": cells, "b": pd.Series(["2024-03-01", "", ""])}).forms == {
        "a": "3/4/2024 2:30 PM, month first",
        "b": "ISO 8601",
    }


@given(st.lists(st.text(max_size=20) | st.from_regex(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}( \d\d?:\d\d)?", fullmatch=True)))
def test_any_cells_are_dates_or_none_or_an_error_for_people(cells: list[str]) -> None:
    for order in (None, DAY_FIRST, MONTH_FIRST):
        try:
            assert len(read(*cells, order=order)) == len(cells)
        except DataError:
            assert order is None or "serial numbers" in str(fault(*cells, order=order))


@given(
    st.lists(st.sampled_from(["2024-03-01", "2024-03-01T09:30Z", " 2024-03-01 ", "", "no", "2024-02-30"]), min_size=1)
)
def test_iso_8601_is_read_as_read_times_reads_it(cells: list[str]) -> None:
    series = pd.Series(cells, dtype="str")
    pd.testing.assert_series_equal(read_dates({"when": series}).times["when"], read_times(series))
