"""Rows of models by statements whose text is made once.

Django writes the SQL of a query anew whenever it is asked. For a join of four tables that takes
several times as long as the answer: too long for what is asked again for each of 10,000 files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from django.db import connection
from django.db.models import Model
from django.db.models.fields import NOT_PROVIDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import Field

Found = TypeVar("Found", bound=Model)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the answer, as models; `more` is what was selected behind their columns."""

    models: Mapping[type[Model], Model | None]
    more: tuple[Any, ...]

    def the(self, model: type[Found]) -> Found:
        """The row of this table.

        Raises:
            LookupError: nothing was joined.
        """
        found = self.maybe(model)
        if found is None:
            raise LookupError(model.__name__)
        return found

    def maybe(self, model: type[Found]) -> Found | None:
        """The same; None where an outer join found nothing."""
        return cast("Found | None", self.models[model])


class Joined:
    """A SELECT that begins with all columns of these tables: `{alias}` stands for them, in order.

    A model has one alias at most.
    """

    def __init__(self, text: str, **tables: type[Model]) -> None:
        self._template = text
        self._tables = tables

    def first(self, **parameters: Any) -> Row | None:  # noqa: ANN401 - whatever psycopg takes
        """The first row for these `%(name)s`; None when there is none."""
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            values = cursor.fetchone()
        return self._row(values) if values is not None else None

    def all(self, **parameters: Any) -> list[Row]:  # noqa: ANN401 - as above
        """Every row for these `%(name)s`, in the statement's order."""
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            return [self._row(values) for values in cursor.fetchall()]

    def _row(self, values: tuple[Any, ...]) -> Row:
        models: dict[type[Model], Model | None] = {}
        start = 0
        for columns in self._columns.values():
            end = start + len(columns.names)
            models[columns.model] = columns.instance(values[start:end])
            start = end
        return Row(models, values[start:])

    # Made late, because a model knows its columns when all models are loaded.
    @cached_property
    def _columns(self) -> dict[str, _Columns]:
        return {alias: _Columns.of(model) for alias, model in self._tables.items()}

    @cached_property
    def _text(self) -> str:
        return self._template.format(
            **{
                alias: ", ".join(f'"{alias}"."{name}"' for name in columns.names)
                for alias, columns in self._columns.items()
            }
        )


@dataclass(frozen=True, slots=True)
class _Columns:
    """A model's columns, its attributes for them, and how some are read, by position."""

    model: type[Model]
    names: tuple[str, ...]
    attributes: tuple[str, ...]
    readers: Mapping[int, Callable[[Any, None, object], Any]]

    @classmethod
    def of(cls, model: type[Model]) -> Self:
        fields = model._meta.concrete_fields  # noqa: SLF001 - Django documents it
        return cls(
            model=model,
            names=tuple(str(field.column) for field in fields),
            attributes=tuple(field.attname for field in fields),
            readers={
                position: field.from_db_value
                for position, field in enumerate(fields)
                if hasattr(field, "from_db_value")
            },
        )

    def instance(self, values: tuple[Any, ...]) -> Model | None:
        """As a query of Django's makes it; None for the nulls of an outer join."""
        if not any(value is not None for value in values):
            return None
        read = list(values)
        for position, reader in self.readers.items():
            read[position] = reader(values[position], None, connection)
        return self.model.from_db(connection.alias, self.attributes, read)


def insert(row: Model) -> None:
    """Write a new row, as `save` does; what the database makes by itself is not read back.

    Raises:
        IntegrityError: as `save`.
    """
    new = _new(type(row))
    with connection.cursor() as cursor:
        cursor.execute(new.text, new.values(row))
    _is_saved(row)


def insert_numbered(row: Model) -> None:
    """The same for a row whose key the database counts up: the row has it afterwards.

    Raises:
        IntegrityError: as `save`.
    """
    new = _new(type(row))
    with connection.cursor() as cursor:
        cursor.execute(f'{new.text} RETURNING "{new.key}"', new.values(row))
        [row.pk] = cursor.fetchone()
    _is_saved(row)


def _is_saved(row: Model) -> None:
    row._state.adding = False  # noqa: SLF001 - Django documents it
    row._state.db = connection.alias  # noqa: SLF001 - as above


@dataclass(frozen=True, slots=True)
class _New:
    """An INSERT into a model's table, with the fields whose values it takes, and its key."""

    text: str
    fields: tuple[Field[Any, Any], ...]
    key: str

    def values(self, row: Model) -> list[Any]:
        return [
            field.get_db_prep_save(field.pre_save(row, True), connection)  # noqa: FBT003 - Django's
            for field in self.fields
        ]


@cache
def _new(model: type[Model]) -> _New:
    fields = tuple(
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django documents it
        if field is not model._meta.auto_field  # noqa: SLF001 - as above
        # The database makes what Django has no default for.
        and (field.db_default is NOT_PROVIDED or field.has_default())
    )
    names = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join("%s" for _ in fields)
    table = model._meta.db_table  # noqa: SLF001 - as above
    text = f'INSERT INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608 - names of ours
    return _New(text, fields, str(model._meta.pk.column))  # noqa: SLF001 - as above
