"""What FastAPI cannot say of the routes by itself, added to ``openapi.json``.

The media type of problems, the bearer token, files as binary, bodies that are checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.schemas import SCHEMA_MARK

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
_CHANGING = (403,)  # pages of other origins may only read
_WITH_BODY = (408, 413, 415, 507)
_FIELDS = {
    "file": "the file",
    "name": "what to call it; by default what its file is called",
    "shapes": "JSON object: input -> its whole shape, where the file leaves axes open",
    "freeze": "JSON object: input -> the constant that it becomes: an array, a number, or `ones`, `zeros`, `arange`",
}
_EVENT = {
    "data": "JSON of the event",
    "event": "`job`, `trial`, `progress`, `limits` or `end`",
    "id": "the job's sequence number",
    "retry": "milliseconds to wait before connecting again",
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every 4xx and 5xx answer as a problem document, also those given before routing."""
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "demanded unless the server is bound to loopback"}
    }
    document["security"] = [{}, {"bearer": []}]
    for methods in document["paths"].values():
        for method, operation in methods.items():
            _add_problems(method, operation)
    for schema in list(_schemas(document)):
        _finish(schema)
    return document


def _add_problems(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    statuses = {int(status) for status in responses if int(status) >= 400}
    statuses |= set(_CHANGING) if method != "get" else set()
    statuses |= set(_WITH_BODY) if "requestBody" in operation else set()
    for status in sorted(statuses):
        responses[str(status)] = {"description": "problem document", "content": _PROBLEM}


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document; a schema is one that has the keywords of one."""
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from _schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from _schemas(value)


def _finish(schema: dict[str, Any]) -> None:
    if "contentMediaType" in schema:
        schema["format"] = "binary"  # what generators look at; OpenAPI 3.1 alone would do with the media type
        del schema["contentMediaType"]
    if str(schema.get("title", "")).startswith("Body_"):
        _describe(schema["properties"], _FIELDS)
    if "itemSchema" in schema:
        _describe(schema["itemSchema"]["properties"], _EVENT)
    if SCHEMA_MARK in schema:
        name, description = schema.pop(SCHEMA_MARK), schema.get("description")
        schema.clear()
        schema["$ref"] = f"#/components/schemas/{name}"
        if description is not None:
            schema["description"] = description


def _describe(properties: dict[str, Any], texts: dict[str, str]) -> None:
    """Describe the properties of a schema that FastAPI made from a signature."""
    for name, schema in properties.items():
        schema["description"] = texts[name]
