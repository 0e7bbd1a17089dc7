#!/usr/bin/env bash
# Sets DigitLab up in .venv: `setup.sh run` for using it, `setup.sh test` and `setup.sh bench` with what those need besides.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}

say() { printf '%s\n' "$*" >&2; }

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    say "DigitLab needs Python 3.11 or newer, and $PYTHON is not; name one with: make PYTHON=python3.12 run"
    exit 2
}

# --- the system libraries that Qt needs, and for the tests a screen that is none
libraries=(libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0
    libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 fonts-dejavu-core)
[ "$what" = test ] && libraries+=(xvfb libx11-6 libxtst6)
if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    missing=()
    for library in "${libraries[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$library" 2>/dev/null | grep -qx installed || missing+=("$library")
    done
    # A virtual environment needs ensurepip, which Debian keeps apart.
    "$PYTHON" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    if [ ${#missing[@]} -gt 0 ]; then
        if [ "$(id -u)" = 0 ]; then
            say "Installing the system libraries that Qt needs: ${missing[*]}"
            export DEBIAN_FRONTEND=noninteractive
            apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 ||
                { apt-get update -qq && apt-get install -y -qq "${missing[@]}" >/dev/null; }
        else
            say "If the window does not open, install the system libraries that Qt needs with:"
            say "    sudo apt-get install ${missing[*]}"
        fi
    fi
fi

# --- the Python packages
[ -x .venv/bin/python ] || { say "Making a virtual environment in .venv"; "$PYTHON" -m venv .venv; }
case $what in
    run) extras= ;;
    test) extras='[dev]' ;;
    bench) extras='[dev,bench]' ;;
esac
# A PyTorch for a GPU was put there on purpose, and the one that the CPU is measured beside must not take its place.
if [ "$what" = bench ] && torch=$(.venv/bin/python -c 'import torch; assert torch.version.cuda; print(torch.__version__)' 2>/dev/null); then
    extras='[dev]'
    say "Keeping PyTorch $torch, which was built for CUDA"
fi
say "Installing the Python packages (the first time this takes a minute or two)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".$extras"
