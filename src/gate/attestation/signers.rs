//! Who may sign: a file of `ssh-keygen -Y verify`, "ALLOWED SIGNERS" in its manual. In: its text. Out: whether a key may sign in a name, for a
//! purpose, at a time.

use chrono::{DateTime, Local, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// The lines of an `allowed_signers` file.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    /// Patterns, parted by commas.
    principals: String,
    /// Patterns, parted by commas; `None` allows all.
    namespaces: Option<String>,
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    key: KeyData,
}

/// A line that is none of such a file.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SignersError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Signers {
    /// Reads the text of such a file.
    ///
    /// # Errors
    /// [`SignersError`] for the first line that this program does not take whole: an option that it passed over might have been a limit. A line
    /// that trusts a certificate authority is one, for signatures by certificates are not read here.
    pub fn read(text: &str) -> Result<Signers, SignersError> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                lines.push(Line::read(line).map_err(|what| SignersError { line: at + 1, what })?);
            }
        }
        Ok(Signers { lines })
    }

    /// The first name that `key` may sign in, where a line gives one without wildcards.
    pub fn principal(&self, key: &KeyData) -> Option<&str> {
        let of_key = self.lines.iter().filter(|line| line.key == *key);
        of_key.flat_map(|line| line.principals.split(',')).find(|name| !name.contains(['*', '?', '!']))
    }

    /// Whether `key` may sign for `issuer`, for the purpose `namespace`, at `now`; else why not, as the end of a sentence.
    pub(super) fn allow(&self, key: &KeyData, issuer: &str, namespace: &str, now: DateTime<Utc>) -> Result<(), String> {
        let mut why = String::from("no line of allowed_signers has that key");
        for line in self.lines.iter().filter(|line| line.key == *key) {
            if !matches_list(&line.principals, issuer) {
                why = format!("allowed_signers has that key for {}", line.principals);
            } else if let Some(others) = line.namespaces.as_ref().filter(|list| !matches_list(list, namespace)) {
                why = format!("allowed_signers has that key only for the namespaces {others}");
            } else if let Some(after) = line.after.filter(|after| now < *after) {
                why = format!("it is valid from {after} on, and the clock says {now}");
            } else if let Some(before) = line.before.filter(|before| now >= *before) {
                why = format!("it was valid until {before}, and the clock says {now}");
            } else {
                return Ok(());
            }
        }
        Err(why)
    }
}

impl Line {
    fn read(line: &str) -> Result<Line, String> {
        let (principals, rest) = word(line)?;
        if principals.is_empty() {
            return Err(String::from("it names nobody"));
        }
        let (mut namespaces, mut after, mut before) = (None, None, None);
        let (first, mut key) = word(rest)?;
        // A key's first word is its kind, and no option is called so.
        if first.parse::<ssh_key::Algorithm>().map_or(true, |kind| matches!(kind, ssh_key::Algorithm::Other(_))) {
            for option in options(first)? {
                let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
                let value = |name: &str| {
                    let bare = value.and_then(|value| value.strip_prefix('"')?.strip_suffix('"')).filter(|value| !value.contains('"'));
                    bare.map(str::to_owned).ok_or_else(|| format!("the option {name} needs a value in quotes"))
                };
                let once = |set: bool, name: &str| if set { Err(format!("the option {name} stands there twice")) } else { Ok(()) };
                match name.to_ascii_lowercase().as_str() {
                    "namespaces" => {
                        once(namespaces.is_some(), name)?;
                        namespaces = Some(value(name)?);
                    }
                    "valid-after" => {
                        once(after.is_some(), name)?;
                        after = Some(time(&value(name)?, LocalResult::latest)?);
                    }
                    "valid-before" => {
                        once(before.is_some(), name)?;
                        before = Some(time(&value(name)?, LocalResult::earliest)?);
                    }
                    "cert-authority" => return Err(String::from("signatures by certificates are not read here: name the key itself")),
                    _ => return Err(format!("{name:?} is neither an option nor a kind of key that is known here")),
                }
            }
        } else {
            key = rest;
        }
        if let (Some(after), Some(before)) = (after, before)
            && after >= before
        {
            return Err(String::from("valid-before is not after valid-after"));
        }
        let key = PublicKey::from_openssh(key.trim()).map_err(|error| format!("its key cannot be read: {error}"))?;
        Ok(Line { principals: principals.to_owned(), namespaces, after, before, key: key.key_data().clone() })
    }
}

