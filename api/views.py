"""What all answers are made of: typed documents, pages of them, and problem documents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.config import JsonDict

ItemT = TypeVar("ItemT")


def _rfc3339(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Time = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str), Field(json_schema_extra={"format": "date-time"})]
Document = dict[str, Any]


class View(BaseModel):
    """An answer. Clients must accept fields they do not know."""

    model_config = ConfigDict(protected_namespaces=())


class OpenView(View):
    """An answer that keeps what older and newer workers recorded beside the fields that are known."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


def absent_unless_known(description: str, unit: str = "") -> Any:
    """A field that is left out of the answer, rather than null, where nobody knows its value; "" for no unit."""
    extra: JsonDict | None = {"x-unit": unit} if unit else None
    return Field(None, description=description, exclude_if=lambda value: value is None, json_schema_extra=extra)


class PageView(View, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT] = Field(description="the items of this page")
    next_cursor: str | None = Field(None, description="`cursor` of the next page; null behind the last one")


class ErrorItem(OpenView):
    """One offending place: a pointer into the body, a parameter, or a node of a model."""

    detail: str | None = absent_unless_known("what is wrong, and what to do")
    pointer: str | None = absent_unless_known("JSON pointer into the body")
    parameter: str | None = absent_unless_known("the header or parameter of the query")
    node: str | None = absent_unless_known("node of the model")
    operator: str | None = absent_unless_known("operator of that node")
    reason: str | None = absent_unless_known("why that node is refused")


class ProblemView(OpenView):
    """RFC 9457 problem document."""

    type: str = Field(description="`urn:headrace:problem:` and a slug; stable, to be switched on")
    title: str = Field(description="what every problem of this type is")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="what is wrong here, and what to do")
    errors: list[ErrorItem] | None = absent_unless_known("every offending place")
