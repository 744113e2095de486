//! Terminals: somebody at a command line is signed in by their own approval in the console (RFC 8628).
//!
//! A terminal asks, keeps one code and shows the other; its person types that one into a page behind their session and
//! their passkey, looks at where the terminal is, and lets it in or not. What it then holds is a session of that person,
//! listed and ended with the others, whose secret is a token instead of a cookie. It knows the passkey that the person
//! showed last and never another one: what needs a fresh one is refused minutes later.
//!
//! **Invariant:** both codes serve once and ten minutes. The code that is typed opens nothing by itself: it only names a
//! terminal to somebody who is signed in.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use keywarden_model::time::{from_micros, later};
use keywarden_model::{DeviceGrantId, PasskeyId, SessionId, UserId};
use keywarden_store::people::{devices, passkeys, sessions, users};
use keywarden_store::{Conn, StoreError, WriteError, Written};
use keywarden_vault::token::{self, Kind};
use keywarden_vault::{Purpose, SecretString};
use sha2::{Digest, Sha256};

use super::session::{Contents, done_by, longest};
use super::step_up::whole;
use crate::refused::carries_refused;
use crate::{Action, Domain, Env, Fault, Op, Person, Refused, Resource};

/// How long a terminal may ask.
pub const DEVICE_LASTS: TimeDelta = TimeDelta::minutes(10);
/// A terminal's session ends after this, or with the absolute limit of its person's roles.
pub const TERMINAL_LASTS: TimeDelta = TimeDelta::hours(8);
/// Seconds between two questions of a terminal.
const EVERY: i64 = 5;
/// Terminals that ask at once; beyond that the oldest are forgotten, whenever it is somebody's turn to look.
pub(super) const ASKING: i64 = 10_000;
/// The label of terminals' tokens: `kws_person_…`.
pub(crate) const TERMINAL: &str = "person";

/// No vowels, so that no word comes about, and nothing that looks like something else (RFC 8628, 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTERS: usize = 8;

/// What a terminal is given when it asks.
#[derive(Debug)]
pub struct DeviceStarted {
    /// What it keeps, and shows when it asks again.
    pub device_code: SecretString,
    /// What its person types: `WDJB-MJHT`.
    pub user_code: SecretString,
    /// Seconds between two questions.
    pub every: i64,
}

/// A terminal that waits for somebody's approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingTerminal {
    /// Its code as it is shown there.
    pub code: String,
    /// Where it is.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub agent: Option<String>,
    /// Since when it asks.
    pub asked_at: DateTime<Utc>,
    /// Until when it can be let in.
    pub expires_at: DateTime<Utc>,
    /// From when on the passkey that its person showed last may let it in, where that is not yet.
    pub not_before: Option<DateTime<Utc>>,
}

/// A terminal's token, this once.
#[derive(Debug)]
pub struct TerminalToken {
    /// The value.
    pub value: SecretString,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Why a terminal was not let in, or kept out.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// No terminal with this code waits: mistyped, decided, or too old.
    #[error("no terminal waits with this code: look at it again, or begin anew there")]
    Gone,
    /// The passkey was added to the account lately, by whoever that was.
    #[error(
        "this passkey is new: it lets terminals in from {} on; sign in with an older one",
        .0.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    NotYet(DateTime<Utc>),
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(TerminalError);

/// Why a terminal has no token (RFC 8628, 3.5).
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// Its person refused.
    #[error("this terminal was refused")]
    Denied,
    /// Nobody approved it in time, or the code is none, or was redeemed before.
    #[error("this code is not good any more: begin anew")]
    Expired,
    /// Nobody decided yet.
    #[error("nobody approved this terminal yet")]
    Pending,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It asks too often: five seconds more between two questions from now on.
    #[error("ask more slowly: five seconds more between two questions")]
    SlowDown,
}
carries_refused!(RedeemError);

/// A code as somebody typed it, in its one spelling.
struct UserCode(String);

impl UserCode {
    fn draw(env: &Env) -> Self {
        let mut letters = String::with_capacity(LETTERS);
        while letters.len() < LETTERS {
            // The largest multiple of 20 in a byte: every letter is as likely as any other.
            let [byte] = env.bytes::<1>();
            let letter = ALPHABET.get(usize::from(byte % 20)).filter(|_| byte < 240);
            letters.extend(letter.copied().map(char::from));
        }
        Self(letters)
    }

