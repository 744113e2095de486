//! The one table of settings: the file's keys, the variables, the flags, the help and the unknown-key check
//! all read it, so that none of them can know a setting the others don't.
//!
//! To add a setting: one row here, one field in its section's file, one line in the README's table.

/// How a setting's value may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Never, not even its length; may also be given as a file.
    Never,
    /// As it is.
    Openly,
    /// A URL whose password is left out; may also be given as a file.
    WithoutPassword,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its place in `keywarden.toml`: `tls.cert` is `cert` in the table `[tls]`.
    pub key: &'static str,
    /// Its environment variable.
    pub variable: &'static str,
    /// What holds when nobody says otherwise; empty where that depends on other settings.
    pub default: &'static str,
    pub shown: Shown,
    pub help: &'static str,
}

impl Setting {
    pub fn named(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Whether the value may also be read from a file: `…_file`, `…_FILE`, `--…-file`.
    pub fn is_secret(&self) -> bool {
        self.shown != Shown::Openly
    }

    /// The flag without its dashes: `tls-cert`. Secrets have only the `-file` form: a command line is no secret.
    pub fn flag(&self) -> String {
        let name = self.variable.trim_start_matches(PREFIX).to_ascii_lowercase().replace('_', "-");
        if self.is_secret() { format!("{name}-file") } else { name }
    }
}

/// What every variable begins with.
pub(super) const PREFIX: &str = "KEYWARDEN_";

/// Names the configuration file itself; no setting, because a file cannot name itself.
pub(super) const FILE_VARIABLE: &str = "KEYWARDEN_CONFIG";

const fn open(
    key: &'static str,
    variable: &'static str,
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, variable, default, shown: Shown::Openly, help }
}

