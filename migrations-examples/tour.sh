#!/usr/bin/env bash
# The main job in one minute: check, up, status and down on the SQLite examples and a database file that is removed at the end.
# Builds the program first; needs Rust and a C compiler, no server. MIGRATE=PROGRAM uses a program that is built already.
set -eu
cd "$(dirname "$0")/.."

migrate() { if [ -n "${MIGRATE:-}" ]; then "$MIGRATE" "$@"; else cargo run --quiet --locked --bin migrate -- "$@"; fi; }
if [ -z "${MIGRATE:-}" ]; then
    echo "building migrate (a few minutes the first time)"
    cargo build --locked --bin migrate
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The environment comes before migrate.toml: with it the commands below are short.
export DATABASE_URL="sqlite:$folder/shop.db"

# show EXIT WHAT ARGUMENT…: says what comes, prints the command, runs it, and wants that exit code.
show() {
    local expected=$1 what=$2 got=0
    shift 2
    printf '\n# %s\n$ migrate %s\n' "$what" "$*"
    migrate "$@" --dir migrations-examples/sqlite 2>&1 || got=$?
    if [ "$got" -ne 0 ]; then echo "(exit code $got)"; fi
    if [ "$got" -ne "$expected" ]; then
        echo "tour.sh: that should have ended with exit code $expected" >&2
        exit 1
    fi
}

show 0 "Before the merge: can each migration be undone, and what is lost? No database is asked." check
show 0 "Run all but the last on a new database." up --to 20240206
show 0 "Files and history side by side." status
show 3 "What would one step back do? Nothing is done yet." down
show 0 "Two steps back." down --steps 2
show 0 "And on. The last one destroys data, and this database holds rows: it is copied first." up
show 3 "No DOWN brings that data back, and none is tried." down
show 0 "The copy does: here what is lost comes back, and what was written since stays." recover 20240207 --execute

printf '\nNext: your own migrations, with `migrate check --dir FOLDER --engine ENGINE`; README.md tells the rest.\n'
