"""House rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("artifacts", "provenance", "access")
PACKAGES = (*APPS, "console", "kernel", "config", "client")
MODULE_LINES, FUNCTION_LINES, PARAMETERS, INDENTATION = 400, 60, 6, 4
RELAY = "config/management/commands/relay.py"
TEMPORARY_NAMES = re.compile(r"(utils?|helpers?|common|core|services|managers|misc|lib)(\.py)?")

# Why a test may skip itself. Elsewhere than CI a missing real part is a skip that says how to get
# it; with CI=true it is a failure (tests/conftest.py).
SKIP_REASONS = {
    "cosign is not on PATH": "a Go program that `.ci/run` installs",
    "curl is not on PATH": "Debian's curl",
    "Sigstore's programs are not on PATH": "Go programs that `.ci/run` installs",
    "sigstore-js is not installed": "a Node package that `.ci/run` installs",
    "versitygw is not on PATH": "a Go program that `.ci/run` installs",
    "RabbitMQ is not installed": "Debian's rabbitmq-server, which `.ci/run` installs",
    "minio is not on PATH": "a Go program that `.ci/second-opinion` installs",
    "chromium is not installed": "Debian's chromium, which `.ci/run` installs",
    "nginx is not installed": "Debian's nginx-light, which `.ci/run` installs",
    "SoftHSM is not installed": "Debian's softhsm2, which `.ci/run` installs",
    "needs root": "mounting a small file system, or making a machine of its own",
    "systemd is not installed": "Debian's systemd, which `.ci/run` installs; it need not run",
}


def modules(*packages: str) -> list[Path]:
    return [
        path
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def depth(node: ast.AST, level: int = 0) -> int:
    """How deeply blocks stand inside one another below this function."""
    deepest = level
    for child in ast.iter_child_nodes(node):
        is_block = isinstance(
            child, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match | ast.AsyncFor
        )
        if isinstance(child, ast.FunctionDef | ast.Lambda):
            continue
        deepest = max(deepest, depth(child, level + is_block))
    return deepest


@pytest.mark.parametrize("path", modules(*PACKAGES, "tests"), ids=name)
def test_keeps_modules_and_functions_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    long = [
        f"{function.name}: {function.end_lineno - function.lineno + 1} lines"
        for function in functions(path)
        if function.end_lineno is not None
        and function.end_lineno - function.lineno + 1 > FUNCTION_LINES
    ]

    assert lines <= MODULE_LINES, f"{lines} lines"
    assert not long


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=name)
def test_keeps_functions_narrow_and_flat(path: Path) -> None:
    wide = []
    for function in functions(path):
        arguments = function.args
        count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
        own = count - (bool(arguments.args) and arguments.args[0].arg in ("self", "cls"))
        if own > PARAMETERS:
            wide.append(f"{function.name}: {own} parameters")
        if depth(function) > INDENTATION:
            wide.append(f"{function.name}: {depth(function)} levels")

    assert not wide


def test_has_no_room_for_what_nobody_placed() -> None:
    strays = [name(path) for path in modules(*PACKAGES) if TEMPORARY_NAMES.fullmatch(path.name)]
    folders = [
        name(path)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        # A template that takes the place of a library's stands where the library has it.
        if path.is_dir() and "templates" not in path.parts and TEMPORARY_NAMES.fullmatch(path.name)
    ]

    assert not strays + folders


@pytest.mark.parametrize(
    "path", [path for path in modules(*PACKAGES) if name(path) != RELAY], ids=name
)
def test_lets_nothing_but_the_relay_talk_to_the_broker(path: Path) -> None:
    starters = {"delay", "apply_async", "send_task", "Producer", "SimpleQueue"}
    used = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in starters
    }

    assert not used


def test_lets_the_relay_talk_to_the_broker() -> None:
    """The twin of the rule above: the one place is there, so the rule looks for the right thing."""
    text = (ROOT / RELAY).read_text()

    assert "send_task" in text


@pytest.mark.parametrize(
    "path", [path for app in APPS for path in modules(f"{app}/usecases")], ids=name
)
def test_takes_use_cases_by_keyword_only(path: Path) -> None:
    public = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]

    assert not [node.name for node in public if node.args.args or node.args.posonlyargs]
    assert path.name == "__init__.py" or public, "a verb a file"


@pytest.mark.parametrize("path", [p for p in modules(*PACKAGES) if p.name == "tasks.py"], ids=name)
def test_lets_tasks_take_what_newer_code_sends(path: Path) -> None:
    for function in functions(path):
        if any("shared_task" in ast.unparse(mark) for mark in function.decorator_list):
            assert function.args.kwarg is not None, function.name
            assert function.args.kwarg.arg == "_later"
            body = function.body[1:] if ast.get_docstring(function) else function.body
            assert len(body) <= 4, f"{function.name} decides something"


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=name)
def test_opens_every_module_with_its_place_in_the_story(path: Path) -> None:
    text = path.read_text()
    if not text.strip():
        return
    docstring = ast.get_docstring(ast.parse(text))

    assert docstring
    assert len(docstring.splitlines()) <= 8


@pytest.mark.parametrize("path", modules("tests"), ids=name)
def test_skips_only_for_a_listed_reason(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called not in ("pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.xfail"):
            continue
        text = ast.unparse(node)
        assert any(reason in text for reason in SKIP_REASONS), f"{called} in line {node.lineno}"
