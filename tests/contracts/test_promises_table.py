"""The table of adapters and promises … (its cells are compared by the suites themselves)."""

import importlib

from tests.contracts.promises import BROKEN, PORTS, rows


def test_names_no_promise_that_nobody_tests() -> None:
    tested = {
        (port, name.removeprefix("test_").replace("_", " "))
        for module, port in PORTS.items()
        for name in vars(importlib.import_module(f"tests.contracts.{module}"))
    }

    assert set(rows()) <= tested
    assert {port for port, _promise in rows()} == set(PORTS.values())


def test_has_no_adapter_that_breaks_one() -> None:
    assert [promise for promise, row in rows().items() if BROKEN in row.values()] == []
