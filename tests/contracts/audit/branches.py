"""The branches that a contract's source has, and the jump of its bytecode at which each is decided."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from vyper import ast as vy_ast
from vyper.compiler.output import build_abi_output
from vyper.ir.compile_ir import assembly_to_evm

from .sourcemap import CONTRACTS, TURNED, compile_contract

PUSH0, PUSH32, DUP1, JUMPI, JUMPDEST, REVERT = 0x5F, 0x7F, 0x80, 0x57, 0x5B, 0xFD
# Where every check without a reason jumps to when it fails.
REVERTING: Final = bytes([JUMPDEST, PUSH0, DUP1, REVERT])


@dataclass(frozen=True, order=True)
class Branch:
    """One of the two ways on from a decision of the source.

    `condition` is an `if`'s, an assertion's, a conditional expression's, one operand's of an `and` or `or`, or a
    loop's, which holds when its body runs (again).
    """

    source: str
    function: str
    line: int
    column: int
    part: int
    condition: str
    holds: bool

    def __str__(self) -> str:
        return f"{self.source} {self.function}: {self.condition} {'holds' if self.holds else 'fails'}"


@dataclass(frozen=True)
class Code:
    """Bytecode as compiled, which arguments or immutables follow on chain, and its branches.

    `branches` has by the position of a JUMPI the branch when it does not jump and the one when it does.
    """

    length: int
    digest: str
    branches: dict[int, tuple[Branch, Branch]]

    def matches(self, bytecode: bytes) -> bool:
        """Tell whether code on chain is this, whatever follows it."""
        return hashlib.sha256(bytecode[: self.length]).hexdigest() == self.digest


def deployables() -> list[Path]:
    """Return the sources of the contracts that are deployed."""
    return sorted(path for path in CONTRACTS.rglob("[A-Z]*.vy") if path.parent.name != "mocks")


@dataclass(frozen=True)
class Contract:
    """A contract as compiled: what its constructor runs, and what stays on chain."""

    name: str
    functions: int
    # Bytes, the immutables' included.
    size: int
    initialisation: Code
    runtime: Code

    @cached_property
    def branches(self) -> set[Branch]:
        """All branches; a function that the constructor calls, too, has them once."""
        return {
            branch for code in (self.initialisation, self.runtime) for ways in code.branches.values() for branch in ways
        }

    def taken(self, jumps: Mapping[str, set[tuple[int, bool]]]) -> set[Branch]:
        """Return the branches that recorded jumps, by the digest of their code, went along."""
        return {
            ways[jumped]
            for code in (self.initialisation, self.runtime)
            for position, jumped in jumps.get(code.digest, ())
            if (ways := code.branches.get(position))
        }


def compile_deployable(source: Path) -> Contract:
    """Return the contract of a source that is deployed."""
    compiled = compile_contract(source)
    metadata = bytes.fromhex(compiled.integrity_sum)
    initialisation, maps = assembly_to_evm(compiled.assembly, compiler_metadata=metadata)
    runtime, runtime_maps = assembly_to_evm(compiled.assembly_runtime)
    return Contract(
        name=source.stem,
        functions=len({entry["name"] for entry in build_abi_output(compiled) if entry["type"] == "function"}),
        size=len(runtime) + compiled.global_ctx.immutable_section_bytes,
        initialisation=_Listing(initialisation, initialisation.index(runtime), maps).code(),
        runtime=_Listing(runtime, len(runtime), runtime_maps).code(),
    )


class _Listing:
    """Bytecode, of which what stands before `end` is executed, beside the compiler's map of it to the source."""

    def __init__(self, bytecode: bytes, end: int, maps: dict[str, Any]) -> None:
        self._bytecode = bytecode
        self._end = end
        self._nodes: dict[int, Any] = maps["pc_raw_ast_map"]
        self._notes: dict[int, str] = maps["error_map"]

    def code(self) -> Code:
        parts: Counter[Any] = Counter()
        branches = {}
        for pc in self._jumps():
            node = self._nodes[pc]
            holds_on_jump = self._holds_on_jump(pc, node)
            if holds_on_jump is not None:
                part = parts[node.node_id, node.module_node.path]
                parts[node.node_id, node.module_node.path] += 1
                again = self._destinations[pc] < pc
                branches[pc] = (
                    _branch(node, part, holds=not holds_on_jump, again=again),
                    _branch(node, part, holds=holds_on_jump, again=again),
                )
        return Code(len(self._bytecode), hashlib.sha256(self._bytecode).hexdigest(), branches)

    @cached_property
    def _following(self) -> dict[int, int]:
        following, pc = {}, 0
        while pc < self._end:
            opcode = self._bytecode[pc]
            following[pc] = pc + 1 + (opcode - PUSH0 if PUSH0 < opcode <= PUSH32 else 0)
            pc = following[pc]
        return following

    @cached_property
    def _destinations(self) -> dict[int, int]:
        """Return where each JUMPI jumps to: what is pushed right before it."""
        return {
            jump: int.from_bytes(self._bytecode[push + 1 : jump])
            for push, jump in self._following.items()
            if jump < self._end and self._bytecode[jump] == JUMPI
        }

    def _jumps(self) -> Iterator[int]:
        """Yield the jumps that sources under contracts/ ask for."""
        for pc in self._destinations:
            node = self._nodes.get(pc)
            if node is not None and Path(node.module_node.resolved_path).is_relative_to(CONTRACTS):
                yield pc

    def _holds_on_jump(self, pc: int, node: Any) -> bool | None:
        """Tell whether a jump means that the condition of `node` holds; None if the source decides nothing here."""
        destination = self._destinations[pc]
        reverts = self._bytecode[destination : destination + len(REVERTING)] == REVERTING
        holds: bool | None = None
        match node:
            case vy_ast.Assert():
                holds = not reverts
            case vy_ast.For() if not reverts:  # otherwise it is the compiler's check of the number of rounds
                holds = destination < pc
            case vy_ast.BoolOp():
                # What settles the whole is a constant of the operator itself; otherwise the next operand is evaluated.
                settled = self._nodes.get(pc + 1) is node
                holds = settled is isinstance(node.op, vy_ast.And)
            case vy_ast.If():
                turned = self._notes.get(pc) == TURNED
                holds = turned or self._leads_to(destination, node.body) or self._leads_to(pc + 1, node.orelse)
            case vy_ast.IfExp():
                holds = self._leads_to(destination, [node.body]) or self._leads_to(pc + 1, [node.orelse])
        return holds

    def _leads_to(self, pc: int, block: Sequence[Any]) -> bool:
        """Tell whether the first instruction from `pc` on that the map knows belongs to `block`."""
        while pc in self._following and self._nodes.get(pc) is None:
            pc = self._following[pc]
        node = self._nodes.get(pc)
        return node is not None and any(_contains(outer, node) for outer in block)


def _contains(outer: Any, node: Any) -> bool:
    start, end = (outer.lineno, outer.col_offset), (outer.end_lineno, outer.end_col_offset)
    return outer.module_node is node.module_node and start <= (node.lineno, node.col_offset) < end


def _branch(node: Any, part: int, *, holds: bool, again: bool) -> Branch:
    match node:
        case vy_ast.For():
            condition = f"for {node.target.target.id} in {node.iter.node_source_code}{', again' if again else ''}"
        case vy_ast.BoolOp():
            condition = node.values[part].node_source_code
        case _:
            condition = node.test.node_source_code
    function = node.get_ancestor(vy_ast.FunctionDef).name
    source = Path(node.module_node.resolved_path).relative_to(CONTRACTS).as_posix()
    return Branch(source, function, node.lineno, node.col_offset, part, " ".join(condition.split()), holds)
