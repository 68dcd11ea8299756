#!/bin/sh
# Makes .venv, or brings it up to date. `make` calls this when it has to; running it by hand is safe at any time.
#
#   PYTHON=…       the Python to make .venv with; without it the first of python3, python3.13, … that fits
#   TORCH_INDEX=…  where Linux without an NVIDIA card gets torch and torchvision; empty: from PyPI like the rest
#   METALEARN_LITE_REQUIRE_LEARN2LEARN=1  a failing learn2learn stops the set-up (CI), instead of being reported
set -eu
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.installed
log=$venv/learn2learn.log
here=$(pwd -P)

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '\nSet-up stopped: %s\n' "$*" >&2; exit 1; }

# A command on the path may still be a shim for a Python that is not installed, so every candidate is run.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_torch() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON does not run, or is older than Python 3.11."
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if has_torch "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "found no Python from 3.11 to 3.14 (python3 here: $(python3 --version 2>/dev/null || echo none)).
Install one (python.org, 'brew install python@3.13', 'apt install python3 python3-venv'), or name yours:
    make lab PYTHON=/path/to/python3.13"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || fail "$python cannot make a virtual environment.
Debian and Ubuntu keep that in a package of its own:  sudo apt install python3-venv"
    say "making $venv with $("$python" --version) ($python)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # Older ones do not read the build option in requirements-learn2learn.txt.
    pip install --quiet --upgrade 'pip>=23.1'
}

pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

install_torch_for_cpu() {
    # On Linux PyPI's torch brings gigabytes of CUDA, which a machine without an NVIDIA card cannot use. The CPU
    # build comes from PyTorch's own index, alone and in one try: as an extra index in requirements.txt it would be
    # asked for every package, and a network that cannot reach it would wait for each of them.
    [ "$(uname -s)" = Linux ] || return 0
    if command -v nvidia-smi >/dev/null 2>&1; then return 0; fi
    index=${TORCH_INDEX-https://download.pytorch.org/whl/cpu}
    [ -n "$index" ] || return 0
    torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
    torchvision=$(sed -n 's/^\(torchvision==[^ ]*\).*/\1/p' requirements-learn2learn.txt)
    say "installing $torch for machines without an NVIDIA card, from $index"
    if ! install_from_index "$torch"; then
        say "that did not work; taking the larger torch from PyPI instead"
        return 0
    fi
    # learn2learn imports it. One that was built for another torch does not import by itself.
    say "installing $torchvision from there too"
    install_from_index "$torchvision" ||
        say "that did not work; taking PyPI's instead, which imports after \`import metalearn_lite\`"
}

install_from_index() { pip install $quiet --no-deps --retries 0 --index-url "$index" "$1"; }

install_learn2learn() {
    say "installing learn2learn, compiled here (about half a minute; the log goes to $log)"
    if pip install --no-deps -r requirements-learn2learn.txt >"$log" 2>&1; then
        return 0
    fi
    tail -n 20 "$log"
    say "learn2learn could not be installed; the last lines above say why, all of them are in $log.
    The course works without it: only the comparisons with learn2learn step aside.
    Most often a C compiler is missing:  sudo apt install build-essential python3-dev   or   xcode-select --install
    To try again:  make learn2learn"
    [ "${METALEARN_LITE_REQUIRE_LEARN2LEARN:-0}" != 1 ] || fail "METALEARN_LITE_REQUIRE_LEARN2LEARN=1 asks for learn2learn."
}

# What instructors need, or the site, lies over .venv: a Python that finds everything there, and beside it what is its
# own. Jupyter looks for data under its own folder only, so that is copied.
install_over() {
    over=.venv-$1
    requirements=requirements-$1.txt
    say "making $over, over $venv"
    rm -rf "$over"
    "$venv/bin/python" -m venv "$over"
    packages=$("$over/bin/python" -c 'import site; print(site.getsitepackages()[0])')
    below=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
    echo "import site; site.addsitedir('$below')" >"$packages/course.pth"
    "$over/bin/python" -m pip --disable-pip-version-check install --quiet -r "$requirements"
    alembic=$(sed -n 's/^\(alembic==[^ ]*\).*/\1/p' "$requirements")
    [ -z "$alembic" ] ||
        "$over/bin/python" -m pip --disable-pip-version-check install --quiet --force-reinstall --no-deps "$alembic"
    for folder in share etc; do
        mkdir -p "$over/$folder/jupyter"
        cp -Rn "$venv/$folder/jupyter/." "$over/$folder/jupyter" || true  # some cp call a skipped file a failure
    done
    echo "$here" >"$over/.installed"
    say "$over is ready"
}

case "${1:-}" in
learn2learn) install_learn2learn; exit 0 ;;
instructor | site) install_over "$1"; exit 0 ;;
esac

# The stamp is written last and holds the folder's path: without it, or after the folder has moved, or when its
# Python has gone, what is there cannot be trusted and is made again.
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$here" ] && pip --version >/dev/null 2>&1; then
    say "bringing $venv up to date"
    quiet=--quiet
else
    make_venv
    quiet=
fi
rm -f "$stamp"
install_torch_for_cpu
say "installing requirements.txt"
pip install $quiet -r requirements.txt
install_learn2learn
echo "$here" >"$stamp"
say "$venv is ready"