    /// Case, spaces and hyphens do not matter.
    fn read(typed: &str) -> Option<Self> {
        if typed.len() > 4 * LETTERS {
            return None;
        }
        let letters = typed.chars().filter(|it| !it.is_whitespace() && *it != '-');
        let letters: String = letters.map(|it| it.to_ascii_uppercase()).collect();
        let is_one = letters.len() == LETTERS && letters.bytes().all(|it| ALPHABET.contains(&it));
        is_one.then_some(Self(letters))
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    fn shown(&self) -> String {
        let (first, second) = self.0.split_at_checked(LETTERS / 2).unwrap_or((&self.0, ""));
        format!("{first}-{second}")
    }
}

fn context(id: DeviceGrantId, user: Option<UserId>) -> Vec<u8> {
    let user = user.map(|user| user.to_string()).unwrap_or_default();
    format!("device_grants.sealed/{id}/{user}").into_bytes()
}

impl Domain {
    /// A terminal asks to be signed in; whose it is, nobody knows yet.
    pub async fn start_device(&self, op: &Op) -> Result<DeviceStarted, Refused> {
        let device_code = SecretString::new(hex::encode(self.env().bytes::<32>()));
        let code = UserCode::draw(self.env());
        let id: DeviceGrantId = self.fresh(op);
        let asks = Contents {
            passkey: None,
            asserted_at: None,
            synced: false,
            recovering: false,
            address: op.source.address,
            agent: op.source.agent.clone(),
            terminal: true,
        };
        let row = devices::Insert {
            id,
            device_hash: Sha256::digest(device_code.expose()).into(),
            code_hash: code.hash(),
            sealed: self.seal_grant(id, None, &asks)?,
            every: EVERY,
            expires_at: later(op.now, DEVICE_LASTS),
        };
        let (now, looks) = (op.now, self.turns().terminals.take());
        self.store()
            .write_silently("a terminal asks and has been let in by nobody yet", move |tx| {
                let row = row.clone();
                Box::pin(async move {
                    devices::insert(tx, &row, now).await?;
                    // Strangers ask as often as they like: what they leave is bounded.
                    if looks { devices::forget_oldest(tx, ASKING).await } else { Ok(()) }
                })
            })
            .await
            .map_err(|error: WriteError<StoreError>| Refused::from(error))?;
        let user_code = SecretString::new(code.shown());
        Ok(DeviceStarted { device_code, user_code, every: EVERY })
    }

    /// The terminal that shows this code, for whoever is signed in.
    pub async fn asking_terminal(&self, op: &Op, typed: &str) -> Result<AskingTerminal, TerminalError> {
        let person = whole(op)?;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(person.id)).await?;
        let (code, row) = self.waiting(op, typed).await?;
        let contents = self.open_grant(&row)?;
        Ok(AskingTerminal {
            code: code.shown(),
            address: contents.address,
            agent: contents.agent,
            asked_at: from_micros(row.created_at),
            expires_at: from_micros(row.expires_at),
            not_before: self.approves_from(op, person).await?,
        })
    }

    /// From when on the passkey that the person showed last may let a terminal in, where that is not yet.
    async fn approves_from(&self, op: &Op, person: &Person) -> Result<Option<DateTime<Utc>>, Refused> {
        let mut conn = self.store().read().await?;
        let from = may_approve_after(&mut conn, person.id, person.passkey).await?.ok_or(Refused::StepUp)?;
        Ok(Some(from).filter(|from| op.now < *from))
    }

