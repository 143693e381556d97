"""``reference/http.md``: every call and every document of the HTTP contract, from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.main import create_app
from api.settings import Settings
from docs.generate.markdown import code, page, table


def document() -> Mapping[str, Any]:
    """``openapi.json`` as a running service serves it."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        return create_app(Settings(home, f"sqlite:///{home / 'headrace.db'}", "redis://127.0.0.1")).openapi()


def write() -> str:
    """The page."""
    found = document()
    calls = [
        (method.upper(), path, operation)
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = sorted(found["components"]["schemas"].items())
    return page(
        "HTTP",
        "`openapi.json`",
        "The contract in prose, with examples: [HTTP API](../api.md). A running service serves this description as "
        "`/openapi.json`. Problem documents: [Errors](errors.md).",
        "## Calls",
        table(["call", "operation", "does"], [_call_row(*call) for call in calls]),
        *(_call(*call) for call in calls),
        "## Documents",
        *(_schema(name, schema) for name, schema in schemas),
    )


def _call_row(method: str, path: str, operation: Mapping[str, Any]) -> tuple[str, ...]:
    return (code(f"{method} {path}"), code(operation["operationId"]), _sentence(operation))


def _sentence(node: Mapping[str, Any]) -> str:
    """The first sentence of a description, with Markdown's code spans."""
    text = " ".join(str(node.get("description", "")).replace("``", "`").split())
    return text.split(". ")[0]


def _call(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"### {method} {path}", str(operation.get("description", "")).replace("``", "`")]
    if parameters := operation.get("parameters"):
        rows = [(code(p["name"]), p["in"], _type(p["schema"]), p.get("description", "")) for p in parameters]
        parts.append(table(["parameter", "in", "type", "meaning"], rows))
    if body := operation.get("requestBody"):
        parts.append("Body: " + ", ".join(f"{_type(c['schema'])} as `{kind}`" for kind, c in body["content"].items()))
    parts.append(table(["status", "answer"], _responses(operation["responses"])))
    return "\n\n".join(parts)


def _responses(responses: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A row for each success, one for all problems together."""
    problems = sorted(status for status in responses if status >= "400")
    good = [_response(status, response) for status, response in sorted(responses.items()) if status < "400"]
    return [*good, (", ".join(problems), _type({"$ref": "ProblemView"}))] if problems else good


def _response(status: str, response: Mapping[str, Any]) -> tuple[str, str]:
    content = response.get("content", {})
    types = {_type(c.get("schema", {})) or code(kind) for kind, c in content.items()}
    return status, ", ".join(sorted(types)) or response["description"]


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (code(field), _type(node), "yes" if field in required else _default(node), node.get("description", ""))
        for field, node in schema.get("properties", {}).items()
    ]
    parts = [f"### {name}", str(schema.get("description", "")).replace("``", "`")]
    return "\n\n".join([*parts, table(["field", "type", "required, or default", "meaning"], rows)] if rows else parts)


def _default(node: Mapping[str, Any]) -> str:
    return code(node["default"]) if "default" in node else "no"


def _type(node: Mapping[str, Any]) -> str:
    """A type in words, with links to documents and the bounds of numbers."""
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf", "allOf"):
        if union in node:
            return " or ".join(_type(choice) for choice in node[union])
    if "enum" in node:
        return code(*node["enum"])
    if node.get("type") == "array":
        return f"list of {_type(node.get('items', {})) or 'anything'}"
    return _plain(node)


def _plain(node: Mapping[str, Any]) -> str:
    bounds = [
        f"{sign} {node[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in node
    ]
    text = str(node.get("const", node.get("type", "")))
    return ", ".join([text, *bounds]) if text else ""
