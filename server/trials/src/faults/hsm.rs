//! The HSM is pulled out, answers with errors, kills its library's process, or says nothing; then it is back.
//!
//! A library that fails on command stands before a SoftHSM2 token. Must be so: within [`SEEN`] the node says that it is degraded;
//! where the library hangs, its process is killed after [`PATIENT`], and the node says so within [`SEEN`] of that; keys are
//! verified within [`PROMPT`] all the while; and within [`BACK`] of the HSM's return the node is ready, by itself. A process that
//! hung at that moment has its time first.

use std::{
    fmt,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::upkeep::fsck;
use crate::{
    Result,
    client::Client,
    house::House,
    node::{Node, Plan},
};

/// The HSM is looked at once a second.
const SEEN: Duration = Duration::from_secs(1);
/// A library that says nothing for so long is killed.
const PATIENT: Duration = Duration::from_secs(5);
/// From the HSM's return to a node that is ready.
const BACK: Duration = Duration::from_secs(5);
/// A verification takes no longer, whatever the HSM does.
const PROMPT: Duration = Duration::from_secs(1);
/// What the machine may take on top of each figure: of an optimized build, and of one that tests run beside.
const LATE: Duration = Duration::from_millis(500);
const LATE_BESIDE_TESTS: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(10);
/// For how long it stays as it is: more than one look at it.
const FAILING: Duration = Duration::from_millis(1_500);
/// Where distributions put SoftHSM2's library.
const MODULES: [&str; 8] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
const SHIM: &str = "libkeywarden_shim.so";

/// What the library does, in its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Crash,
    Error,
    Hang,
    Removed,
}

impl Fault {
    const ALL: [Self; 4] = [Self::Crash, Self::Error, Self::Hang, Self::Removed];

    fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Error => "error",
            Self::Hang => "hang",
            Self::Removed => "removed",
        }
    }

    /// For how long it is waited for what it does.
    fn waits(self) -> Duration {
        if self == Self::Hang { PATIENT } else { Duration::ZERO }
    }
}

/// A server whose HSM can be made to fail.
#[derive(Debug)]
pub struct Trial {
    node: Node,
    plan: Plan,
    anybody: Client,
    verifier: Client,
    /// A key that is good all the time.
    key: String,
    /// What the library reads to know what to do.
    fault: PathBuf,
    late: Duration,
    found: Found,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Found {
    slowest_sight: Duration,
    kills: (Option<Duration>, Duration),
    slowest_return: Duration,
    verified: u64,
}

impl Trial {
    pub async fn new(binary: &Path, folder: &Path, strict: bool) -> Result<Self> {
        // The token is the one that a server on the defaults makes.
        let maker = Plan::new(binary, folder.join("maker"));
        maker.start().await?.stop()?;
        let plan = before_a_shim(binary, folder)?;
        let node = plan.start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        let key =
            node.client(&house.manager).post("/api/v1/keys", &house.key("always good")).await?.text("key")?;
        Ok(Self {
            anybody: node.stranger().patient(PROMPT),
            verifier: node.client(&house.verifier).patient(PROMPT),
            node,
            plan,
            key,
            fault: folder.join("fault"),
            late: if strict { LATE } else { LATE_BESIDE_TESTS },
            found: Found::default(),
        })
    }

    /// Each fault once, each time at another moment between two looks.
    pub async fn round(&mut self, round: u64) -> Result<&Found> {
        for (number, fault) in (0_u64..).zip(Fault::ALL) {
            tokio::time::sleep(Duration::from_millis((round * 137 + number * 311) % 1_000)).await;
            self.suffers(fault).await.with_context(|| format!("`{}`", fault.word()))?;
            self.recovers(fault).await.with_context(|| format!("after `{}`", fault.word()))?;
        }
        Ok(&self.found)
    }

