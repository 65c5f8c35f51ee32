# What both actions do with their inputs. Values come from the environment and never stand in a
# script, so that no input can become a command.

lines() { # variable, array: the lines of the variable that are not empty
  local -n into=$2
  local line
  into=()
  while IFS= read -r line; do
    [[ -z ${line//[[:space:]]/} ]] || into+=("$line")
  done <<<"${!1}"
}

publish() { # file with the client's JSON: the step's outputs
  python3 - "$1" >>"$GITHUB_OUTPUT" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    said = json.load(file)
first = next(iter(said.get("provenance", [])), {})
for name, value in (
    ("build", said["build"]),
    ("state", said["state"]),
    ("files", len(said["files"])),
    ("builder", first.get("builder")),
    ("level", first.get("level")),
):
    text = "" if value is None else str(value)
    if not text.isprintable():  # a line of its own would be another output
        sys.exit(f"{name} is not printable")
    print(f"{name}={text}")
PYTHON
}
