//! From configuration to seals. Nothing is asked of them here: they may not be there yet.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use keywarden_domain::{Domain, Env, system::PinMemory};
use keywarden_vault::{
    Seal, SealError, SealId, SecretString,
    seal::{
        pkcs11::{Attempts, Launch, Module, Pin, Pkcs11Seal, Token, User},
        softhsm::{NotInstalled, ScratchTokens, SoftHsm, find_module},
        software::SoftwareSeal,
    },
};
use tokio::runtime::Handle;

use crate::{
    config::{self, Config, Database, ProjectSeal, SealKind},
    runs_as::RunsAs,
};

/// The file in the data folder in which the PINs of vendors' tokens are remembered.
const PIN_ATTEMPTS: &str = "pin-attempts";

/// Why there is no seal to ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealsError {
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    #[error("two seals of this server are named `{0}`: give each token, or key file, a name of its own")]
    SameName(SealId),
    #[error(
        "KEYWARDEN_PKCS11_USER names user {0}, and only root becomes somebody else: start the server as root, or take the \
         setting away"
    )]
    OnlyRoot(User),
    #[error("cannot prepare the embedded token: {0}")]
    Embedded(io::Error),
    #[error("cannot start the PKCS#11 module's thread: {0}")]
    Thread(io::Error),
}

/// Where refused PINs are remembered.
#[derive(Debug, Clone)]
pub(crate) enum Pins {
    /// In files in the data folder, for a shell that finds no records yet. A server on records that nodes share takes in what is
    /// there.
    Files,
    /// In the same files, for a house of one node. Its records may be a copy of some that nodes shared: once they are open, what
    /// was remembered there is taken in, and before that no PIN is tried.
    FilesAfter(Arc<PinMemory>),
    /// In the records that nodes share: once they are open, and before that no PIN is tried.
    Records(Arc<PinMemory>),
}

impl Pins {
    /// Where that engine's nodes remember them. To be called within the runtime.
    pub(crate) fn of(database: &Database) -> Self {
        match database {
            Database::Postgres(_) => Self::Records(PinMemory::new(Handle::current())),
            Database::Sqlite(_) => Self::FilesAfter(PinMemory::new(Handle::current())),
        }
    }

    /// Has them remembered in these records from now on, where that is what records are for, or taken in from there.
    pub(crate) fn remember_in(&self, domain: &Domain) {
        match self {
            Self::Files => {}
            Self::FilesAfter(memory) | Self::Records(memory) => domain.remembers_pins(memory),
        }
    }

    /// `file`: where a node does so for itself.
    fn attempts(&self, file: PathBuf, env: &Env) -> Attempts {
        match self {
            Self::Files => Attempts::at(file, &mut env.fork()),
            Self::FilesAfter(memory) => {
                Attempts::at_after(file, &mut env.fork(), Arc::<PinMemory>::clone(memory))
            }
            Self::Records(memory) => Attempts::shared(Arc::<PinMemory>::clone(memory), file),
        }
    }
}

/// A seal that can also make its own key.
#[derive(Clone)]
pub(crate) enum Made {
    Pkcs11(Arc<Pkcs11Seal>),
    SoftHsm { folder: SoftHsm, module: Module, seal: Arc<Pkcs11Seal> },
    Software(Arc<SoftwareSeal>),
}

impl Made {
    pub(crate) fn as_seal(&self) -> Arc<dyn Seal> {
        match self {
            Self::Pkcs11(seal) | Self::SoftHsm { seal, .. } => Arc::<Pkcs11Seal>::clone(seal),
            Self::Software(seal) => Arc::<SoftwareSeal>::clone(seal),
        }
    }

    fn id(&self) -> SealId {
        self.as_seal().describe().id.clone()
    }

    /// Makes the key that wraps, unless it is there: when the seal is added, never at a later start. Blocks.
    pub(crate) fn create(&self, env: &Env) -> Result<(), SealError> {
        match self {
            Self::Pkcs11(seal) => seal.create_key(),
            Self::SoftHsm { folder, module, .. } => folder.create(module, &mut env.fork()),
            Self::Software(seal) => seal.create_key(&mut env.fork()),
        }
    }
}