    /// Lets a terminal act as the person who asks. A passkey that was added in the last day does not: who stole a code or
    /// a session would stay in by it after the person has ended both. One that was removed does not either.
    pub async fn approve_terminal(&self, op: &Op, typed: &str) -> Result<(), TerminalError> {
        let person = whole(op)?.clone();
        let resource = Resource::Person(person.id);
        // Before it is looked for: whoever must show a passkey first is told so.
        let _may = self.authorize(op, Action::ApproveTerminal, &resource).await?;
        if self.answered::<()>(op).await?.is_some() {
            return Ok(());
        }
        let (_, row) = self.waiting(op, typed).await?;
        let asks = self.open_grant(&row)?;
        let agent = asks.agent.clone().unwrap_or_default();
        let address = asks.address.map(|it| it.to_string()).unwrap_or_default();
        let (passkey, asserted_at, synced) = (person.passkey, person.asserted_at, person.synced);
        let contents = Contents { passkey, asserted_at, synced, ..asks };
        let sealed = self.seal_grant(row.id, Some(person.id), &contents)?;
        let facts = Arc::new((sealed, agent, address));
        let (id, whose, now) = (row.id, (person.id, person.session), op.now);
        let approved = self
            .change(op, Action::ApproveTerminal, &resource, &[], move |tx, record| {
                let facts = Arc::clone(&facts);
                Box::pin(async move {
                    let (sealed, agent, address) = &*facts;
                    // Holds off the removal of the passkey.
                    if !users::see_active(tx, whose.0, now).await? {
                        return Err(Refused::NotFound.into());
                    }
                    let from = may_approve_after(tx, whose.0, passkey).await?.ok_or(Refused::StepUp)?;
                    if now < from {
                        return Err(TerminalError::NotYet(from));
                    }
                    if !devices::approve(tx, id, whose, sealed, now).await? {
                        return Err(TerminalError::Gone);
                    }
                    let event = record
                        .event(Action::ApproveTerminal.name(), "session", whose.1)
                        .fact("grant", id)
                        .text("terminal_agent", agent)
                        .text("terminal_address", address);
                    Ok(Written::new((), event.finish()?))
                })
            })
            .await;
        if let Err(TerminalError::NotYet(_)) = &approved {
            let about = ("session", person.session.to_string());
            let refused = done_by(op, &person);
            self.record_refusal(&refused, Action::ApproveTerminal.name(), about, "new_passkey").await?;
        }
        approved
    }

