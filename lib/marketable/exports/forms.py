"""What the account's own forms tell, as Forms API v2 has them: what each is called, and whether its switch is on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

_CAPTURED = "captured"
_HUBSPOT = ("hubspot", "flow")
"""Types of forms. The others, as comments on a blog, are not in HubSpot's article."""


@dataclass(frozen=True)
class Forms:
    """`names` of forms by form_id; `switches`, as a Portal is given them; `captured`, the names of those that HubSpot
    did not make, where no other form bears them; `notes` in words.
    """

    names: dict[str, str] = field(default_factory=dict)
    switches: dict[str, dict[str, bool] | bool] = field(default_factory=dict)
    captured: frozenset[str] = frozenset()
    notes: dict[str, str] = field(default_factory=dict)

    def told_apart(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with a source and an asset, those of captured forms among them as what they are."""
        if not self.captured:
            return rows
        are = rows["source"].eq("hubspot_form") & rows["asset"].isin(list(self.captured))
        return rows.assign(source=rows["source"].mask(are, "non_hubspot_form"))


def forms_of(forms: Iterable[Mapping[str, Any]]) -> Forms:
    """What forms of API v2 tell. Forms that HubSpot did not make share one switch, the account's.

    >>> form = {"guid": "f-news", "name": "Newsletter", "createMarketableContact": True, "formType": "HUBSPOT"}
    >>> forms_of([form]).switches
    {'hubspot_form': {'Newsletter': True}}
    """
    names: dict[str, str] = {}
    kinds: dict[str, set[str]] = {}
    told: dict[str, dict[str, set[bool]]] = {"hubspot_form": {}, "non_hubspot_form": {}}
    for form in forms:
        name = str(form.get("name") or form["guid"])
        names[str(form["guid"])] = name
        kind, switch = str(form.get("formType", "hubspot")).casefold(), form.get("createMarketableContact")
        kinds.setdefault(name, set()).add(kind)
        if isinstance(switch, bool) and kind in (*_HUBSPOT, _CAPTURED):
            of = told["non_hubspot_form" if kind == _CAPTURED else "hubspot_form"]
            of.setdefault("" if kind == _CAPTURED else name, set()).add(switch)
    called = {"": "forms that HubSpot did not make"}
    unclear = [called.get(name, name) for of in told.values() for name, is_on in of.items() if len(is_on) > 1]
    own = {name: is_on.pop() for name, is_on in told["hubspot_form"].items() if len(is_on) == 1}
    others = [is_on.pop() for is_on in told["non_hubspot_form"].values() if len(is_on) == 1]
    switches: dict[str, dict[str, bool] | bool] = {"hubspot_form": own} if own else {}
    if others:
        switches["non_hubspot_form"] = others[0]
    notes = {"the account's forms": f"{len(names):,}, with their names and switches"} if names else {}
    if unclear:
        notes["forms at odds"] = f"{', '.join(unclear)}: on in one form and off in another, so nothing is taken from it"
    captured = frozenset(name for name, each in kinds.items() if each == {_CAPTURED})
    return Forms(names, switches, captured, notes)