/// The seals of this server. Clones share the processes of PKCS#11 libraries; a seal of projects shares its own with no other
/// seal, so that one that hangs makes nobody else wait.
#[derive(Clone)]
pub(crate) struct Seals {
    configured: Made,
    /// Those that projects may name.
    projects: Vec<Made>,
    /// Of the house's seals.
    modules: Arc<Mutex<Vec<Module>>>,
    /// Whom vendors' libraries run as; nothing where there is none yet.
    vendors: Option<RunsAs>,
    /// Whom they shall run as.
    user: Option<User>,
    /// Whom the libraries in use run as; if one of them must be root's, that.
    runs_as: RunsAs,
    /// How empty tokens are made here for one use, or why none is.
    scratch: Result<ScratchTokens, String>,
    data_dir: PathBuf,
    pins: Pins,
    env: Env,
}

impl Seals {
    /// For a server: the embedded token's folder is made, and handed over to whom its library runs as. The token itself is made
    /// when the seal is added.
    pub(crate) fn prepare(config: &Config, env: &Env) -> Result<Self, SealsError> {
        let prepared = Self::put_together(config, env, Pins::of(&config.database), true)?;
        prepared.runs_as.tell();
        let scratch = scratch_tokens(&config.seal, prepared.vendors.clone());
        Ok(Self { scratch, ..prepared })
    }

    /// For whoever looks only.
    pub(crate) fn build(config: &Config, env: &Env, pins: Pins) -> Result<Self, SealsError> {
        Self::put_together(config, env, pins, false)
    }

    /// Lets tokens be logged in to whose PINs are remembered in these records.
    pub(crate) fn remember_in(&self, domain: &Domain) {
        self.pins.remember_in(domain);
    }

    fn put_together(config: &Config, env: &Env, pins: Pins, makes: bool) -> Result<Self, SealsError> {
        let remembered = || pins.attempts(config.data_dir.join(PIN_ATTEMPTS), env);
        let modules = Arc::default();
        let user = config.seal.user;
        let found = || if makes { RunsAs::of(user) } else { RunsAs::beside(&config.data_dir, user) };
        let vendors = config.seal.has_library().then(found).transpose()?;
        let mut runs_as = vendors.clone().unwrap_or(RunsAs::TheServer);
        let launch = runs_as.launch();
        let configured = match &config.seal.kind {
            SealKind::Pkcs11 { module, token, serial, pin } => {
                let pin = Pin::Given(SecretString::new(pin.expose().to_owned()));
                let module = load(&modules, module, launch.clone())?;
                pkcs11(&module, (token, serial.as_deref()), pin, remembered())
            }
            SealKind::SoftHsm { module } => {
                let folder = SoftHsm::at(&config.data_dir);
                let path = module.clone().map_or_else(|| folder.module(), Ok)?;
                let attempts = pins.attempts(folder.pin_attempts(), env);
                let folder = folder.remembering(attempts);
                runs_as =
                    runs_as.of_embedded(&folder, &config.seal, makes, env).map_err(SealsError::Embedded)?;
                let launch = folder.launch(runs_as.launch()).map_err(SealsError::Thread)?;
                let module = load(&modules, &path, launch)?;
                let seal = Arc::new(folder.seal(&module, &mut env.fork()));
                Made::SoftHsm { folder, module, seal }
            }
            SealKind::Software { key_file } => software(key_file),
        };
        let mut projects: Vec<Made> = Vec::new();
        for seal in &config.seal.projects {
            let made = match seal {
                ProjectSeal::Pkcs11 { module, token, serial, pin_file } => {
                    let module = Module::load(module, launch.clone()).map_err(SealsError::Thread)?;
                    let named = (token.as_str(), serial.as_deref());
                    pkcs11(&module, named, Pin::File(pin_file.clone()), remembered())
                }
                ProjectSeal::Software { key_file } => software(key_file),
            };
            let id = made.id();
            if projects.iter().chain([&configured]).any(|other| other.id() == id) {
                return Err(SealsError::SameName(id));
            }
            projects.push(made);
        }
        let (data_dir, env) = (config.data_dir.clone(), env.clone());
        let scratch = Err("this command makes none".to_owned());
        Ok(Self { configured, projects, modules, vendors, user, runs_as, scratch, data_dir, pins, env })
    }

    /// Whom the PKCS#11 libraries in use run as.
    pub(crate) fn runs_as(&self) -> &RunsAs {
        &self.runs_as
    }

    /// How empty tokens are made here for one use, or why none is.
    pub(crate) fn scratch(&self) -> Result<ScratchTokens, String> {
        self.scratch.clone()
    }

    /// Those that projects may name.
    pub(crate) fn of_projects(&self) -> Vec<Arc<dyn Seal>> {
        self.projects.iter().map(Made::as_seal).collect()
    }

