"""One account's facts: since when it has marketing contacts, its time zone, its subscription, its switches and their
history.

A portal is what `portal.yaml` says. It is checked whole when it is made, and saving and loading it gives it back,
whatever the names of its forms, apps and imports are.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from marketable.errors import PortalError, nearest
from marketable.plain_yaml import Place, is_text
from marketable.rulebook import SOURCES, Rulebook
from marketable.settings import IsoDate, Settings, Strict, fault

ON = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


class Change(NamedTuple):
    """A switch from a moment on (account's local time; None: from the beginning)."""

    since: dt.datetime | None
    on: bool


History = tuple[Change, ...]
Flip = bool | Change | tuple[str | dt.date, bool] | Mapping[str, Any]


def _blank(value: object) -> object:
    return None if value == "" else value


def _count(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"\d{1,12}", value):
        raise fault("This is not a number of contacts", value=value, expected="a whole number like 2000")
    return value


class Subscription(Strict):
    """What the account has bought: hub, commitment (yearly or monthly), the renewal day, and the contact tier."""

    hub: Literal["starter", "professional", "enterprise"] = "professional"
    commitment: Literal["yearly", "monthly"] = "yearly"
    renewal: Annotated[IsoDate | None, BeforeValidator(_blank)] = None
    tier: Annotated[int | None, Field(gt=0), BeforeValidator(_count), BeforeValidator(_blank)] = None

    @model_validator(mode="after")
    def _monthly_needs_its_day(self) -> Subscription:
        if self.commitment == "monthly" and self.renewal is None:
            raise fault(
                "A monthly commitment needs its renewal day", place=("renewal",), expected="a date like 2026-07-15"
            )
        return self


class Portal(Settings):
    """One account.

    Arguments: time_zone, a name like Europe/Berlin; access_since, the day the account got marketing contacts (None:
    always had them); subscription; switches, by source: on or off for a source with one switch for the account, else by
    asset; instead of on or off a list of dated changes, `[{"from": "2024-03-10", "switch": "on"}]`, whose first entry
    may lack `from`.

    Raises: PortalError, for unknown names (with the nearest valid one), sources without a switch, and values that are
    not what they should be.

    >>> portal = Portal(switches={"hubspot_form": {"Newsletter": "on"}, "non_hubspot_form": False})
    >>> portal.switches["hubspot_form/Newsletter"]
    (Change(since=None, on=True),)
    """

    error = PortalError

    time_zone: str = "UTC"
    access_since: Annotated[IsoDate | None, BeforeValidator(_blank)] = None
    subscription: Annotated[Subscription, BeforeValidator(lambda value: {} if value == "" else value)] = Subscription()
    switches: Annotated[Mapping[str, History], BeforeValidator(_blank)] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            near = nearest(name, zoneinfo.available_timezones())
            raise fault(
                "There is no such time zone", value=name, expected="a name like Europe/Berlin", nearest=near
            ) from None
        return name

    @field_validator("switches", mode="plain")
    @classmethod
    def _histories(cls, by_source: object, info: Any) -> Mapping[str, History]:
        zone = zoneinfo.ZoneInfo(info.data.get("time_zone", "UTC"))
        return _histories(by_source or {}, zone)

    def settings(self) -> dict[str, Any]:
        """What portal.yaml says of the portal, as names and values."""
        by_source: dict[str, Any] = {}
        for name, history in self.switches.items():
            source, asset = split(name)
            value = (
                history[0].on
                if len(history) == 1 and history[0].since is None
                else [_entry(change) for change in history]
            )
            if asset is None:
                by_source[source] = value
            else:
                by_source.setdefault(source, {})[asset] = value
        subscription = self.subscription.model_dump(exclude_none=True)
        settings: dict[str, Any] = {"time_zone": self.time_zone}
        if self.access_since:
            settings["access_since"] = self.access_since
        return settings | {"subscription": subscription, "switches": by_source}

    def with_switches(self, flips: Mapping[str, Flip]) -> Portal:
        """The portal with some switches flipped. One that is flipped from the beginning loses its history; one that is
        flipped from a moment on keeps what was before, and has no change after.

        Arguments: flips, from the switch's name (`source/asset` or `source`) to on or off from the beginning (True or
        False), or from a moment on: `("2024-05-01", False)`, or as in portal.yaml `{"from": "2024-05-01", "switch":
        "off"}`.
        Raises: PortalError for a name that is no switch of the rulebook, and for a flip that is none of these.

        >>> Portal().with_switches({"hubspot_form/Newsletter": False}).is_on("hubspot_form/Newsletter")
        False
        >>> portal = Portal().with_switches({"hubspot_form/Newsletter": ("2024-05-01", False)})
        >>> [portal.is_on("hubspot_form/Newsletter", dt.datetime(2024, month, 1)) for month in (4, 5)]
        [None, False]
        """
        histories = dict(self.switches)
        for name, flip in flips.items():
            wrong = _misnamed(*split(name))
            if wrong:
                raise PortalError(**wrong)
            change = change_of(name, flip, self.time_zone)
            histories[name] = (*_before(change.since, self.switches.get(name, ())), change)
        return self.model_copy(update={"switches": histories})

    def is_on(self, name: str, at: dt.datetime | None = None) -> bool | None:
        """Whether a switch is on at a local time (None: after its last change); None where the portal does not say."""
        state = None
        for since, on in self.switches.get(name, ()):
            if since is None or at is None or since <= at:
                state = on
        return state


def split(switch: str) -> tuple[str, str | None]:
    """Source and asset of a switch's name; the asset is None for an account-wide one.

    >>> split("hubspot_form/Demo / request"), split("non_hubspot_form")
    (('hubspot_form', 'Demo / request'), ('non_hubspot_form', None))
    """
    source, slash, asset = switch.partition("/")
    return source, asset if slash else None


def checked_portal(portal: object) -> Portal:
    """The portal, if it is one. Raises: PortalError for anything else."""
    if not isinstance(portal, Portal):
        advice = "Portal.load(path) reads a portal.yaml; Portal() has every switch at its default."
        raise PortalError("This is no portal", value=portal, expected="a Portal", advice=advice)
    return portal


def change_of(switch: str, flip: Flip, time_zone: str) -> Change:
    """What a flip changes, and since when. Raises: PortalError for what is no flip.

    >>> change_of("non_hubspot_form", {"from": "2024-05-01", "switch": "off"}, "UTC").since
    datetime.datetime(2024, 5, 1, 0, 0)
    """
    try:
        return _flip(flip, (switch,), zoneinfo.ZoneInfo(time_zone))
    except PydanticCustomError as fault:
        told = fault.context or {}
        raise PortalError(told["problem"], place=told["place"], **told["told"]) from None


def _entry(change: Change) -> dict[str, Any]:
    since = change.since
    if since is None:
        return {"switch": change.on}
    return {"from": since if since.time() != dt.time() else since.date(), "switch": change.on}


def _misnamed(source: str, asset: str | None) -> dict[str, Any] | None:
    """What is wrong with a switch's name, as arguments of an error, or None where it may be one."""
    rulebook = Rulebook.load()
    switchable = [name for name in SOURCES if rulebook.scope(name)]
    if source not in switchable:
        fixed = source in SOURCES
        return {
            "problem": "This source has no switch, its default is fixed" if fixed else "There is no such source",
            "value": source,
            "expected": f"one of {', '.join(switchable)}",
            "nearest": None if fixed else nearest(source, switchable),
        }
    per_asset = rulebook.scope(source) == "asset"
    if per_asset == (asset is not None):
        return None
    return {
        "problem": "This source has a switch per asset" if per_asset else "This source has one switch for the account",
        "value": source if asset is None else f"{source}/{asset}",
        "expected": f"{source}/name" if per_asset else source,
    }


def _histories(by_source: object, zone: zoneinfo.ZoneInfo) -> dict[str, History]:
    if not isinstance(by_source, Mapping):
        raise fault("Switches are listed by source", value=by_source, expected="source: {asset: on}")
    switches: dict[str, History] = {}
    for source, setting in by_source.items():
        assets = setting.items() if isinstance(setting, Mapping) else [(None, setting)]
        for asset, value in assets:
            wrong = _misnamed(source, asset)
            place: Place = (source,) if asset is None else (source, asset)
            if not is_text(str(asset)):
                raise fault("This name is not text in UTF-8", place=(source,), value=asset)
            if wrong:
                raise fault(wrong.pop("problem"), place=place, **wrong)
            switches[source if asset is None else f"{source}/{asset}"] = _history(value, place, zone)
    return switches


def _history(value: object, place: Place, zone: zoneinfo.ZoneInfo) -> History:
    if not isinstance(value, list):
        return (Change(None, _state(value, place)),)
    changes: list[Change] = []
    for number, entry in enumerate(value):
        here = (*place, number)
        if not isinstance(entry, Mapping) or "switch" not in entry:
            raise fault("A change needs its date and its switch", place=here, expected="{from: 2024-03-10, switch: on}")
        for key in entry:
            if key not in ("from", "switch"):
                near = nearest(key, ("from", "switch"))
                raise fault(
                    "This name is not known here", place=(*here, key), value=key, expected="from, switch", nearest=near
                )
        since = _moment(entry["from"], (*here, "from"), zone) if "from" in entry else None
        if since is None and number:
            raise fault("Only the first change may lack its date", place=here, expected="from: a date like 2024-03-10")
        if any(since == earlier for earlier, _ in changes):
            raise fault("Two changes at the same moment", place=here, value=str(since), expected="each moment once")
        changes.append(Change(since, _state(entry["switch"], (*here, "switch"))))
    if not changes:
        raise fault("A list of changes must not be empty", place=place, expected="{from: 2024-03-10, switch: on}")
    return tuple(sorted(changes, key=lambda change: change.since or dt.datetime.min))


def _before(moment: dt.datetime | None, history: History) -> History:
    if moment is None:
        return ()
    return tuple(change for change in history if change.since is None or change.since < moment)


def _flip(value: object, place: Place, zone: zoneinfo.ZoneInfo) -> Change:
    if isinstance(value, Mapping):
        return _history([value], place, zone)[0]
    since, on = value if isinstance(value, tuple) and len(value) == 2 else (None, value)
    if not isinstance(on, (bool, np.bool_)):
        expected = 'True or False, or from a moment on ("2024-05-01", False)'
        raise fault("A flip is True or False", place=place, value=value, expected=expected)
    return Change(None if since is None else _moment(since, place, zone), bool(on))


def _state(value: object, place: Place) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() not in ON:
        near = nearest(value, ON)
        raise fault("A switch is on or off", place=place, value=value, expected="on or off", nearest=near)
    return ON[str(value).strip().lower()]


def _moment(value: object, place: Place, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    try:
        if value != value:  # a blank time of pandas
            raise ValueError
        if isinstance(value, dt.datetime):
            moment = value
        elif isinstance(value, dt.date):
            moment = dt.datetime.combine(value, dt.time())
        elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
            moment = dt.datetime.fromisoformat(value)
        else:
            raise ValueError
        return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise fault("This is not a date", place=place, value=value, expected="a date like 2024-03-10") from None
