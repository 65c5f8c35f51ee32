"""Everything that a benchmark measures, started on loopback and stopped at the end.

The store runs as `make up` runs it, twice: over a directory, and over the S3 server.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
from botocore.config import Config

from config.embedded.programs import WEB_BACKPRESSURE, WEB_THREADS, WEB_WORKERS, python
from config.embedded.running import Running, running
from config.settings import env
from tests.bench.contestants import PART_BYTES, Contestant, Nginx, RawS3, Registry, Strongroom
from tests.bench.pulp import programs, running_pulp
from tests.factories import nginx
from tests.factories.children import child
from tests.factories.free_ports import free_port
from tests.factories.private_sigstore.instance import missing_programs
from tests.factories.s3_server import ACCESS_KEY, SECRET_KEY, S3Server, is_installed, running_s3

BUCKET: Final = "store"
RAW_BUCKET: Final = "raw"
LARGEST_UPLOAD: Final = "1g"

_DAV: Final = """
daemon off;
pid nginx.pid;
error_log error.log error;
{user}
worker_processes 2;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    client_max_body_size {largest};
    client_body_temp_path body;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location / {{
            dav_methods PUT;
            create_full_put_path on;
        }}
    }}
}}
"""
_REGISTRY: Final = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@dataclass(frozen=True)
class Arena:
    """The contestants that are there, and what is not, with how to get it."""

    directory: Strongroom
    behind_nginx: Strongroom | None
    bucket: Strongroom | None
    raw_s3: RawS3 | None
    peers: tuple[Contestant, ...]
    instance: Running
    missing: tuple[str, ...]

    @property
    def database_url(self) -> str:
        """The database of the store over a directory."""
        settings = {"STRONGROOM_ENV_FILE": str(self.instance.home.environment)}
        return env.read(settings).database_url


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """Start what is installed below this folder."""
    with ExitStack() as stack:
        missing = []
        instance = stack.enter_context(running(folder / "directory"))
        directory = _strongroom("Strongroom, directory", instance)
        front = bucket = raw = None
        peers: list[Contestant] = []
        if nginx.program() is None:
            missing.append("nginx (Debian: nginx-light)")
        else:
            front = stack.enter_context(_behind_nginx(folder, instance, directory))
            peers.append(Nginx("nginx, plain files", stack.enter_context(_dav(folder / "dav"))))
        if not is_installed():
            missing.append("versitygw (.ci/run builds it)")
        else:
            server = stack.enter_context(running_s3(folder / "s3"))
            raw = _raw(server)
            over = stack.enter_context(running(folder / "bucket", settings=_in_bucket(server)))
            bucket = _strongroom("Strongroom, S3", over)
            peers.append(raw)
        if shutil.which("docker-registry") is None:
            missing.append("docker-registry (Debian: docker-registry)")
        else:
            url = stack.enter_context(_registry(folder / "registry"))
            peers.append(Registry("docker-registry", url))
        if programs() is None:
            missing.append("Pulp (tests/bench/pulp.py says how)")
        else:
            peers.append(stack.enter_context(running_pulp(folder / "pulp")))
        if absent := missing_programs():
            missing.append(f"Sigstore's {', '.join(absent)} (.ci/run builds them)")
        yield Arena(
            directory,
            front,
            bucket,
            raw,
            tuple(peers),
            instance,
            tuple(missing),
        )


def _strongroom(name: str, instance: Running) -> Strongroom:
    return Strongroom(
        name=name,
        url=instance.url,
        project=instance.report.project,
        upload_token=instance.upload_token,
        read_token=instance.admin_token,
    )


def _in_bucket(server: S3Server) -> dict[str, str]:
    server.new_bucket(BUCKET)
    return {
        "STRONGROOM_BLOB_DIRECTORY": "",
        "STRONGROOM_S3_BUCKET": BUCKET,
        "STRONGROOM_S3_ENDPOINT": server.endpoint,
        "STRONGROOM_S3_PATH_STYLE": "true",
        "STRONGROOM_S3_PART_BYTES": str(PART_BYTES),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def _raw(server: S3Server) -> RawS3:
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return RawS3("versitygw", client, server.new_bucket(RAW_BUCKET))


@contextmanager
def _behind_nginx(folder: Path, instance: Running, direct: Strongroom) -> Iterator[Strongroom]:
    """A second web server of the same store, which lets the delivered nginx send the bytes."""
    port = free_port()
    command = python(
        *("granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}", "--http=1"),
        *("--no-ws", f"--workers={WEB_WORKERS}", f"--blocking-threads={WEB_THREADS}"),
        *(f"--backpressure={WEB_BACKPRESSURE}", "config.wsgi:application"),
    )
    environment = {
        **{name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ},
        "STRONGROOM_ENV_FILE": str(instance.home.environment),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STRONGROOM_DOWNLOADS": "x-accel",
        "STRONGROOM_TRUSTED_PROXIES": "127.0.0.1",
        "STRONGROOM_METRICS_DIRECTORY": "",
    }
    places = {
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "/var/lib/strongroom/blobs/": f"{instance.home.blobs}/",
    }
    with (
        child(command, folder / "x-accel.log", environment, port=port),
        nginx.running_nginx(folder / "nginx", "directory.conf", places) as address,
    ):
        name = "Strongroom, nginx sends"
        yield Strongroom(
            name, direct.url, direct.project, direct.upload_token, direct.read_token, address
        )


@contextmanager
def _dav(folder: Path) -> Iterator[str]:
    root = folder / "root"
    root.mkdir(parents=True)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(_DAV.format(user=user, largest=LARGEST_UPLOAD, port=port, root=root))
    command = [nginx.program() or "nginx", "-p", str(folder), "-c", str(main), "-e", "start.log"]
    with child(command, folder / "output.log", port=port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _registry(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True)
    port = free_port()
    main = folder / "config.yml"
    main.write_text(_REGISTRY.format(root=folder / "root", port=port))
    with child(["docker-registry", "serve", str(main)], folder / "output.log", port=port):
        yield f"http://127.0.0.1:{port}"
