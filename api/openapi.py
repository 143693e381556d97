"""What FastAPI cannot say of the routes by itself, added to ``openapi.json``: media type of problems, bearer token."""

from __future__ import annotations

from typing import Any

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
_CHANGING = (403,)  # pages of other origins may only read
_WITH_BODY = (408, 413, 415, 507)


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every 4xx and 5xx answer as a problem document, also those given before routing."""
    document.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "demanded unless the server is bound to loopback"}
    }
    document["security"] = [{}, {"bearer": []}]
    for methods in document["paths"].values():
        for method, operation in methods.items():
            responses = operation["responses"]
            statuses = {int(status) for status in responses if int(status) >= 400}
            statuses |= set(_CHANGING) if method != "get" else set()
            statuses |= set(_WITH_BODY) if "requestBody" in operation else set()
            for status in sorted(statuses):
                responses[str(status)] = {"description": "problem document", "content": _PROBLEM}
    return document
