"""A private Sigstore for tests: Fulcio, Rekor v2 and a timestamp authority, as they are released.

The programs are what `.ci/run` installs; an issuer of identity tokens is the tests' own matter,
only its address is known here. Everything listens on loopback, but for the port of Fulcio's
metrics, which it opens on every interface; the timestamp server is therefore kept in a namespace.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.factories.free_ports import free_ports
from tests.factories.private_sigstore import namespace
from tests.factories.private_sigstore.ct_log import CtLog
from tests.factories.private_sigstore.namespace import die_with_the_parent
from tests.factories.private_sigstore.pki import PASSWORD, Pki, create_pki
from tests.factories.private_sigstore.serving import serving

ROOT: Final = Path(__file__).resolve().parents[3]
PATH: Final = f"{os.environ['PATH']}:{ROOT / '.cache' / 'bin'}"
PROGRAMS: Final = ("fulcio", "posix", "timestamp-server", "cosign")
LOG_HOST: Final = "rekor.sigstore.test"
START_SECONDS: Final = 90
# Each service's member of a signing config, and the path below its host.
SERVICES: Final = {
    "fulcio": ("caUrls", ""),
    "rekor": ("rekorTlogUrls", ""),
    "tsa": ("tsaUrls", "/api/v1/timestamp"),
}
TEMPLATE: Final = ROOT / "deploy" / "fulcio.yaml"


@dataclass(frozen=True, slots=True)
class Instance:
    """Where it is: the files that clients are given, and the issuers that Fulcio believes."""

    folder: Path
    fulcio: str
    rekor: str
    tsa: str
    issuer: str
    other_issuer: str

    @property
    def trusted_root(self) -> Path:
        return self.folder / "trusted_root.json"

    @property
    def signing_config(self) -> Path:
        return self.folder / "signing_config.json"

    def signing_config_with(self, file: Path, elsewhere: Mapping[str, str]) -> Path:
        """A copy of the signing config in which some services (`fulcio`, …) are elsewhere."""
        document: dict[str, Any] = json.loads(self.signing_config.read_bytes())
        for name, address in elsewhere.items():
            member, path = SERVICES[name]
            document[member][0]["url"] = f"{address}{path}"
        file.write_text(json.dumps(document))
        return file


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


@contextmanager
def running_instance(folder: Path, *, issuer: str = "") -> Iterator[Instance]:
    """Start everything, wait until it answers, and stop it at the end.

    Fulcio believes the issuer at the address that is given, else at a free one.
    """
    pki = create_pki(folder / "pki")
    with ExitStack() as stack:
        ct_log = stack.enter_context(serving(CtLog(pki.ct_key).answer))
        ports = free_ports(8)
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        fulcio, rekor, tsa, free, other = addresses[:5]
        instance = Instance(folder, fulcio, rekor, tsa, issuer or free, other)
        _start(stack, folder, "rekor", _rekor(pki, folder, ports[1], ports[5:7]))
        _start_tsa(stack, folder, pki, ports[2])
        config = _fulcio_config(folder, [instance.issuer, instance.other_issuer])
        ports_of_fulcio = [ports[0], ports[7], *free_ports(1)]
        command = _fulcio(pki, config, ports_of_fulcio, ct_log)
        _start(stack, folder, "fulcio", [*command, f"--legacy-unix-domain-socket={folder}/f.sock"])
        for port in ports[:3]:
            _await(port, folder)
        _describe(instance, pki, ct_log)
        yield instance


def _rekor(pki: Pki, folder: Path, port: int, others: list[int]) -> list[str]:
    return [
        "posix",
        "serve",
        *("--http-address", "127.0.0.1", "--http-port", str(port)),
        *("--grpc-address", "127.0.0.1", "--grpc-port", str(others[0])),
        *("--http-metrics-port", str(others[1])),
        # Verifiers look for the host of the trust root's `baseUrl` in the checkpoint.
        *("--hostname", LOG_HOST),
        *("--storage-dir", str(folder / "log")),
        *("--signer-filepath", pki.file("rekor.key")),
        *("--checkpoint-interval", "200ms", "--batch-max-age", "50ms"),
    ]


def _fulcio(pki: Pki, config: Path, ports: list[int], ct_log: str) -> list[str]:
    return [
        "fulcio",
        "serve",
        *("--host", "127.0.0.1", "--port", str(ports[0])),
        *("--grpc-host", "127.0.0.1", "--grpc-port", str(ports[1])),
        *("--metrics-port", str(ports[2])),
        *("--ca=fileca", "--fileca-watch=false"),
        *("--fileca-cert", pki.file("fulcio.pem")),
        *("--fileca-key", pki.file("fulcio.key"), "--fileca-key-passwd", PASSWORD),
        *("--ct-log-url", f"{ct_log}/ct", "--ct-log-public-key-path", pki.file("ct.pub")),
        *("--config-path", str(config)),
    ]


def _start_tsa(stack: ExitStack, folder: Path, pki: Pki, port: int) -> None:
    command = [
        "timestamp-server",
        "serve",
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--timestamp-signer", "file", "--file-signer-key-path", pki.file("tsa.key")),
        *("--certificate-chain-path", pki.file("tsa.pem"), "--disable-ntp-monitoring"),
    ]
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        _start(stack, folder, "tsa", command)  # no right to make a namespace
        return
    python = shutil.which("python3") or "python3"
    program, door = [python, namespace.__file__], [str(folder / "tsa.sock"), str(port)]
    _start(stack, folder, "tsa", ["unshare", "--net", *program, "inside", *door, *command])
    _start(stack, folder, "tsa-outside", [*program, "outside", *door])


def _fulcio_config(folder: Path, issuers: list[str]) -> Path:
    """The configuration that we give to operators, for the issuers of the tests."""
    text = TEMPLATE.read_text()
    block, rest = text.split("ci-issuer-metadata:", 1)
    head, entry = block.split("oidc-issuers:\n", 1)
    entries = "".join(entry.replace("https://store.example.com", issuer) for issuer in issuers)
    file = folder / "fulcio.yaml"
    file.write_text(f"{head}oidc-issuers:\n{entries}ci-issuer-metadata:{rest}")
    return file


def _describe(instance: Instance, pki: Pki, ct_log: str) -> None:
    """Both files that clients need, made with stock cosign as an operator would make them."""
    start, tsa = f"start-time={pki.started_at}", f"{instance.tsa}/api/v1/timestamp"
    service = f"{start},operator=sigstore.test"
    _cosign(
        *("trusted-root", "create", f"--out={instance.trusted_root}"),
        *(f"--no-default-{name}" for name in ("ctfe", "fulcio", "rekor", "tsa")),
        f"--fulcio=url={instance.fulcio},certificate-chain={pki.file('fulcio.pem')},{start}",
        f"--ctfe=url={ct_log}/ct,public-key={pki.file('ct.pub')},{start}",
        f"--rekor=url=https://{LOG_HOST},public-key={pki.file('rekor.pub')},{start},origin={LOG_HOST}",
        f"--tsa=url={tsa},certificate-chain={pki.file('tsa.pem')},{start}",
    )
    _cosign(
        *("signing-config", "create", f"--out={instance.signing_config}"),
        f"--fulcio=url={instance.fulcio},api-version=1,{service}",
        *(f"--rekor=url={instance.rekor},api-version=2,{service}", "--rekor-config=ANY"),
        f"--oidc-provider=url={instance.issuer},api-version=1,{service}",
        *(f"--tsa=url={tsa},api-version=1,{service}", "--tsa-config=ANY"),
    )


def _cosign(*arguments: str) -> None:
    cosign = str(shutil.which("cosign", path=PATH))
    subprocess.run([cosign, *arguments], check=True, capture_output=True)


def _start(stack: ExitStack, folder: Path, name: str, command: list[str]) -> None:
    with (folder / f"{name}.log").open("ab") as log:
        process = stack.enter_context(
            subprocess.Popen(
                command,
                env={**os.environ, "PATH": PATH},
                stdout=log,
                stderr=log,
                preexec_fn=die_with_the_parent,  # noqa: PLW1509 - it calls one function of libc
            )
        )
    stack.callback(process.kill)


def _await(port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    logs = "".join(log.read_text()[-1000:] for log in sorted(folder.glob("*.log")))
    raise AssertionError(f"nothing answers on port {port}: {logs}")
