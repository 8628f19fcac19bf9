"""Settings checked whole: pydantic models that refuse unknown names, and their faults told as this library tells
them.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from marketable.errors import MarketableError, nearest
from marketable.paths import write_whole
from marketable.plain_yaml import Place, dump, load, read

Model = TypeVar("Model", bound=BaseModel)


def fault(problem: str, *, place: Place = (), **told: object) -> PydanticCustomError:
    """A fault for a validator to raise; `told` are arguments of MarketableError, place is where, below the value that
    is validated.
    """
    return PydanticCustomError("told", "{problem}", {"problem": problem, "place": place, "told": told})


def _iso_date(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise fault("This is not a date", value=value, expected="a date like 2024-02-14")
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise fault("There is no such day", value=value, expected="a date like 2024-02-14") from None
    return value


IsoDate = Annotated[dt.date, BeforeValidator(_iso_date)]


class Strict(BaseModel):
    """A frozen model whose unknown names are faults that offer the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_names_only(cls, data: Any) -> Any:
        names = [field.alias or name for name, field in cls.model_fields.items()]
        if isinstance(data, Mapping):
            for key in data:
                if key not in names:
                    told = {"value": key, "expected": f"one of {', '.join(names)}", "nearest": nearest(key, names)}
                    raise fault("This name is not known here", place=(str(key),), **told)
        elif not isinstance(data, cls):
            raise fault("Names with values are needed here", value=data, expected=f"some of {', '.join(names)}")
        return data


class Settings(Strict):
    """A strict model that is a YAML file of its user's; what is wrong with it is told as an `error`."""

    error: ClassVar[type[MarketableError]]

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as faults:
            tell(faults, self.error, {})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """What a YAML file says. Raises: the model's error, naming file and line."""
        return cls._of(*read(Path(path), cls.error), file=path)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """What a YAML text says. Raises: the model's error, naming the line."""
        return cls._of(*load(text, cls.error))

    def settings(self) -> dict[str, Any]:
        """What its file says, as names and values."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def text(self) -> str:
        """Its file: YAML text, which `of_text` reads back as an equal one."""
        settings = self.settings()
        return dump(settings) if settings else ""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, whole or not at all."""
        write_whole(Path(path), self.text().encode())

    @classmethod
    def _of(cls, data: Any, lines: Mapping[Place, int], file: str | os.PathLike[str] | None = None) -> Self:
        try:
            return cls.model_validate({} if data in (None, "") else data)
        except ValidationError as faults:
            tell(faults, cls.error, lines, file)
        except MarketableError as wrong:  # pydantic made the model by calling it, and only this call knows the lines
            raise wrong.located(file, lines) from None


def validate(
    model: type[Model], data: object, error: type[MarketableError], lines: Mapping[Place, int], file: object = None
) -> Model:
    """The model made of the data. Raises: error, for the first fault, with the line that `lines` gives for its
    place.
    """
    try:
        return model.model_validate(data)
    except ValidationError as faults:
        tell(faults, error, lines, file)


def read_as(model: type[Model], path: Path, error: type[MarketableError]) -> tuple[Model, Mapping[Place, int]]:
    """The model that a YAML file holds, and the line of each place in it. Raises: error, as `validate` does."""
    data, lines = read(path, error)
    return validate(model, data, error, lines, path), lines


def tell(
    faults: ValidationError, error: type[MarketableError], lines: Mapping[Place, int], file: Any = None
) -> NoReturn:
    """Raises the first of pydantic's faults as one of this library's errors."""
    first = faults.errors(include_url=False)[0]
    context = first.get("ctx", {})
    place: Place = (*first["loc"], *context.get("place", ()))
    told = dict(context.get("told", {}))
    if first["type"] == "missing":
        told["expected"] = f"a value for {place[-1]}"
    elif first["type"] != "told":
        told["value"] = first["input"]
    raise error(context.get("problem") or first["msg"], place=place, **told).located(file, lines) from None