    /// Keeps a terminal out.
    pub async fn refuse_terminal(&self, op: &Op, typed: &str) -> Result<(), TerminalError> {
        let person = whole(op)?;
        let (session, resource) = (person.session, Resource::Person(person.id));
        if self.answered::<()>(op).await?.is_some() {
            return Ok(());
        }
        let (_, row) = self.waiting(op, typed).await?;
        let (id, now) = (row.id, op.now);
        self.change(op, Action::EndOwnSession, &resource, &[], move |tx, record| {
            Box::pin(async move {
                if !devices::refuse(tx, id, now).await? {
                    return Err(TerminalError::Gone);
                }
                let event = record.event("session.refuse-terminal", "session", session).fact("grant", id);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// What a terminal gets for its code: a session of whoever approved it, once.
    pub async fn redeem_device(&self, op: &Op, device_code: &str) -> Result<TerminalToken, RedeemError> {
        let mut conn = self.store().read().await?;
        let row = devices::find(&mut conn, Sha256::digest(device_code).into()).await?;
        drop(conn);
        let row = row.filter(|row| op.now < from_micros(row.expires_at)).ok_or(RedeemError::Expired)?;
        let (id, now) = (row.id, op.now);
        let asked = self
            .store()
            .write_silently("a terminal asks again; whether it may, its grant says", move |tx| {
                Box::pin(async move { devices::ask(tx, id, now).await })
            })
            .await;
        if !asked.map_err(|error: WriteError<StoreError>| Refused::from(error))? {
            return Err(RedeemError::SlowDown);
        }
        match (row.state.as_str(), user_of(&row)?) {
            ("approved", Some(user)) => self.open_terminal(op, user, &row).await,
            ("refused", _) => Err(RedeemError::Denied),
            _ => Err(RedeemError::Pending),
        }
    }

    async fn open_terminal(
        &self,
        op: &Op,
        user: UserId,
        row: &devices::Row,
    ) -> Result<TerminalToken, RedeemError> {
        let contents = self.open_grant(row)?;
        let value = self.draw_token()?;
        let parsed = token::parse(value.expose()).map_err(|cause| Fault::Unexpected(cause.to_string()))?;
        let session: SessionId = self.fresh(op);
        let expires_at = later(op.now, TERMINAL_LASTS.min(longest(self.settings())));
        let opening = Arc::new(sessions::Insert {
            id_hash: Sha256::digest(parsed.material()).into(),
            id: session,
            user,
            sealed: self.seal_session(session, user, &contents)?,
            expires_at,
        });
        let (id, now, person) = (row.id, op.now, contents.person(session, user));
        let passkey = contents.passkey;
        self.change_unasked(
            &done_by(op, &person),
            "a terminal that its person let in",
            &[],
            move |tx, record| {
                let opening = Arc::clone(&opening);
                Box::pin(async move {
                    // Holds off the removal of the passkey that let it in, and sees one that came before.
                    if !users::see_active(tx, user, now).await?
                        || may_approve_after(tx, user, passkey).await?.is_none()
                        || !devices::take(tx, id, now).await?
                    {
                        return Err(RedeemError::Expired);
                    }
                    sessions::insert(tx, &opening, now).await?;
                    let event =
                        record.event("session.open-terminal", "session", opening.id).fact("grant", id);
                    Ok(Written::new((), event.finish()?))
                })
            },
        )
        .await?;
        Ok(TerminalToken { value, expires_at })
    }

    /// Who is behind a terminal's token; asks the store every time, as for cookies.
    pub(crate) async fn resolve_terminal(&self, material: &[u8]) -> Result<Option<Person>, Fault> {
        self.resolve(Sha256::digest(material).into(), true, self.env().now()).await
    }

    async fn waiting(&self, op: &Op, typed: &str) -> Result<(UserCode, devices::Row), TerminalError> {
        let code = UserCode::read(typed).ok_or(TerminalError::Gone)?;
        let mut conn = self.store().read().await?;
        let row = devices::find_waiting(&mut conn, code.hash(), op.now).await?;
        Ok((code, row.ok_or(TerminalError::Gone)?))
    }

    fn draw_token(&self) -> Result<SecretString, Fault> {
        let label = TERMINAL.parse().map_err(|_| Fault::Unexpected("a terminal's label".into()))?;
        Ok(self.env().with_rng(|rng| token::generate(Kind::ServiceToken, &label, rng)).value)
    }

    fn seal_grant(
        &self,
        id: DeviceGrantId,
        user: Option<UserId>,
        contents: &Contents,
    ) -> Result<Vec<u8>, Fault> {
        let plaintext =
            serde_json::to_vec(contents).map_err(|cause| Fault::Unexpected(format!("grant: {cause}")))?;
        let context = context(id, user);
        Ok(self.env().with_rng(|rng| self.keyring().seal(Purpose::Session, &context, &plaintext, rng))?)
    }

    fn open_grant(&self, row: &devices::Row) -> Result<Contents, Fault> {
        let opened = self.keyring().open(Purpose::Session, &context(row.id, user_of(row)?), &row.sealed)?;
        serde_json::from_slice(opened.expose())
            .map_err(|cause| Fault::Damaged(format!("device_grants {}: {cause}", row.id)))
    }
}

/// From when on a passkey of a person's may approve; `None` once it is removed.
async fn may_approve_after(
    conn: &mut Conn,
    user: UserId,
    passkey: Option<PasskeyId>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let own = passkeys::of(conn, user).await?;
    Ok(own.iter().find(|row| Some(row.id) == passkey).map(|row| from_micros(row.may_approve_after)))
}

fn user_of(row: &devices::Row) -> Result<Option<UserId>, Fault> {
    let read = row.user_id.as_deref().map(str::parse).transpose();
    read.map_err(|_| Fault::Damaged(format!("device_grants {}: user", row.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::SystemClock;

    #[test]
    fn however_a_code_is_typed_it_is_one_code() {
        let read = |text: &str| UserCode::read(text).map(|code| code.shown());
        for typed in ["WDJB-MJHT", " wdjb mjht\n", "wdjbmjht", "W-D-J-B-M-J-H-T"] {
            assert_eq!(read(typed).as_deref(), Some("WDJB-MJHT"), "{typed}");
        }
        for wrong in
            ["", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJB-MJH1", "ＷDJB-MJHT", &"W".repeat(4_000)]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_drawn_code_reads_back_and_has_no_vowel() {
        let env = Env::seeded(Arc::new(SystemClock), 7);
        for _ in 0..100 {
            let code = UserCode::draw(&env);
            assert_eq!(UserCode::read(&code.shown()).unwrap().0, code.0);
            assert!(!code.0.contains(['A', 'E', 'I', 'O', 'U', 'Y']), "{}", code.0);
        }
    }
}
