"""What schemathesis loads: who asks, and half of all requests about what there is, since chance finds no address."""

import json
import os
from typing import Any, Final
from zlib import crc32

import schemathesis

KNOWN: Final[dict[str, list[Any]]] = json.loads(os.environ["FUZZ_KNOWN"])
"""Name of a parameter or field -> values of what there is."""
TOKENS: Final[dict[str, str]] = json.loads(os.environ["FUZZ_TOKENS"])
"""Operation -> the access token that it is asked with; "" is any other operation."""


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Put known values into half of the requests, the same ones each time, and sign all of them."""
    for parameters in (case.path_parameters, case.query, case.body):
        if isinstance(parameters, dict):
            for name in parameters.keys() & KNOWN.keys():
                digest = crc32(repr(parameters[name]).encode())
                if digest % 2:
                    parameters[name] = KNOWN[name][digest // 2 % len(KNOWN[name])]
    operation = case.operation.definition.raw["operationId"]
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {TOKENS.get(operation, TOKENS[''])}"}
    return case
