"""docs/settings.md describes the settings that the code reads, with the defaults that it has."""

import ast
import os
from typing import Final

import pytest

from config.setting import NONE, REQUIRED, Setting
from config.settings.env import OF_THE_CLIENT, PREFIX, read
from config.settings_reference import SETTINGS, page
from tests.factories.pages import ROOT

PAGE: Final = ROOT / "docs" / "settings.md"
DESCRIBED: Final = {setting.variable for setting in SETTINGS}
DIRECTORY: Final = {
    **{s.variable: s.example.strip("`()") for s in SETTINGS if s.default == REQUIRED},
    "STRONGROOM_BLOB_DIRECTORY": "/var/lib/strongroom/blobs",
}
BUCKET: Final = {
    **DIRECTORY,
    "STRONGROOM_BLOB_DIRECTORY": "",
    "STRONGROOM_S3_BUCKET": "strongroom-blobs",
}
LOGIN: Final = ("LOGIN_OIDC_ISSUER", "LOGIN_OIDC_CLIENT_ID", "LOGIN_OIDC_CLIENT_SECRET_FILE")
# What is refused alone, or says nothing.
TOGETHER: Final = (
    ("KEY_TIMESTAMPS", "KEY_LOG"),
    LOGIN,
    ("SIGSTORE_TUF_URL", "SIGSTORE_TUF_ROOT", "SIGSTORE_TUF_CACHE"),
    ("PUBLIC_SIGSTORE_TUF_URL", "PUBLIC_SIGSTORE_TUF_ROOT", "PUBLIC_SIGSTORE_TUF_CACHE"),
)


def _examples(names: tuple[str, ...]) -> dict[str, str]:
    return {one.variable: one.example for one in SETTINGS if one.name in names}


def _is_read(variable: str) -> bool:
    try:
        read({**BUCKET, variable: "?"})
    except SystemExit as stopped:
        return f"{variable} is not a setting" not in str(stopped)
    return True


def _names_in_the_code() -> set[str]:
    modules = sorted((ROOT / "config" / "settings").glob("*.py"))
    trees = [ast.parse(module.read_text()) for module in modules]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = {f"{PREFIX}{text}" for text in texts if isinstance(text, str) and text.isupper()}
    return {name for name in names - OF_THE_CLIENT if _is_read(name)}


def test_shows_what_the_code_describes() -> None:
    if os.environ.get("UPDATE"):
        PAGE.write_text(page())

    assert PAGE.read_text() == page()


def test_describes_every_setting_that_is_read_and_no_other() -> None:
    assert _names_in_the_code() - {f"{PREFIX}ENV_FILE"} == DESCRIBED
    assert [name for name in DESCRIBED if not _is_read(name)] == []


@pytest.mark.parametrize(
    "setting", [s for s in SETTINGS if s.default not in (NONE, REQUIRED)], ids=lambda s: s.name
)
def test_has_the_default_that_the_code_has(setting: Setting) -> None:
    base = {**BUCKET, **_examples(LOGIN)}
    without, with_it = read(base), read({**base, setting.variable: setting.default})
    another = setting.example if setting.example != setting.default else setting.default
    with_another = read({**base, setting.variable: another})

    assert with_it == without
    assert with_another != without


@pytest.mark.parametrize(
    "setting", [s for s in SETTINGS if s.default == NONE], ids=lambda s: s.name
)
def test_gives_an_example_that_the_code_takes(setting: Setting) -> None:
    base = {**DIRECTORY, "STRONGROOM_PROFILE": "test"}
    if setting.name == "S3_BUCKET":
        base["STRONGROOM_BLOB_DIRECTORY"] = ""
    together = next((names for names in TOGETHER if setting.name in names), ())

    read({**base, **_examples(together), setting.variable: setting.example.strip("`()")})
