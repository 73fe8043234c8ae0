# Sourced by scripts/quickstart, scripts/test and .ci/run: installs what is missing and nothing else.
# Sets TRAINYARD_PYTHON to an interpreter that has torch.

trainyard_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
torch_version=2.13.0

say() { printf '%s\n' "$*" >&2; }

need_node() {
  command -v node >/dev/null || {
    say "Node.js is missing. Install version 20.19 or newer (https://nodejs.org), then run this again."
    exit 1
  }
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || {
    say "Node.js $(node -v) is too old: Trainyard needs 20.19 or newer."
    exit 1
  }
}

# npm packages, when package-lock.json is newer than what is installed. Two runs at once take turns.
need_packages() {
  local stamp="$trainyard_root/node_modules/.trainyard-stamp"
  if [[ -f $stamp ]] && cmp -s "$trainyard_root/package-lock.json" "$stamp"; then return; fi
  say "Installing npm packages …"
  # Not `npm ci`: it insists that the lock file names the optional builds for every platform there is.
  (cd "$trainyard_root" && npm install --no-save --ignore-scripts --loglevel=error >&2)
  cp "$trainyard_root/package-lock.json" "$stamp"
}

need_build() {
  local stamp="$trainyard_root/dist/.trainyard-stamp"
  if [[ -f $stamp ]] && [[ -z $(cd "$trainyard_root" && find src proto package.json scripts/build.ts -newer "$stamp" -print -quit) ]]; then
    return
  fi
  say "Building …"
  (cd "$trainyard_root" && npm run --silent build >&2)
  touch "$stamp"
}

# Asks the package's metadata, since importing torch takes seconds. FSDP2 and DCP need 2.4 or newer.
has_torch() {
  "$1" -c 'from importlib.metadata import version as v; import sys; a, b = map(int, v("torch").split(".")[:2]); sys.exit((a, b) < (2, 4))' >/dev/null 2>&1
}

# $1: the interpreter that the user named, or empty.
need_torch() {
  local named=${1:-${TRAINYARD_PYTHON:-}} candidate
  if [[ -n $named ]]; then
    has_torch "$named" || { say "$named has no torch of version 2.4 or newer. Name another interpreter, or leave --python away."; exit 1; }
    TRAINYARD_PYTHON=$(command -v "$named")
  else
    for candidate in "$trainyard_root/.venv/bin/python" python3; do
      if command -v "$candidate" >/dev/null && has_torch "$candidate"; then TRAINYARD_PYTHON=$(command -v "$candidate"); break; fi
    done
  fi
  if [[ -z ${TRAINYARD_PYTHON:-} ]]; then
    say "Installing PyTorch $torch_version into .venv (once) …"
    python3 -m venv "$trainyard_root/.venv" || { say "python3 with its venv module is missing (Debian: apt-get install python3-venv)."; exit 1; }
    "$trainyard_root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==$torch_version" numpy >&2
    TRAINYARD_PYTHON=$trainyard_root/.venv/bin/python
  fi
  export TRAINYARD_PYTHON
}

# Runs "$@" while no other setup of this checkout runs.
one_at_a_time() {
  exec 9>"$trainyard_root/.setup.lock"
  flock 9 2>/dev/null || true
  "$@"
  exec 9>&-
}
