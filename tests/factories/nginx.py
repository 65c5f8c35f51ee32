"""A real nginx with the configuration that is delivered, at other addresses."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.factories.children import child
from tests.factories.free_ports import free_port

DELIVERED: Final = Path(__file__).resolve().parent.parent.parent / "deploy" / "nginx"
_MAIN: Final = """
daemon off;
pid nginx.pid;
error_log error.log info;
{user}
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path other;
    uwsgi_temp_path other;
    scgi_temp_path other;
    include {name};
}}
"""


def program() -> str | None:
    """nginx, where it is installed; Debian's is not on every PATH."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def running_nginx(folder: Path, name: str, places: Mapping[str, str]) -> Iterator[str]:
    """Its address, once it listens. `places` says what stands where in the delivered file."""
    shutil.copytree(DELIVERED, folder)
    port = free_port()
    text = (folder / name).read_text()
    for old, new in {**places, "listen 8080;": f"listen 127.0.0.1:{port};"}.items():
        assert old in text, f"{name} does not say {old}"
        text = text.replace(old, new)
    (folder / name).write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(name=name, user=user))
    command = [program() or "nginx", "-p", str(folder), "-c", str(main), "-e", "start.log"]
    with child(command, folder / "output.log", port=port):
        yield f"http://127.0.0.1:{port}"
