"""Checks answers against an OpenAPI document: the JSON Schema keywords that ours uses, any other one fails."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

IGNORED = {"title", "description", "examples", "default", "discriminator"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class OpenApi:
    """One document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def check_response(self, method: str, path: str, status: int, media_type: str, body: Any) -> None:
        """Assert that the answer is one that the document declares."""
        operation = self._operation(method, path)
        if operation is None:
            assert status >= 400, f"{method} {path} is not documented but answered {status}"
            self.check(body, {"$ref": "#/components/schemas/Problem"})
            return
        declared = operation["responses"].get(str(status)) or operation["responses"]["default"]
        if "content" not in declared:
            assert (status, body) == (204, {}), f"{method} {path} should answer with nothing"
            return
        assert status < 400 or declared["content"].keys() == {"application/problem+json"}
        assert media_type in declared["content"], f"{media_type} is not declared for {status}"
        self.check(body, declared["content"][media_type]["schema"])

    def check(self, value: Any, schema: Mapping[str, Any], where: str = "$") -> None:
        """Assert that `value` has the form of `schema`."""
        for keyword, expected in sorted(schema.items(), key=lambda item: item[0] != "type"):
            if keyword not in IGNORED:
                getattr(self, f"_{keyword.replace('$', '')}")(value, expected, schema, where)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None

    def _ref(self, value: Any, reference: str, _schema: Any, where: str) -> None:
        self.check(value, self.document["components"]["schemas"][reference.rsplit("/", 1)[1]], where)

    def _type(self, value: Any, name: str, _schema: Any, where: str) -> None:
        assert isinstance(value, TYPES[name]), f"{where}: {value!r} is no {name}"
        assert name == "boolean" or not isinstance(value, bool), f"{where}: {value!r} is no {name}"

    def _properties(self, value: Any, properties: Mapping[str, Any], _schema: Any, where: str) -> None:
        for name, schema in properties.items():
            if name in value:
                self.check(value[name], schema, f"{where}.{name}")

    def _required(self, value: Any, names: list[str], _schema: Any, where: str) -> None:
        missing = set(names) - set(value)
        assert not missing, f"{where}: lacks {missing}"

    def _additionalProperties(  # noqa: N802 - named like the keyword
        self, value: Any, allowed: Any, schema: Mapping[str, Any], where: str
    ) -> None:
        extra = set(value) - set(schema.get("properties", {}))
        assert allowed or not extra, f"{where}: has undeclared {extra}"

    def _items(self, value: Any, schema: Mapping[str, Any], _schema: Any, where: str) -> None:
        for index, item in enumerate(value):
            self.check(item, schema, f"{where}[{index}]")

    def _anyOf(self, value: Any, options: list[Mapping[str, Any]], _schema: Any, where: str) -> None:  # noqa: N802
        assert any(self._matches(value, option) for option in options), f"{where}: {value!r} is none of {options}"

    def _oneOf(self, value: Any, options: list[Mapping[str, Any]], _schema: Any, where: str) -> None:  # noqa: N802
        fitting = [option for option in options if self._matches(value, option)]
        assert len(fitting) == 1, f"{where}: {value!r} is {fitting} of {options}"

    def _matches(self, value: Any, schema: Mapping[str, Any]) -> bool:
        try:
            self.check(value, schema)
        except AssertionError:
            return False
        return True

    def _enum(self, value: Any, options: list[Any], _schema: Any, where: str) -> None:
        assert value in options, f"{where}: {value!r} is none of {options}"

    def _const(self, value: Any, expected: Any, _schema: Any, where: str) -> None:
        assert value == expected, f"{where}: {value!r} is not {expected!r}"

    def _pattern(self, value: Any, pattern: str, _schema: Any, where: str) -> None:
        assert re.search(pattern, value), f"{where}: {value!r} does not match {pattern}"

    def _minLength(self, value: Any, bound: int, _schema: Any, where: str) -> None:  # noqa: N802
        assert len(value) >= bound, f"{where}: {value!r} is shorter than {bound}"

    def _maxLength(self, value: Any, bound: int, _schema: Any, where: str) -> None:  # noqa: N802
        assert len(value) <= bound, f"{where}: {value!r} is longer than {bound}"

    _maxItems = _maxLength  # noqa: N815

    def _format(self, value: Any, name: str, _schema: Any, where: str) -> None:
        assert name == "date-time", f"{where}: unknown format {name}"
        assert value.endswith("Z"), f"{where}: {value!r} is not UTC"
        datetime.fromisoformat(value)

    def _minimum(self, value: Any, bound: float, _schema: Any, where: str) -> None:
        assert value >= bound, f"{where}: {value!r} is below {bound}"

    def _maximum(self, value: Any, bound: float, _schema: Any, where: str) -> None:
        assert value <= bound, f"{where}: {value!r} is above {bound}"
