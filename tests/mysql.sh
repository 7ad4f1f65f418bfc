#!/usr/bin/env bash
# Proves MySQL's column of the reversibility table on its own server, which Debian has beside MariaDB in unstable alone. Unpacks the
# package with all that it needs into target/mysql (some 330 MB; nothing is installed, no rights of root are needed), then runs the
# rule pages and the runner's tests on a throw-away server.
#
# MIGRATE_MYSQLD=/path/to/mysqld takes a server that is there already; MIGRATE_BLESS=1 records what was proved in
# fixtures/proved.toml; arguments, as for `cargo test`, replace the choice of tests.
set -eu
cd "$(dirname "$0")/.."

# Apt with lists, cache and state of its own: the mirror is the one that this machine uses, only the suite is another.
unpack() {
    local root=$1 apt=$1/apt mirror
    mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CREATED_BY)|$(REPO_URI)' | sed -n 's/^Debian|Debian|Packages|//p' | head -n 1)
    [ -n "$mirror" ] || { echo "tests/mysql.sh: apt has no lists of Debian's packages here: run \`apt-get update\` as root" >&2; return 1; }
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$apt/sources.list"
    local own=(-q -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o Dir::Etc::parts="$apt/parts"
        -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/parts" -o Dir::Etc::preferencesparts="$apt/parts"
        -o Dir::Etc::preferences=/dev/null -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false)
    apt-get "${own[@]}" update
    apt-get "${own[@]}" install --yes --download-only mysql-server-core
    for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
    rm -rf "$apt"
}

# The packages bring their own libc: their loader finds it, so that the server runs beside an older one.
write_program() {
    local root=$1 loader libraries
    loader=$(find "$root/usr" -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6' | head -n 1)")
    [ -x "$root/usr/sbin/mysqld" ] && [ -e "$loader" ] || { echo "tests/mysql.sh: no mysqld in what was unpacked into $root" >&2; return 1; }
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@" --lc-messages-dir="%s" --plugin-dir="%s"\n' \
        "$loader" "$libraries" "$root/usr/sbin/mysqld" "$root/usr/share/mysql" "$root/usr/lib/mysql/plugin" >"$root/mysqld.new"
    chmod 755 "$root/mysqld.new"
    mv "$root/mysqld.new" "$root/mysqld"
}

if [ -z "${MIGRATE_MYSQLD:-}" ]; then
    root=$PWD/target/mysql
    if [ ! -x "$root/mysqld" ]; then
        rm -rf "$root"
        unpack "$root"
        write_program "$root"
    fi
    export MIGRATE_MYSQLD=$root/mysqld
fi
"$MIGRATE_MYSQLD" --version
if [ "$#" -eq 0 ]; then set -- -- mysql examples:: run:: secrets::; fi
cargo test --locked --test servers "$@"