    /// The node sees it, and goes on with the keys in memory.
    async fn suffers(&mut self, fault: Fault) -> Result<()> {
        let before = self.libraries()?;
        ensure!(!before.is_empty(), "no library runs in a process of its own");
        fs::write(&self.fault, fault.word())?;
        let began = Instant::now();
        let latest = fault.waits() + SEEN + self.late;
        let (mut seen, mut killed) = (None, None);
        while seen.is_none() || (fault == Fault::Hang && killed.is_none()) {
            if killed.is_none() && !self.libraries()?.iter().any(|it| before.contains(it)) {
                killed = Some(began.elapsed());
            }
            if seen.is_none() && self.condition().await? == "degraded" {
                seen = Some(began.elapsed());
            }
            self.verifies().await?;
            let (took, most) = (began.elapsed(), latest + SEEN);
            ensure!(took <= most, "after {} ms: degraded {seen:?}, killed {killed:?}", took.as_millis());
            tokio::time::sleep(LOOK).await;
        }
        let seen = seen.unwrap_or_default();
        ensure!(seen <= latest, "it is seen after {} ms", seen.as_millis());
        self.found.slowest_sight = self.found.slowest_sight.max(seen.saturating_sub(fault.waits()));
        if let Some(killed) = killed.filter(|_| fault == Fault::Hang) {
            // A look that was under way hangs from a later call on, and has had some of its time before.
            ensure!(
                killed + SEEN >= PATIENT,
                "killed after {} ms: some devices take that long",
                killed.as_millis()
            );
            ensure!(killed <= latest, "killed after {} ms only", killed.as_millis());
            let (soonest, latest) = &mut self.found.kills;
            *soonest = Some(soonest.map_or(killed, |it| it.min(killed)));
            *latest = (*latest).max(killed);
        }
        let until = Instant::now() + FAILING;
        while Instant::now() < until {
            let condition = self.condition().await?;
            ensure!(condition == "degraded", "it is {condition} though the HSM is away");
            self.verifies().await?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The HSM is back, and nobody does anything about it.
    async fn recovers(&mut self, after: Fault) -> Result<()> {
        fs::write(&self.fault, "")?;
        let began = Instant::now();
        let most = after.waits() + BACK + self.late;
        while self.condition().await? != "ready" {
            ensure!(began.elapsed() <= most, "not ready after {} ms", began.elapsed().as_millis());
            self.verifies().await?;
            tokio::time::sleep(LOOK).await;
        }
        self.found.slowest_return = self.found.slowest_return.max(began.elapsed());
        self.verifies().await
    }

    pub fn end(self) -> Result<()> {
        self.node.stop()?;
        fsck(&self.plan)
    }

    /// What the node says of itself to anybody.
    async fn condition(&self) -> Result<String> {
        self.anybody.get("/readyz").await?.text("status")
    }

    async fn verifies(&mut self) -> Result<()> {
        let code = self.verifier.verify(&self.key).await?.text("code")?;
        ensure!(code == "valid", "a good key is `{code}`");
        self.found.verified += 1;
        Ok(())
    }

    /// The processes that the server has libraries in.
    fn libraries(&self) -> Result<Vec<u32>> {
        let server = self.node.id().to_string();
        let is_its = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit(") ").next().unwrap_or_default();
            !after.starts_with('Z') && after.split(' ').nth(1) == Some(&server)
        };
        let named = fs::read_dir("/proc")?.filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok());
        Ok(named.filter(is_its).collect())
    }
}

/// A server on the maker's token, by the library that fails. Whoever the library runs as gets to both.
fn before_a_shim(binary: &Path, folder: &Path) -> Result<Plan> {
    let may = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    let token = folder.join("maker/data/softhsm");
    for path in [folder, &folder.join("maker"), &folder.join("maker/data"), &token] {
        may(path, 0o711)?;
    }
    let settings = token.join("softhsm2.conf");
    may(&settings, 0o644)?;
    let fault = folder.join("fault");
    fs::write(&fault, "")?;
    may(&fault, 0o644)?;
    // Cargo leaves it beside the binary, or among its dependencies.
    let target = binary.parent().context("the binary's folder")?;
    let built = ["", "deps"].map(|it| target.join(it).join(SHIM)).into_iter().find(|path| path.exists());
    let shim = folder.join(SHIM);
    fs::copy(built.with_context(|| format!("build keywarden-shim: no {SHIM} beside the binary"))?, &shim)?;
    may(&shim, 0o755)?;
    let softhsm = MODULES.into_iter().find(|path| Path::new(path).exists()).context("install SoftHSM2")?;
    let text = |path: &Path| path.display().to_string();
    Ok(Plan::new(binary, folder.join("server"))
        .with("KEYWARDEN_SEAL", "pkcs11")
        .with("KEYWARDEN_PKCS11_MODULE", text(&shim))
        .with("KEYWARDEN_PKCS11_TOKEN", "keywarden")
        .with("KEYWARDEN_PKCS11_PIN_FILE", text(&token.join("pin")))
        .with("SOFTHSM2_CONF", text(&settings))
        .with("SHIM_LIBRARY", softhsm)
        .with("SHIM_FAULT", text(&fault)))
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (soonest, latest) = (self.kills.0.unwrap_or_default(), self.kills.1);
        write!(
            f,
            "degraded within {} ms, what hangs killed after {} to {} ms, ready within {} ms, {} verifications meanwhile",
            self.slowest_sight.as_millis(),
            soonest.as_millis(),
            latest.as_millis(),
            self.slowest_return.as_millis(),
            self.verified
        )
    }
}
