#!/usr/bin/env bash
# Bring a bare checkout to where everything runs: `scripts/setup.sh` for the portal, `scripts/setup.sh tests` for the tests too.
# Each step is skipped where nothing changed, and ends in one line where it cannot be done.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OLDEST_PYTHON="3.11"
readonly UV_VERSION="0.13.9"
readonly NEEDED_MEGABYTES=1500
readonly LOG="var/log/setup.log"
PYTHON="${PYTHON:-python3}"

fail() {
    echo "Set-up stopped: $*" >&2
    exit 1
}

# run MESSAGE COMMAND…: the command's output goes to the log; of a failure the last line that says something is shown.
run() {
    local message="$1" started=$SECONDS
    shift
    echo "  $message …"
    if ! "$@" >>"$LOG" 2>&1 </dev/null; then
        local reason
        reason="$(grep -v '^[[:space:]]*$' "$LOG" | tail -1 | cut -c1-200)"
        fail "$message failed (${reason:-no output}). The whole output: $LOG"
    fi
    if ((SECONDS - started > 4)); then echo "  $message: $((SECONDS - started)) s"; fi
}

check_disk() {
    local free
    mkdir -p var/log 2>/dev/null || fail "$PWD cannot be written to; make it writable, or check that the disk is not full."
    free="$(df -Pm . | awk 'NR == 2 { print $4 }')"
    if [[ ! -e .venv/.synced || ! -e node_modules/.installed ]] && ((free < NEEDED_MEGABYTES)); then
        fail "the disk of $PWD has $free MB free, and $NEEDED_MEGABYTES MB are needed; free some and run it again."
    fi
    : >"$LOG" 2>/dev/null || fail "$PWD/$LOG cannot be written; make it writable, or check that the disk is not full."
}

# has_library NAME: whether the dynamic linker finds it.
has_library() {
    if command -v ldconfig >/dev/null; then ldconfig -p | grep -q "$1"; else [[ -e "/opt/homebrew/lib/$2" || -e "/usr/local/lib/$2" ]]; fi
}

has_fonts() {
    [[ -n "$(find /usr/share/fonts /usr/local/share/fonts /Library/Fonts /System/Library/Fonts -name '*.ttf' -print -quit 2>/dev/null)" ]]
}

apt_get() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
}

# install_system WHAT PACKAGE…: by apt-get where that is allowed, else one line that says what to type.
install_system() {
    local what="$1"
    shift
    if command -v apt-get >/dev/null && ((EUID == 0)); then
        run "Installing $what ($*)" apt_get "$@"
    elif command -v apt-get >/dev/null; then
        fail "$what missing. Run: sudo apt-get install -y $*"
    else
        fail "$what missing. Install what your system calls: $*"
    fi
}

system_packages() {
    local missing=()
    has_library libpango-1.0.so libpango-1.0.dylib || missing+=(libpango-1.0-0)
    has_library libpangoft2-1.0.so libpangoft2-1.0.dylib || missing+=(libpangoft2-1.0-0)
    has_library libharfbuzz-subset.so libharfbuzz-subset.dylib || missing+=(libharfbuzz-subset0)
    command -v msgfmt >/dev/null || missing+=(gettext)
    has_fonts || missing+=(fonts-dejavu-core)
    if ((${#missing[@]})); then install_system "system packages" "${missing[@]}"; fi
}

virtual_environment() {
    command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing. Install Python $OLDEST_PYTHON or newer, or name one: make PYTHON=/path/to/python3"
    "$PYTHON" -c "import sys; sys.exit(sys.version_info < tuple(map(int, '$OLDEST_PYTHON'.split('.'))))" \
        || fail "$("$PYTHON" --version) is too old. Python $OLDEST_PYTHON or newer is needed; name one: make PYTHON=/path/to/python3"
    if [[ -x .venv/bin/python ]] && .venv/bin/python -c "" 2>/dev/null; then return; fi
    rm -rf .venv
    if ! "$PYTHON" -c "import ensurepip" 2>/dev/null; then install_system "Python's venv module" python3-venv; fi
    run "Creating the virtual environment" "$PYTHON" -m venv .venv
}

# Where pip is told of another index or certificate store, uv is told the same.
python_packages() {
    local wanted
    wanted="$(cksum <requirements/dev.txt)"
    if [[ -e .venv/.synced && "$(<.venv/.synced)" == "$wanted" ]]; then return; fi
    if [[ -n "${PIP_INDEX_URL:-}" ]]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"; fi
    if [[ -n "${PIP_CERT:-}" ]]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"; fi
    if [[ ! -x .venv/bin/uv ]]; then run "Installing uv" .venv/bin/python -m pip install --disable-pip-version-check -q "uv==$UV_VERSION"; fi
    run "Installing Python packages" .venv/bin/uv pip sync -q --python .venv/bin/python requirements/dev.txt
    echo "$wanted" >.venv/.synced
}

front_end_packages() {
    local wanted
    wanted="$(cksum <package-lock.json)"
    if [[ -e node_modules/.installed && "$(<node_modules/.installed)" == "$wanted" ]]; then return; fi
    PATH="$PWD/.venv/bin:$PATH" run "Installing front-end packages" npm ci --prefer-offline --ignore-scripts --loglevel=error
    echo "$wanted" >node_modules/.installed
}

translations() {
    local catalogue compiled
    while IFS= read -r catalogue; do
        compiled="${catalogue%.po}.mo"
        if [[ ! -e "$compiled" || "$catalogue" -nt "$compiled" ]]; then
            run "Compiling $catalogue" msgfmt --check-format -o "$compiled" "$catalogue"
        fi
    done < <(find locale -name '*.po' 2>/dev/null)
}

# The browser of the tests: one that is there, else Debian's, else Playwright's own.
browser() {
    if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then return; fi
    if [[ -n "$(find "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}" -maxdepth 1 -name 'chromium*' -print -quit 2>/dev/null)" ]]; then return; fi
    if [[ -e /etc/debian_version ]] && ((EUID == 0)); then
        run "Installing Chromium for the browser tests" apt_get chromium
    else
        run "Installing Chromium for the browser tests" .venv/bin/playwright install chromium
    fi
}

check_disk
system_packages
virtual_environment
python_packages
front_end_packages
translations
if [[ "${1:-}" == "tests" ]]; then browser; fi
