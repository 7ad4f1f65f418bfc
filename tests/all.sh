#!/usr/bin/env bash
# Runs every test. Installs PostgreSQL, pgBackRest, PgBouncer, MariaDB, mariadb-backup, the shell of SQLite and OpenSSH's client with apt-get where
# their programs are missing and that is allowed; the tests start throw-away servers of their own, so no service of this machine is started, stopped or touched.
set -eu
cd "$(dirname "$0")/.."

has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
has_pgbouncer() { command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ]; }
has_pgbackrest() { command -v pgbackrest >/dev/null 2>&1; }
has_sqlite() { command -v sqlite3 >/dev/null 2>&1; }
has_ssh() { command -v ssh-keygen >/dev/null 2>&1 && command -v ssh-agent >/dev/null 2>&1; }
has_mariadb_backup() { command -v mariadb-backup >/dev/null 2>&1; }
has_mariadb() { { command -v mariadbd || [ -x /usr/sbin/mariadbd ]; } >/dev/null 2>&1 && command -v mariadb-install-db >/dev/null 2>&1; }

missing=()
has_postgres || missing+=(postgresql)
has_mariadb || missing+=(mariadb-server)
has_pgbouncer || missing+=(pgbouncer)
has_ssh || missing+=(openssh-client)
has_sqlite || missing+=(sqlite3)
has_mariadb_backup || missing+=(mariadb-backup)
has_pgbackrest || missing+=(pgbackrest)

if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
    if ! command -v apt-get >/dev/null 2>&1 || ! ${as_root[@]+"${as_root[@]}"} true 2>/dev/null; then
        echo "tests/all.sh: ${missing[*]} is missing and cannot be installed here (that needs apt-get, and root or sudo without a password)." >&2
        echo "Install it by hand, or run \`cargo test --locked\`, which says loudly what it skips." >&2
        exit 1
    fi
    echo "tests/all.sh: installing ${missing[*]}"
    # Packages start their service when installed, unless this file says no; a file that stands there is left as it is.
    policy=/usr/sbin/policy-rc.d
    made_policy=no
    if [ ! -e "$policy" ]; then
        made_policy=yes
        printf '#!/bin/sh\nexit 101\n' | ${as_root[@]+"${as_root[@]}"} tee "$policy" >/dev/null
        ${as_root[@]+"${as_root[@]}"} chmod 755 "$policy"
    fi
    remove_policy() { if [ "$made_policy" = yes ]; then ${as_root[@]+"${as_root[@]}"} rm -f "$policy"; fi; }
    trap remove_policy EXIT
    ${as_root[@]+"${as_root[@]}"} apt-get update -q
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    remove_policy
    trap - EXIT
fi

export MIGRATE_REQUIRE_SERVERS=1
cargo test --locked "$@"
echo "tests/all.sh: all tests passed, on SQLite, PostgreSQL and MariaDB"
