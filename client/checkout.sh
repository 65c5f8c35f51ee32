#!/bin/sh
# `make` puts this into .venv/bin/strongroom: the command, from this checkout and its environment.
environment=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 70
# -P: nothing is imported from the folder where the command happens to run.
exec "$environment/bin/python" -P -c \
  'import sys; sys.path.insert(0, sys.argv.pop(1)); from client.cli import main; main()' \
  "$(dirname -- "$environment")" "$@"
