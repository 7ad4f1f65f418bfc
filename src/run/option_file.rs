//! What MySQL's and MariaDB's own client would take from the user's option file. In: `~/.my.cnf`. Out: user and password.
//!
//! The format is that of the MySQL 8.4 manual, "Using Option Files", and of the MariaDB documentation, "Configuring MariaDB with Option
//! Files": groups in brackets, `name=value` with or without quotes, `#` and `;` before a comment. Only `[client]` and MariaDB's
//! `[client-mariadb]` are read. As with those clients, a file that everybody may write to counts for nothing.

use std::path::{Path, PathBuf};

/// User and password, where the file names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// Reads the user's option file; nothing where there is none.
pub(super) fn of_user(mariadb: bool) -> Options {
    let Some(path) = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".my.cnf")) else { return Options::default() };
    if writable_by_all(&path) {
        return Options::default();
    }
    std::fs::read_to_string(path).map(|text| read(&text, mariadb)).unwrap_or_default()
}

#[cfg(unix)]
fn writable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
fn writable_by_all(_: &Path) -> bool {
    false
}

fn read(text: &str, mariadb: bool) -> Options {
    let (mut options, mut ours) = (Options::default(), false);
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            ours = group == "client" || mariadb && group == "client-mariadb";
        } else if let Some((name, value)) = line.split_once('=').filter(|_| ours && !line.starts_with(['#', ';'])) {
            let value = Some(unquoted(value.trim()));
            match name.trim() {
                "user" => options.user = value,
                "password" | "pass" => options.password = value,
                _ => {}
            }
        }
    }
    options
}

/// A value without its quotes, its comment and its escapes.
fn unquoted(value: &str) -> String {
    let quoted = value.chars().next().filter(|c| ['"', '\''].contains(c)).and_then(|quote| value[1..].rfind(quote).map(|end| &value[1..=end]));
    let bare = quoted.unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim_end());
    let (mut out, mut letters) = (String::new(), bare.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('b') => out.push('\u{8}'),
                Some('s') => out.push(' '),
                Some(other @ ('\\' | '"' | '\'')) => out.push(other),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_as_the_clients_read_them() {
        for (text, mariadb, user, password) in [
            ("[client]\nuser=anna\npassword = hush", false, Some("anna"), Some("hush")),
            ("[mysqld]\npassword=no\n[client]\n# password=no\npassword=\"a b#c\"", false, None, Some("a b#c")),
            ("[client]\npassword=a#b # comment", false, None, Some("a#b")),
            ("[client]\npassword='x\\sy\\\\'", false, None, Some("x y\\")),
            ("[client-mariadb]\npassword=m", false, None, None),
            ("[client-mariadb]\npassword=m", true, None, Some("m")),
            ("[client]\nskip-ssl\n", true, None, None),
        ] {
            let expected = Options { user: user.map(str::to_owned), password: password.map(str::to_owned) };
            assert_eq!(read(text, mariadb), expected, "{text}");
        }
    }
}
