"""What an operator has before the store: PostgreSQL, a broker, a certificate."""

import subprocess
from pathlib import Path
from typing import Final

from config.embedded.postgres import binaries
from tests.factories.production.machine import Machine, inside

BROKER_PASSWORD: Final = "of-the-broker"
AUTHORITY: Final = "/etc/ssl/test-authority.pem"
_PREPARE: Final = f"""
set -eu
install -d -o nobody /var/lib/test-postgres
setpriv --reuid=nobody --regid=nogroup --clear-groups initdb --pgdata=/var/lib/test-postgres \
  --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-instructions > /dev/null
install -d -m 755 /etc/strongroom /etc/ssl
echo {BROKER_PASSWORD} > /etc/strongroom/broker-password
cat > /etc/test-broker.conf <<END
bind 127.0.0.1
port 6379
requirepass {BROKER_PASSWORD}
save ""
END
cd /etc/ssl
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
  -subj "/CN=test authority" \
  -keyout /run/authority.key -out {AUTHORITY}
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=store.example.com" \
  -keyout store.key -out /run/store.csr
echo "subjectAltName=DNS:store.example.com" > /run/names
openssl x509 -req -in /run/store.csr -CA {AUTHORITY} -CAkey /run/authority.key -CAcreateserial \
  -days 2 -extfile /run/names -out store.pem
"""


def start_services(machine: Machine, logs: Path, *, broker: Path) -> None:
    """Start them and wait. Passwords are the operator's matter: the superuser has none."""
    prepared = machine.run("sh", "-c", _PREPARE)
    assert prepared.returncode == 0, prepared.stdout
    postgres = f"{inside(binaries())}/postgres"
    account = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-F"]
    machine.start(*account, postgres, "-D", "/var/lib/test-postgres", *options, log=logs / "pg.log")
    machine.start(inside(broker), "/etc/test-broker.conf", log=logs / "broker.log")
    waited = machine.run(
        "sh", "-c", "until pg_isready --quiet --host=127.0.0.1; do sleep 0.1; done"
    )
    assert waited.returncode == 0


def environment() -> dict[str, str]:
    """Who the operator is at the database, and whose certificates are believed."""
    return {"PGHOST": "db.example.com", "PGUSER": "postgres", "CURL_CA_BUNDLE": AUTHORITY}


def run_script(machine: Machine, script: str, *, timeout: float) -> str:
    """What a shell in the machine said."""
    try:
        done = machine.run("bash", "-c", script, timeout=timeout, environment=environment())
    except subprocess.TimeoutExpired as error:
        said: bytes | None = error.stdout  # bytes here, also where text was asked for
        return f"{(said or b'').decode(errors='replace')}\n({timeout} seconds are over)"
    return done.stdout
