"""Compiles a contract with a source map that knows every jump that decides something.

The compiler's own map leaves out the jumps of loops over lists, and those that its optimiser turns around to save a
second one. What is changed here are notes beside the code: the bytecode stays the same to the byte.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import snekmate
from vyper.codegen.stmt import Stmt
from vyper.compiler import CompilerData
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.ir import compile_ir

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
CONTRACTS: Final = PROJECT_ROOT / "contracts"
LIBRARIES: Final = Path(next(iter(snekmate.__path__))).parent
TURNED: Final = "turned around"


def compile_contract(source: Path) -> CompilerData:
    """Return the compiler's results for a contract, all computed: the same as Ape's and titanoboa's."""
    bundle = FilesystemInputBundle([LIBRARIES, PROJECT_ROOT, CONTRACTS, source.parent])
    compiled = CompilerData(bundle.load_file(source), bundle)
    with ExitStack() as patches:
        for owner, name, remembering in (
            (Stmt, "_parse_For_list", _remembering_loops),
            (compile_ir, "_optimize_inefficient_jumps", _remembering_turns),
        ):
            patches.enter_context(patch.object(owner, name, remembering(getattr(owner, name))))
        _ = compiled.bytecode, compiled.bytecode_runtime
    return compiled


def _remembering_loops(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(statement: Any) -> Any:
        """Translate a loop over a list, and note its source at the loop itself instead of only around it."""
        result = original(statement)
        inner = result
        while inner.value == "with":
            inner = inner.args[-1]
        inner.args[-1].ast_source = statement.stmt
        return result

    return parse


def _remembering_turns(original: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def optimise(assembly: list[Any]) -> bool:
        """Turn jumps around, and note at each new one the source of the old one."""
        turned = [assembly[i + 1].ast_source for i in _turnable(assembly)]
        changed = original(assembly)
        new = [i for i, item in enumerate(assembly) if type(item) is str and item == "JUMPI"]
        for i, source in zip(new, turned, strict=True):
            assembly[i] = compile_ir.Instruction("JUMPI", source, TURNED)
        return changed

    return optimise


def _turnable(assembly: list[Any]) -> Iterator[int]:
    """Yield where the optimiser finds a jump past another jump."""
    i = 0
    while i < len(assembly) - 6:
        past, jumpi, _, jump, label, jumpdest = assembly[i : i + 6]
        if compile_ir.is_symbol(past) and (jumpi, jump, jumpdest) == ("JUMPI", "JUMP", "JUMPDEST") and past == label:
            yield i
            i += 5
        else:
            i += 1
