//! What holds for a run. In: flags, the environment, `migrate.toml`, names of folders and files. Out: folder, engine, layout.

use super::failure::Failure;
use super::{Global, judge};
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::read::{self, Layout, Loaded};
use crate::schema::catalog::Catalog;
use crate::target::Target;
use std::path::{Path, PathBuf};

/// The migrations' folder where nobody named another.
pub(super) const DIR: &str = "migrations";

/// Settings, with flags before the environment before `migrate.toml`.
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) dir: PathBuf,
    pub(super) layout: Option<Layout>,
    engine: Option<Engine>,
}

impl Settings {
    pub(super) fn new(global: &Global) -> anyhow::Result<Settings> {
        let file = match &global.config {
            Some(file) => Some(file.clone()),
            None => nearest()?,
        };
        let config = file.map(|file| config::read(&file)).transpose()?.unwrap_or_default();
        Settings::with(global, config)
    }

    /// The same where `config` is all that a file says.
    pub(super) fn with(global: &Global, config: Config) -> anyhow::Result<Settings> {
        let dir = global.dir.clone().or_else(|| config.dir.clone()).unwrap_or_else(|| PathBuf::from(DIR));
        let layout = match global.layout.as_ref().or(config.layout.as_ref()) {
            Some(name) => Some(layout(name)?),
            None => None,
        };
        let engine = global.engine.map(|target| target.engine).or(config.engine).or_else(|| global.database.as_deref().and_then(Engine::from_url));
        Ok(Settings { config, dir, layout, engine })
    }

    /// The engine; asked of the folder's and files' names where nobody gave it.
    pub(super) fn engine(&self) -> anyhow::Result<Engine> {
        if let Some(engine) = self.engine {
            return Ok(engine);
        }
        match read::engines_in_names(&self.dir).as_slice() {
            [engine] => Ok(*engine),
            found => {
                // A folder that is not there, or empty, is no question of engines.
                if let (true, Err(error)) = (found.is_empty(), read::survey(&self.dir, self.layout, Engine::Sqlite)) {
                    return Err(error.into());
                }
                let message = match found {
                    [] => format!("which engine are the migrations in {} for?", self.dir.display()),
                    some => format!(
                        "the migrations in {} are for more than one engine: {}",
                        self.dir.display(),
                        some.iter().map(|e| e.name()).collect::<Vec<_>>().join(", ")
                    ),
                };
                Err(which_engine(message).into())
            }
        }
    }

    /// The engine with its release, where one is stated: by the flag, or by `migrate.toml` for the engine that it names.
    pub(super) fn target(&self, global: &Global, engine: Engine) -> Target {
        let by_file = self.config.version.filter(|_| self.config.engine.is_none_or(|named| named == engine));
        Target { engine, stated: global.engine.and_then(|target| target.stated).or(by_file) }
    }

    /// Reads the migrations.
    pub(super) fn load(&self, engine: Engine) -> anyhow::Result<Loaded> {
        Ok(read::load(&self.dir, self.layout, engine)?)
    }

    /// Takes what stood before the first migration into `catalog`, where a file tells it.
    pub(super) fn start(&self, global: &Global, catalog: &mut Catalog) -> anyhow::Result<()> {
        if let Some(schema) = global.schema.as_ref().or(self.config.schema.as_ref()) {
            let help = "give a dump of the schema that stood before the first migration";
            let dump =
                std::fs::read_to_string(schema).map_err(|e| Failure::usage("unreadable-file", format!("cannot read {}: {e}", schema.display()), help))?;
            judge::start(catalog, &dump);
        }
        Ok(())
    }
}

/// Asks for the engine, which nothing tells.
pub(super) fn which_engine(message: String) -> Failure {
    let names = Engine::ALL.map(Engine::name).join(", ");
    Failure::usage("which-engine", message, format!("say `--engine ENGINE` ({names}), or `engine = \"…\"` in {}", config::FILE))
}

fn layout(name: &str) -> anyhow::Result<Layout> {
    Layout::from_name(name).ok_or_else(|| {
        let names = Layout::ALL.map(|(_, name)| name).join(", ");
        Failure::usage("unknown-layout", format!("`{name}` is not a layout"), format!("the layouts are {names}")).into()
    })
}

/// `migrate.toml` in this folder or the nearest one above it that has one.
pub(super) fn nearest() -> std::io::Result<Option<PathBuf>> {
    let here = std::env::current_dir()?;
    Ok(here
        .ancestors()
        .map(|folder| folder.join(config::FILE))
        .find(|file| file.is_file())
        .map(|file| file.strip_prefix(&here).map(Path::to_owned).unwrap_or(file)))
}
