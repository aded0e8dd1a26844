"""The state machines of a test module and the invariants that they check, read from its source."""

import ast

MACHINE = "RuleBasedStateMachine"


def invariants(module: ast.Module) -> dict[str, list[str]]:
    """Return the invariants of each machine by the machine's name, with those that it inherits within the module.

    An invariant that only reads the state and passes it on to others counts as those.
    """
    machines: dict[str, list[str]] = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            inherited = [name for base in bases for name in machines.get(base, [])]
            if MACHINE in bases or inherited:
                machines[node.name] = [*inherited, *(name for name in _own(node) if name not in inherited)]
    return machines


def _own(machine: ast.ClassDef) -> list[str]:
    methods = {part.name: part for part in machine.body if isinstance(part, ast.FunctionDef)}
    asserting = {name for name, method in methods.items() if any(isinstance(n, ast.Assert) for n in ast.walk(method))}
    names: list[str] = []
    for name, method in methods.items():
        if any(ast.unparse(decorator) == "invariant()" for decorator in method.decorator_list):
            called = {node.attr for node in ast.walk(method) if isinstance(node, ast.Attribute)} & asserting
            names += sorted(called) if name not in asserting and len(called) > 1 else [name]
        elif name in asserting and not name.startswith("_") and not method.decorator_list:
            names.append(name)
    return list(dict.fromkeys(names))
