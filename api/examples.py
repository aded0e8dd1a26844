"""Examples for OpenAPI: whole answers and bodies, put together of the examples that their fields give."""

import json
from collections.abc import Mapping
from typing import Any, Final

_JSON: Final = "application/json"
_STREAM: Final = "text/event-stream"
_PLAIN: Final[Mapping[str, Any]] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None}
_TIME: Final = "2026-11-21T01:40:00Z"


class Examples:
    """Makes examples for the schemas of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]

    def add_to(self, operation: Mapping[str, Any]) -> None:
        """Add examples to the bodies that an operation takes and to the answers that it gives, where they lack."""
        if "requestBody" in operation:
            content = operation["requestBody"]["content"][_JSON]
            content.update(self._of_body(content["schema"]))
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                for media_type in {_JSON, _STREAM} & answer.get("content", {}).keys():
                    content = answer["content"][media_type]
                    content["example"] = self.of(content["schema"])

    def of(self, schema: Mapping[str, Any]) -> Any:
        """Return a value that has the form of `schema`."""
        if "$ref" in schema:
            return self.of(self._named(schema))
        said = [*schema.get("examples", []), *schema.get("enum", []), schema.get("const"), schema.get("default")]
        if fitting := [value for value in said if value is not None]:
            return fitting[0]
        if "contentSchema" in schema:
            return json.dumps(self.of(schema["contentSchema"]), separators=(",", ":"))
        if "anyOf" in schema:
            return self.of(schema["anyOf"][0])
        return self._of_type(schema)

    def _of_type(self, schema: Mapping[str, Any]) -> Any:
        kind = schema.get("type", "null")  # what may be anything may be that
        if kind == "object":
            return {name: self.of(field) for name, field in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.of(schema["items"])]
        return _TIME if schema.get("format") == "date-time" else _PLAIN[kind]

    def _of_body(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """One example, or one for each kind that the body may be of."""
        if "oneOf" not in schema:
            return {"example": self.of(schema)}
        kinds = [self._named(kind) for kind in schema["oneOf"]]
        return {
            "examples": {
                kind["properties"]["kind"]["const"]: {"summary": kind["description"], "value": self.of(kind)}
                for kind in kinds
            }
        }

    def _named(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._schemas[reference["$ref"].rsplit("/", 1)[1]]
        return found
