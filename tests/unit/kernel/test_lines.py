"""Long paths and addresses go on in a new line behind their parts, and stay escaped."""

import pytest

from kernel.lines import breakable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dist/linux_amd64/a.whl", "dist/<wbr>linux_<wbr>amd64/<wbr>a.<wbr>whl"),
        ("https://a.test/<b>", "https://<wbr>a.<wbr>test/<wbr>&lt;b&gt;"),
        (".github/..", ".<wbr>github/.."),
        ("", ""),
    ],
)
def test_lets_lines_end_behind_the_parts_of_a_path(text: str, shown: str) -> None:
    assert breakable(text) == shown
