# Sourced by bin/serve and bin/test: finds a Python and keeps the virtual environment. Sets $root and $venv.

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
venv=${GATEHOUSE_VENV:-$root/.venv}
command_name="bin/$(basename "$0")"
installing=''
locked=''

fail() {
    unlock
    printf '%s: %s\n' "$command_name" "$1" >&2
    exit 1
}

# Stop at once when told to, also in the middle of an installation: the next start begins that anew.
stop_installing() {
    if [ -n "$installing" ]; then
        # Its group, or itself while it has none of its own yet.
        kill -s TERM -- "-$installing" 2>/dev/null || kill -s TERM "$installing" 2>/dev/null
        wait "$installing" 2>/dev/null
    fi
    unlock
    printf '\nStopped.\n'
    exit "${exit_when_stopped:-0}"
}

# Sets $python to the first one that is new enough and can make virtual environments.
find_python() {
    if [ -n "${GATEHOUSE_PYTHON:-}" ]; then
        set -- "$GATEHOUSE_PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    too_old=''
    without_venv=''
    for candidate in "$@"; do
        # A version manager may put a name on PATH that only prints an error, so each is asked.
        "$candidate" -c 'import sys; sys.exit(sys.version_info >= (3, 11))' >/dev/null 2>&1 && {
            too_old=$candidate
            continue
        }
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            python=$candidate
            return
        fi
        without_venv=$candidate
    done
    if [ -n "$without_venv" ]; then
        fail "$without_venv has no venv module. Install it (Debian and Ubuntu: apt install python3-venv), then start again."
    elif [ -n "$too_old" ]; then
        fail "$too_old is too old ($("$too_old" -V 2>&1)). Install Python 3.11 or newer, or name one in GATEHOUSE_PYTHON."
    elif [ -n "${GATEHOUSE_PYTHON:-}" ]; then
        fail "GATEHOUSE_PYTHON names $GATEHOUSE_PYTHON, which does not run. Name a Python 3.11 or newer."
    fi
    fail "Python was not found. Install Python 3.11 or newer (Debian and Ubuntu: apt install python3 python3-venv)."
}

# checksum FILE… prints what changes whenever one of the files does.
checksum() {
    (cd "$root" && cat "$@" | cksum | tr ' ' '-')
}

# up_to_date base|test tells whether the environment was made from the requirements as they are now.
up_to_date() {
    [ "$(cat "$venv/.installed-base" 2>/dev/null)" = "$(checksum requirements/base.txt)" ] || return 1
    [ "$1" = base ] ||
        [ "$(cat "$venv/.installed-test" 2>/dev/null)" = "$(checksum requirements/base.txt requirements/test.txt)" ] ||
        return 1
    # The Python that it was made with may be gone.
    "$venv/bin/python" -c '' >/dev/null 2>&1
}

# Two commands may start at once: the second waits for the first one's installation and then finds it done.
lock() {
    waiting=''
    until mkdir "$venv.lock" 2>/dev/null; do
        [ -d "$venv.lock" ] || fail "$(dirname "$venv") is not writable. Make it so for this user, or name a virtual environment of yours in GATEHOUSE_VENV."
        owner=$(cat "$venv.lock/pid" 2>/dev/null || :)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$venv.lock"
            continue
        fi
        [ -n "$waiting" ] || printf 'Waiting for another installation to finish (if there is none, remove %s)\n' "$venv.lock"
        waiting=yes
        sleep 1
    done
    locked=yes
    printf '%s\n' "$$" >"$venv.lock/pid"
}

unlock() {
    [ -z "$locked" ] || rm -rf "$venv.lock"
    locked=''
}

# in_a_group PYTHON ARGUMENTS… & runs it, and what it starts itself, in a process group that one signal ends.
in_a_group() {
    exec "$1" -c 'import os, sys; os.setpgid(0, 0); os.execv(sys.executable, sys.argv[1:])' "$@"
}

make_venv() {
    : >"$log"
    in_a_group "$python" -m venv "$venv" >"$log" 2>&1 </dev/null &
    installing=$!
    wait "$installing" || {
        installing=''
        fail "the virtual environment could not be made: $(grep -v '^ *$' "$log" | tail -n 1)"
    }
    installing=''
}

# install_packages FILE installs it, every file checked against its hash, and says how far it is.
install_packages() {
    total=$(grep -c '^[A-Za-z0-9]' "$root/$1")
    printf 'Installing %s packages\n' "$total"
    : >"$log"
    # A person's own setting to install for themselves does not work in a virtual environment.
    export PIP_USER=0
    in_a_group "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
        --require-hashes --requirement "$root/$1" >>"$log" 2>&1 </dev/null &
    installing=$!
    shown=0
    while kill -0 "$installing" 2>/dev/null; do
        sleep 1
        seen=$(grep -c -e '^Collecting ' -e '^Requirement already satisfied' "$log")
        if [ "$seen" -ge $((shown + 10)) ] && [ "$seen" -lt "$total" ]; then
            shown=$seen
            printf '  %s of %s found\n' "$seen" "$total"
        elif [ "$seen" -ge "$total" ] && [ "$shown" -lt "$total" ]; then
            shown=$total
            printf '  all found, unpacking them\n'
        fi
    done
    wait "$installing"
    outcome=$?
    installing=''
    [ "$outcome" -eq 0 ] || {
        grep -i '^ *error' "$log" | head -n 5 >&2
        kept=$venv.log
        cp "$log" "$kept" 2>/dev/null || kept=$log
        ! grep -q 'Failed to establish a new connection' "$log" || printf 'The package index was not reached.\n' >&2
        fail "the packages could not be installed. The whole report is in $kept."
    }
}

# environment base|test makes the virtual environment if it is missing or out of date; test adds the test tools.
environment() {
    if [ -n "${GATEHOUSE_VENV:-}" ]; then
        # An environment named by hand belongs to whoever made it.
        [ -x "$venv/bin/python" ] || fail "GATEHOUSE_VENV names $venv, which is no virtual environment. Make one, or unset it."
        return
    fi
    up_to_date "$1" && return

    trap stop_installing HUP INT TERM
    lock
    log=$venv.lock/log
    if ! up_to_date base; then
        find_python
        printf 'Making the virtual environment with %s\n' "$("$python" -V 2>&1)"
        rm -rf "$venv"
        make_venv
        install_packages requirements/base.txt
        checksum requirements/base.txt >"$venv/.installed-base"
    fi
    if ! up_to_date "$1"; then
        install_packages requirements/test.txt
        checksum requirements/base.txt requirements/test.txt >"$venv/.installed-test"
    fi
    unlock
}
