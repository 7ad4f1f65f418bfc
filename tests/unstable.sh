#!/usr/bin/env bash
# Proves the rule pages on the servers that Debian has in unstable alone: MySQL, which cannot be installed beside MariaDB, and the newest
# PostgreSQL. Unpacks their packages with all that they need below target/unstable (some 600 MB; nothing is installed, no rights of root
# are needed), then runs the rule pages, the locks and the runner's tests on throw-away servers.
#
#   tests/unstable.sh [mysql|postgres]...    both where none is named
#
# MIGRATE_MYSQLD=/path/to/mysqld takes a MySQL that is there already; MIGRATE_BLESS=1 records what was proved in fixtures/proved.toml.
set -eu
cd "$(dirname "$0")/.."
unstable=$PWD/target/unstable

# unpack PACKAGE FOLDER: apt with lists, cache and state of its own. The mirror is the one that this machine uses, only the suite is another.
unpack() {
    local root=$2 apt=$2/apt mirror
    mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CREATED_BY)|$(REPO_URI)' | sed -n 's/^Debian|Debian|Packages|//p' | head -n 1)
    [ -n "$mirror" ] || { echo "tests/unstable.sh: apt has no lists of Debian's packages here: run \`apt-get update\` as root" >&2; return 1; }
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$apt/sources.list"
    local own=(-q -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o Dir::Etc::parts="$apt/parts"
        -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/parts" -o Dir::Etc::preferencesparts="$apt/parts"
        -o Dir::Etc::preferences=/dev/null -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false)
    apt-get "${own[@]}" update
    apt-get "${own[@]}" install --yes --download-only "$1"
    for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
    rm -rf "$apt"
}

# wrap ROOT PROGRAM [OPTION]...: puts a script in the program's place that starts it with the loader and the libc of its own packages, so
# that it runs beside older ones. A program that looks for its neighbours finds their scripts.
wrap() {
    local root=$1 program=$2 loader libraries
    shift 2
    loader=$(find "$root/usr" -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6' | head -n 1)")
    [ -x "$program" ] && [ -e "$loader" ] || { echo "tests/unstable.sh: no $program in what was unpacked" >&2; return 1; }
    mv "$program" "$program.bin"
    printf '#!/bin/sh\nexec "%s" --argv0 "$0" --library-path "%s" "%s" "$@" %s\n' "$loader" "$libraries" "$program.bin" "$*" >"$program"
    chmod 755 "$program"
}

get_mysql() {
    local root=$unstable/mysql
    if [ ! -e "$root.ready" ]; then
        rm -rf "$root"
        unpack mysql-server-core "$root"
        wrap "$root" "$root/usr/sbin/mysqld" "--lc-messages-dir='$root/usr/share/mysql'" "--plugin-dir='$root/usr/lib/mysql/plugin'"
        : >"$root.ready"
    fi
    export MIGRATE_MYSQLD=$root/usr/sbin/mysqld
}

get_postgres() {
    local root=$unstable/postgres program
    if [ ! -e "$root.ready" ]; then
        rm -rf "$root"
        unpack postgresql "$root"
        for program in initdb postgres pg_dump; do wrap "$root" "$(echo "$root"/usr/lib/postgresql/*/bin)/$program"; done
        : >"$root.ready"
    fi
    MIGRATE_POSTGRES=$(echo "$root"/usr/lib/postgresql/*/bin)
    export MIGRATE_POSTGRES
}

prove() {
    case $1 in
        mysql)
            if [ -z "${MIGRATE_MYSQLD:-}" ]; then get_mysql; fi
            "$MIGRATE_MYSQLD" --version
            cargo test --locked --test servers -- truth::mysql locks::mysql control:: examples:: run:: secrets::
            ;;
        postgres)
            get_postgres
            "$MIGRATE_POSTGRES/postgres" --version
            cargo test --locked --test servers -- truth::postgres locks::postgres control:: run:: secrets::
            ;;
        *)
            echo "tests/unstable.sh: $1 is neither mysql nor postgres" >&2
            return 2
            ;;
    esac
}

if [ "$#" -eq 0 ]; then set -- mysql postgres; fi
for server in "$@"; do
    # Each in a shell of its own: what one exports is not for the next.
    (prove "$server")
done
