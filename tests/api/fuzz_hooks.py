"""What schemathesis loads: who asks, known values in what conforms, since chance finds no address; and the answers."""

import atexit
import itertools
import json
import os
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx2
import schemathesis

LEFT_TO_CHANCE = 4
"""One in so many requests that conform is as chance made it."""


class Fuzzer:
    """Prepares the requests of one run and counts how they are answered."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._known: dict[str, list[Any]] = given["known"]
        self._tokens: dict[str, str] = given["tokens"]
        self._answers_path = Path(given["answers"])
        self._supply = httpx2.Client(base_url=given["supply"], timeout=30)
        self._random = random.Random(given["seed"])
        self._numbers: defaultdict[str, itertools.count[int]] = defaultdict(itertools.count)
        self._pages: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._answers: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def prepare(self, case: Any) -> None:
        """Sign a request; put what there is into most of those that conform."""
        operation = _operation(case)
        by_chance = next(self._numbers[operation]) % LEFT_TO_CHANCE == LEFT_TO_CHANCE - 1
        token = self._tokens.get(operation, self._tokens[""])
        if case.meta.generation.mode.is_positive and not by_chance:
            part = case.path.removeprefix("/api/v1/").partition("/")[0]
            for parameters in (case.path_parameters, case.query, case.body):
                if isinstance(parameters, dict):
                    self._put_known(part, parameters)
            self._turn_page(operation, case)
            given = self._supply.get(f"/{operation}").raise_for_status().json()
            token = given.get("token", token)
            case.path_parameters = {**(case.path_parameters or {}), **given.get("path_parameters", {})}
            if isinstance(case.body, dict):
                case.body = {**case.body, **given.get("body", {})}
        if not by_chance or "Authorization" not in (case.headers or {}):
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}

    def note(self, case: Any, response: Any) -> None:
        """Count an answer, by its status and what it calls a problem, and keep a list's cursor."""
        operation, answer = _operation(case), str(response.status_code)
        if response.status_code >= 400:
            answer += " " + response.json()["type"].rpartition(":")[2]
        self._answers[operation][answer] += 1
        if answer == "200" and "cursor" in _query_parameters(case):
            following = response.json()["next_cursor"]
            if following is not None:
                self._pages[operation] = dict(case.path_parameters or {}), {**(case.query or {}), "cursor": following}

    def write(self) -> None:
        """Write what was counted, for who started the run."""
        self._answers_path.write_text(json.dumps(self._answers))

    def _put_known(self, part: str, parameters: dict[str, Any]) -> None:
        for name in list(parameters):
            values = self._known.get(f"{part}/{name}") or self._known.get(name)
            if values is None:
                continue
            if (value := self._random.choice(values)) is None:
                del parameters[name]
            else:
                parameters[name] = [value] if isinstance(parameters[name], list) else value

    def _turn_page(self, operation: str, case: Any) -> None:
        """Ask for the page after one that was seen; chance finds no cursor."""
        if isinstance(case.query, dict) and case.query.pop("cursor", None) is not None and operation in self._pages:
            case.path_parameters, case.query = (dict(each) for each in self._pages[operation])


def _operation(case: Any) -> str:
    name: str = case.operation.definition.raw["operationId"]
    return name


def _query_parameters(case: Any) -> set[str]:
    return {each["name"] for each in case.operation.definition.raw.get("parameters", ())}


def _install(fuzzer: Fuzzer) -> None:
    @schemathesis.hook
    def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
        """Give operations without parameters one that is ignored: there is but one request without."""
        for methods in raw_schema["paths"].values():
            for operation in methods.values():
                operation.setdefault("parameters", [{"name": "ignored", "in": "query", "schema": {"type": "integer"}}])

    @schemathesis.hook
    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        fuzzer.prepare(case)

    @schemathesis.hook
    def after_call(_context: Any, case: Any, response: Any) -> None:
        fuzzer.note(case, response)

    atexit.register(fuzzer.write)


_install(Fuzzer(json.loads(os.environ["FUZZ_GIVEN"])))