/// The next word, without its quotes where it stands in such, and what follows. A blank inside of quotes ends no word.
fn word(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim_start();
    let mut quoted = false;
    let end = text.find(|letter: char| {
        quoted ^= letter == '"';
        letter.is_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    if word.matches('"').count() % 2 == 1 {
        return Err(String::from("a quote is not closed"));
    }
    let bare = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).filter(|word| !word.contains('"'));
    Ok((bare.unwrap_or(word), rest))
}

/// Options parted by commas; one inside of quotes parts none.
fn options(text: &str) -> Result<Vec<&str>, String> {
    let mut quoted = false;
    let parts = text.split(|letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    let parts: Vec<&str> = parts.collect();
    if parts.iter().any(|part| part.is_empty()) { Err(format!("{text:?} has an empty option")) } else { Ok(parts) }
}

/// `YYYYMMDD[HHMM[SS]]`, in this computer's zone, or with a `Z` in UTC. Of an hour that a change of the clocks repeats, `reading` takes one.
fn time(text: &str, reading: impl FnOnce(LocalResult<DateTime<Local>>) -> Option<DateTime<Local>>) -> Result<DateTime<Utc>, String> {
    let wrong = || format!("{text:?} is no time: write YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC");
    let (digits, utc) = text.strip_suffix(['Z', 'z']).map_or((text, false), |digits| (digits, true));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), |part| part.parse::<u32>().map_err(|_| wrong()));
    let date = NaiveDate::from_ymd_opt(part(0, 4)? as i32, part(4, 6)?, part(6, 8)?).ok_or_else(wrong)?;
    let clock = NaiveTime::from_hms_opt(part(8, 10)?, part(10, 12)?, part(12, 14)?).ok_or_else(wrong)?;
    let moment = NaiveDateTime::new(date, clock);
    if utc {
        return Ok(moment.and_utc());
    }
    reading(Local.from_local_datetime(&moment)).map(|moment| moment.to_utc()).ok_or_else(wrong)
}

/// Whether `text` matches one of `patterns` and none of those that begin with `!` (ssh_config manual, "PATTERNS").
fn matches_list(patterns: &str, text: &str) -> bool {
    let mut matched = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => matched |= matches(pattern.as_bytes(), text.as_bytes()),
        }
    }
    matched
}

/// `*` is any letters, `?` is one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pos, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(pos) {
            Some(b'*') => {
                star = Some((pos, at));
                pos += 1;
            }
            Some(b'?') => (at, pos) = (at + 1, pos + 1),
            Some(letter) if *letter == text[at] => (at, pos) = (at + 1, pos + 1),
            _ => match star {
                Some((of_star, from)) => {
                    star = Some((of_star, from + 1));
                    (pos, at) = (of_star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[pos..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn allowed(line: &str, issuer: &str, at: &str) -> Result<(), String> {
        let signers = Signers::read(line).map_err(|error| error.to_string())?;
        let key = PublicKey::from_openssh(KEY).unwrap();
        signers.allow(key.key_data(), issuer, "backup-attestation.migrate.v1", at.parse().unwrap())
    }

    #[test]
    fn a_line_says_who_for_what_and_when() {
        let now = "2026-06-01T12:00:00Z";
        for line in [
            format!("dba@x {KEY} a comment"),
            format!("# who\n\n a@x,dba@x namespaces=\"git,backup-attestation.*\" {KEY}"),
            format!("*@x,!bob@x valid-after=\"20260601Z\",valid-before=\"20260601120001Z\" {KEY}"),
            format!("\"dba@x\" NAMESPACES=\"backup-attestation.migrate.v?\" {KEY}"),
            format!("dba@x namespaces=\"git\" {KEY}\ndba@x {KEY}"),
        ] {
            assert_eq!(allowed(&line, "dba@x", now), Ok(()), "{line}");
        }
        for (line, why) in [
            (String::new(), "no line"),
            (format!("other@x {KEY}"), "for other@x"),
            (format!("*@x,!dba@x {KEY}"), "for *@x"),
            (format!("dba@x namespaces=\"git\" {KEY}"), "namespaces git"),
            (format!("dba@x namespaces=\"!backup*,*\" {KEY}"), "namespaces"),
            (format!("dba@x valid-after=\"20260601120001Z\" {KEY}"), "valid from"),
            (format!("dba@x valid-before=\"202606011200Z\" {KEY}"), "valid until"),
            (format!("dba@x cert-authority {KEY}"), "certificates"),
            (format!("dba@x no-such-option {KEY}"), "neither an option"),
            (format!("dba@x namespaces=\"git {KEY}"), "quote"),
            (format!("dba@x namespaces {KEY}"), "needs a value"),
            (format!("dba@x valid-before=\"20261301Z\" {KEY}"), "no time"),
            (format!("dba@x valid-before=\"2026Z\" {KEY}"), "no time"),
            (format!("dba@x valid-before=\"20260101Z\",valid-before=\"20270101Z\" {KEY}"), "twice"),
            (format!("dba@x valid-before=\"20260101Z\",valid-after=\"20270101Z\" {KEY}"), "not after"),
            (format!("dba@x ,namespaces=\"git\" {KEY}"), "empty option"),
            (String::from("dba@x ssh-ed25519 AAAA"), "cannot be read"),
            (String::from("dba@x"), ""),
        ] {
            let found = allowed(&line, "dba@x", now).unwrap_err();
            assert!(found.contains(why), "{line}: {found}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in
            [("a*c", "abbc", true), ("a*c", "abcd", false), ("?", "a", true), ("?", "", false), ("*", "", true), ("a", "ab", false)]
        {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