    /// One of those.
    pub(crate) fn of_projects_named(&self, id: &SealId) -> Option<Made> {
        self.projects.iter().find(|made| made.id() == *id).cloned()
    }

    /// What this server unseals with.
    pub(crate) fn all(&self) -> [Arc<dyn Seal>; 1] {
        [self.configured.as_seal()]
    }

    /// Keeps a copy of what the embedded token's PINs are in. To be called once the keyring was opened by it. Blocks.
    pub(crate) fn keep(&self) {
        // What is no worse than before stops nothing: there may be no room.
        if let Made::SoftHsm { folder, .. } = &self.configured
            && let Err(cause) = folder.keep()
        {
            tracing::warn!(%cause, "no copy was kept of the embedded token's own file");
        }
    }

    /// Puts that copy back where the file was lost. Blocks.
    pub(crate) fn mend(&self) {
        if let Made::SoftHsm { folder, .. } = &self.configured
            && let Err(cause) = put_back(folder, &self.env)
        {
            tracing::debug!(%cause, "the embedded token's own file could not be looked at");
        }
    }

    pub(crate) fn ids(&self) -> Vec<SealId> {
        self.all().iter().map(|seal| seal.describe().id.clone()).collect()
    }

    /// Makes the configured seal's own key. Blocks.
    pub(crate) fn create(&self) -> Result<(), SealError> {
        self.configured.create(&self.env)
    }

    /// Another HSM's token, by its label and, where two share that, its serial number. Blocks for a moment.
    pub(crate) fn another_token(
        &self,
        module: &Path,
        token: (&str, Option<&str>),
        pin_file: &Path,
    ) -> Result<Made, SealsError> {
        let pin = Pin::File(pin_file.to_owned());
        let runs_as = match &self.vendors {
            Some(known) => known.clone(),
            None => RunsAs::of(self.user).inspect(RunsAs::tell)?,
        };
        let module = load(&self.modules, module, runs_as.launch())?;
        let attempts = self.pins.attempts(self.data_dir.join(PIN_ATTEMPTS), &self.env);
        Ok(pkcs11(&module, token, pin, attempts))
    }
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Seals").field(&self.ids()).finish()
    }
}

/// Where a token's own file was lost, its copy is put back, and that is told. Blocks.
pub(crate) fn put_back(folder: &SoftHsm, env: &Env) -> io::Result<()> {
    if folder.put_back(&mut env.fork())? {
        tracing::warn!("the embedded token's own file was lost or cut short: it is put back from its copy");
    }
    Ok(())
}

/// By SoftHSM2, where it is on this machine. Where nothing else here has a library, none is loaded as root for that.
fn scratch_tokens(seal: &config::Seal, vendors: Option<RunsAs>) -> Result<ScratchTokens, String> {
    let library = match &seal.kind {
        SealKind::SoftHsm { module: Some(path) } => path.clone(),
        _ => find_module().map_err(|cause| cause.to_string())?,
    };
    let runs_as = match vendors {
        Some(known) => known,
        None => match RunsAs::of(seal.user).map_err(|cause| cause.to_string())? {
            RunsAs::Root(why) => return Err(format!("its library would run as root: {why}")),
            other => other,
        },
    };
    Ok(ScratchTokens::of(library, runs_as.launch()))
}

fn software(path: &Path) -> Made {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Made::Software(Arc::new(SoftwareSeal::at(path, &name)))
}

/// `named` is the token's label, and its serial number where two share one.
fn pkcs11(module: &Module, (label, serial): (&str, Option<&str>), pin: Pin, attempts: Attempts) -> Made {
    let token = Token { label: label.to_owned(), serial: serial.map(ToOwned::to_owned), pin, attempts };
    Made::Pkcs11(Arc::new(Pkcs11Seal::new(module, token)))
}

/// A library of the house is loaded once, however many of its seals are on it.
fn load(modules: &Mutex<Vec<Module>>, path: &Path, launch: Launch) -> Result<Module, SealsError> {
    let same = |one: &Path| {
        one == path || one.canonicalize().ok().is_some_and(|it| path.canonicalize().ok() == Some(it))
    };
    let mut modules = modules.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.iter().find(|module| same(module.path())) {
        return Ok(module.clone());
    }
    let module = Module::load(path, launch).map_err(SealsError::Thread)?;
    modules.push(module.clone());
    Ok(module)
}
