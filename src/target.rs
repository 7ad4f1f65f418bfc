//! Whose SQL it is, and which release of it. In: `postgres`, `postgres@15`, a number from `migrate.toml`. Out: a [`Target`].

use crate::engine::Engine;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// A release of a server. A number that is left out is 0, so that `8.0` is the oldest release of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Release(pub u16, pub u16, pub u16);

impl FromStr for Release {
    type Err = String;

    /// Reads `15`, `8.0.29` or `10.6`.
    fn from_str(text: &str) -> Result<Release, String> {
        let wrong = || format!("`{text}` is no release: write `15`, `8.0.29`, `10.6`");
        let mut parts = text.split('.').map(|part| part.parse::<u16>().map_err(|_| wrong()));
        let mut next = || parts.next().transpose();
        let release = Release(next()?.ok_or_else(wrong)?, next()?.unwrap_or(0), next()?.unwrap_or(0));
        if next()?.is_some() { Err(wrong()) } else { Ok(release) }
    }
}

impl TryFrom<String> for Release {
    type Error = String;

    fn try_from(text: String) -> Result<Release, String> {
        text.parse()
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Release(major, minor, patch) = *self;
        match (minor, patch) {
            (0, 0) => write!(f, "{major}"),
            (_, 0) => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

/// The engine that migrations are judged for, and its release where one is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The engine.
    pub engine: Engine,
    /// The release that was stated.
    pub stated: Option<Release>,
}

impl Target {
    /// The release that counts: the oldest one supported where none is stated.
    pub fn release(self) -> Release {
        self.stated.unwrap_or(match self.engine {
            Engine::Sqlite => Release(3, 35, 0),
            Engine::Postgres => Release(13, 0, 0),
            // The first one that was generally available.
            Engine::Mysql => Release(8, 0, 11),
            Engine::Mariadb => Release(10, 6, 0),
        })
    }
}

impl From<Engine> for Target {
    fn from(engine: Engine) -> Target {
        Target { engine, stated: None }
    }
}

impl FromStr for Target {
    type Err = String;

    /// Reads `ENGINE` or `ENGINE@RELEASE`.
    fn from_str(text: &str) -> Result<Target, String> {
        let (word, release) = text.split_once('@').map_or((text, None), |(word, release)| (word, Some(release)));
        let engine = Engine::from_word(word).ok_or_else(|| format!("the engines are {}", Engine::ALL.map(Engine::name).join(", ")))?;
        Ok(Target { engine, stated: release.map(str::parse).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_said() {
        let target: Target = "postgres@15".parse().unwrap();
        assert_eq!(target, Target { engine: Engine::Postgres, stated: Some(Release(15, 0, 0)) });
        assert_eq!("mysql@8.0.29".parse::<Target>().unwrap().release(), Release(8, 0, 29));
        assert_eq!("mariadb".parse::<Target>().unwrap().release(), Release(10, 6, 0));
        assert!("10.6".parse::<Release>().unwrap() < "10.11".parse().unwrap());
        for (text, said) in [("15", "15"), ("8.0.29", "8.0.29"), ("10.6.0", "10.6")] {
            assert_eq!(text.parse::<Release>().unwrap().to_string(), said);
        }
        for wrong in ["postgres@", "postgres@new", "postgres@1.2.3.4", "oracle@19"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
