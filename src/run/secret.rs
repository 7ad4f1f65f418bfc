//! Keeps passwords out of what is printed. In: a URL, a statement, a driver's message. Out: text that may be shown.

use super::RunError;
use crate::lex::secret::{MASK, masked, speaks_of_passwords};

/// The passwords of one connection, in every form in which a message could hold them.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Takes the passwords out of a server's URL. Refuses a URL of which a part of the password would be taken for a host, a
    /// port or a database, and so be printed.
    pub(super) fn of_url(url: &str) -> Result<Secrets, RunError> {
        let Some((_, rest)) = url.split_once("://") else {
            return Err(RunError::Usage(String::from("the database URL must be written scheme://user:password@host:port/database")));
        };
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if tail.contains('@') {
            return Err(RunError::Usage(String::from(
                "the database URL has an `@` after a `/`, `?` or `#`: percent-encode these in user, password and after the host (`/` %2F, `?` %3F, `#` %23, `@` %40)",
            )));
        }
        let mut secrets = Secrets::default();
        if let Some((_, password)) = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            secrets.add(password);
        }
        for pair in tail.split_once('?').map_or("", |(_, query)| query).split(['&', '#']) {
            if let Some(("password", value)) = pair.split_once('=') {
                secrets.add(value);
            }
        }
        Ok(secrets)
    }

    /// Adds a password in the forms as it stands and decoded.
    pub(super) fn add(&mut self, password: &str) {
        self.0.extend([password.to_owned(), decoded(password), decoded(&password.replace('+', " "))]);
        // One or two letters would be found in any message, and masking them would show them.
        self.0.retain(|secret| secret.chars().count() > 2);
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.0.dedup();
    }

    /// No password is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `message` without any of the passwords.
    pub(super) fn mask(&self, message: &str) -> String {
        self.0.iter().fold(message.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// `message`, which is about the statement `sql`, without the connection's passwords and without those that `sql` sets.
    pub(super) fn mask_for(&self, sql: &str, message: &str) -> String {
        if !speaks_of_passwords(sql) {
            return self.mask(message);
        }
        let mut all = self.clone();
        for quote in QUOTES {
            for literal in sql.split(quote).skip(1).step_by(2) {
                all.add(literal);
            }
        }
        // What the server quotes of the statement may cut a literal in two.
        all.mask(message.split_once(" near ").map_or(message, |(before, _)| before))
    }
}

const QUOTES: [char; 2] = ['\'', '"'];

/// The first line of a statement, for people; without what stands in quotes where the statement speaks of passwords.
pub fn shown(sql: &str) -> String {
    masked(sql).lines().next().unwrap_or_default().to_owned()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok()).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match hex {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_in_every_form() {
        for (url, message, shown) in [
            ("postgres://u:hush@h/d", "no hush for u", "no *** for u"),
            ("postgres://u:p%40ss%2Fw@h/d", "p%40ss%2Fw or p@ss/w", "*** or ***"),
            ("postgres://h/d?user=u&password=hu%20sh&x=1", "hu sh, hu%20sh", "***, ***"),
            ("mysql://u:a@b@h/d", "a@b at h", "*** at h"),
            ("mysql://u@h/d", "u at h", "u at h"),
        ] {
            assert_eq!(Secrets::of_url(url).unwrap().mask(message), shown, "{url}");
        }
    }

    #[test]
    fn a_url_that_would_split_its_password_is_refused_without_a_word_of_it() {
        for url in ["postgres://u:12/hush@h/d", "postgres://u:hu?sh@h/d", "mysql://u:hu#sh@h/d", "hush"] {
            let error = Secrets::of_url(url).err().expect("refused").to_string();
            assert!(!error.contains("hu") && !error.contains("sh@") && !error.contains("12"), "{url}: {error}");
        }
    }

    fn message_shown(sql: &str) -> &'static str {
        match (sql.contains("hush"), sql.contains("password_hash")) {
            (true, _) => "x '***'",
            (_, true) => "x 'hush'",
            _ => "x 'hush' near 'hus",
        }
    }

    #[test]
    fn a_statement_that_speaks_of_passwords_is_masked() {
        for (sql, first_line) in [
            ("CREATE ROLE r PASSWORD 'hush'", "CREATE ROLE r PASSWORD '***'"),
            ("CREATE USER u IDENTIFIED BY 'hush' REQUIRE SSL", "CREATE USER u IDENTIFIED BY '***' REQUIRE SSL"),
            ("ALTER ROLE r\nPASSWORD 'hush'", "ALTER ROLE r"),
            ("ALTER TABLE t ADD password_hash text", "ALTER TABLE t ADD password_hash text"),
            ("INSERT INTO t (password) VALUES ('hush", "INSERT INTO t (password) VALUES ('***"),
            ("INSERT INTO t (c) VALUES ('x')", "INSERT INTO t (c) VALUES ('x')"),
        ] {
            assert_eq!(shown(sql), first_line);
            assert_eq!(Secrets::default().mask_for(sql, "x 'hush' near 'hus"), message_shown(sql));
        }
    }
}