pub const SETTINGS: &[Setting] = &[
    open("data_dir", "KEYWARDEN_DATA_DIR", "./data", "folder that holds everything of the embedded defaults"),
    open("listen", "KEYWARDEN_LISTEN", "127.0.0.1:3000", "address and port of the console and the API"),
    open(
        "metrics_listen",
        "KEYWARDEN_METRICS_LISTEN",
        "",
        "address and port of Prometheus metrics, plain HTTP; none when unset",
    ),
    open(
        "public_url",
        "KEYWARDEN_PUBLIC_URL",
        "",
        "what people type into the browser: decides cookies, HSTS and passkeys",
    ),
    open("rp_id", "KEYWARDEN_RP_ID", "", "domain that passkeys belong to; the public URL's host when unset"),
    open(
        "trusted_proxies",
        "KEYWARDEN_TRUSTED_PROXIES",
        "",
        "networks whose X-Forwarded-For is believed: `10.0.0.0/8, ::1/128`",
    ),
    Setting {
        key: "database.url",
        variable: "KEYWARDEN_DATABASE_URL",
        default: "",
        shown: Shown::WithoutPassword,
        help: "postgres://… or sqlite://…; SQLite in the data folder when unset",
    },
    open(
        "seal.kind",
        "KEYWARDEN_SEAL",
        "softhsm",
        "what wraps the keyring: softhsm (embedded), pkcs11 (your HSM) or software (a key file)",
    ),
    open(
        "seal.key_file",
        "KEYWARDEN_SEAL_KEY_FILE",
        "",
        "the software seal's key file; seal.key in the data folder when unset",
    ),
    open(
        "seal.grace",
        "KEYWARDEN_SEAL_GRACE",
        "5m",
        "how long a node goes on with the keys in memory after it lost its HSM",
    ),
    open(
        "seal.old_keys",
        "KEYWARDEN_SEAL_OLD_KEYS",
        "kept",
        "how long an old HSM key stays after a rotation took its place (`30d`), on a token of this house alone; \
         kept until you destroy it when unset",
    ),
    open(
        "seal.projects",
        "KEYWARDEN_SEAL_PROJECTS",
        "",
        "seals that projects may name as their own: PKCS#11 URIs (RFC 7512) and key files, separated by commas;          `keywarden seal offer` takes one into service",
    ),
    open("pkcs11.module", "KEYWARDEN_PKCS11_MODULE", "", "path of the HSM vendor's PKCS#11 library"),
    open("pkcs11.token", "KEYWARDEN_PKCS11_TOKEN", "", "label of the token"),
    open(
        "pkcs11.serial",
        "KEYWARDEN_PKCS11_SERIAL",
        "",
        "serial number of the token, where two have that label",
    ),
    Setting {
        key: "pkcs11.pin",
        variable: "KEYWARDEN_PKCS11_PIN",
        default: "",
        shown: Shown::Never,
        help: "the token's user PIN; all nodes together try one that the token refuses twice, and never again",
    },
    open(
        "pkcs11.user",
        "KEYWARDEN_PKCS11_USER",
        "",
        "user that PKCS#11 libraries run as where root starts the server; nobody when unset",
    ),
    open(
        "backup.folder",
        "KEYWARDEN_BACKUP_FOLDER",
        "",
        "where backups are made by themselves; none when unset",
    ),
    open(
        "backup.every",
        "KEYWARDEN_BACKUP_EVERY",
        "24h",
        "how long after the last backup the next one is made",
    ),
    open(
        "backup.keep",
        "KEYWARDEN_BACKUP_KEEP",
        "14",
        "backups that stay in the folder; older ones are deleted",
    ),
    open(
        "backup.drill",
        "KEYWARDEN_BACKUP_DRILL",
        "30d",
        "when the newest backup is restored for a look: so long after the last look (`30d`), after so many backups (`7`), \
         only when `asked`, or never (`off`)",
    ),
    open("tls.cert", "KEYWARDEN_TLS_CERT", "", "certificate chain, PEM; read again when it changes"),
    open("tls.key", "KEYWARDEN_TLS_KEY", "", "the certificate's private key, PEM"),
    open(
        "verify.max_staleness",
        "KEYWARDEN_VERIFY_MAX_STALENESS",
        "0s",
        "how old an answer of verify may be while the database is away; at most 60s",
    ),
    open(
        "exchange.networks",
        "KEYWARDEN_EXCHANGE_NETWORKS",
        "",
        "private networks where issuers of other tokens may be reached: `10.96.0.0/12`; only public addresses when unset",
    ),
    open(
        "exchange.ca_file",
        "KEYWARDEN_EXCHANGE_CA_FILE",
        "",
        "certificates, PEM, that prove issuers, webhooks and the mail server too, beside the system's: of a Kubernetes cluster, say",
    ),
    open(
        "webhooks.networks",
        "KEYWARDEN_WEBHOOKS_NETWORKS",
        "",
        "private networks where webhooks may be reached, those of each person too; only public addresses when unset",
    ),
    Setting {
        key: "mail.url",
        variable: "KEYWARDEN_MAIL_URL",
        default: "",
        shown: Shown::WithoutPassword,
        help: "the mail server: smtps://user:password@host, or smtp://… for STARTTLS; no mail is sent when unset",
    },
    open(
        "mail.from",
        "KEYWARDEN_MAIL_FROM",
        "",
        "from whom mail is: `Keywarden <keywarden@example.com>`; set with the mail server",
    ),
    open(
        "proofs.cvc5",
        "KEYWARDEN_CVC5",
        "cvc5",
        "cvc5, the solver that shows what a policy would change: a name or a path; `off` runs none",
    ),
    open(
        "secrets.max_value",
        "KEYWARDEN_SECRETS_MAX_VALUE",
        "65536",
        "longest value of a secret, bytes; at most 524288",
    ),
    open("session.idle", "KEYWARDEN_SESSION_IDLE", "1h", "a session ends after this long without a request"),
    open("session.absolute", "KEYWARDEN_SESSION_ABSOLUTE", "24h", "a session ends this long after sign-in"),
    open(
        "session.admin_idle",
        "KEYWARDEN_SESSION_ADMIN_IDLE",
        "15m",
        "the same for owners, admins and auditors",
    ),
    open(
        "session.admin_absolute",
        "KEYWARDEN_SESSION_ADMIN_ABSOLUTE",
        "12h",
        "the same for owners, admins and auditors",
    ),
    open(
        "log.level",
        "KEYWARDEN_LOG_LEVEL",
        "info",
        "error, warn, info, debug, trace, or directives as `info,sqlx=warn`",
    ),
    open(
        "log.format",
        "KEYWARDEN_LOG_FORMAT",
        "auto",
        "json, text, or auto: text on a terminal, JSON lines elsewhere",
    ),
    open("limits.connections", "KEYWARDEN_LIMITS_CONNECTIONS", "8192", "open connections at once"),
    open(
        "limits.connections_per_address",
        "KEYWARDEN_LIMITS_CONNECTIONS_PER_ADDRESS",
        "512",
        "open connections at once from one address; trusted proxies are not counted",
    ),
    open("limits.body", "KEYWARDEN_LIMITS_BODY", "1048576", "largest request body, bytes"),
    open(
        "limits.request",
        "KEYWARDEN_LIMITS_REQUEST",
        "30s",
        "a request is answered in this time or refused",
    ),
    open("limits.drain", "KEYWARDEN_LIMITS_DRAIN", "20s", "how long open requests may take after SIGTERM"),
];

/// Variables that Kubernetes makes for a Service named `keywarden`. They are not ours and not errors.
pub(super) fn is_service_link(variable: &str) -> bool {
    const LINKS: [&str; 3] = ["KEYWARDEN_SERVICE_HOST", "KEYWARDEN_SERVICE_PORT", "KEYWARDEN_PORT"];
    LINKS.contains(&variable)
        || variable.starts_with("KEYWARDEN_SERVICE_PORT_")
        || variable.starts_with("KEYWARDEN_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_variable_and_flag_is_there_once() {
        for pick in [|s: &Setting| s.key.to_owned(), |s: &Setting| s.variable.to_owned(), Setting::flag] {
            let mut all: Vec<_> = SETTINGS.iter().map(pick).collect();
            all.sort();
            let before = all.len();
            all.dedup();
            assert_eq!(all.len(), before);
        }
    }

    #[test]
    fn no_setting_is_mistaken_for_a_service_link() {
        assert!(SETTINGS.iter().all(|setting| !is_service_link(setting.variable)));
    }
}
