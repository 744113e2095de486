//! From a presented value to an actor.

use std::sync::Arc;

use keywarden_model::KeyringKeyId;
use keywarden_model::time::micros;
use keywarden_store::{Counter, tokens as rows};
use keywarden_vault::Purpose;
use keywarden_vault::token::{self, Kind, PublicId};
use sha2::{Digest as _, Sha256};

use super::Known;
use crate::people::TERMINAL;
use crate::{Actor, Domain, Fault, Refused};

impl Domain {
    /// Who shows this token. Everything that is not good, whatever the reason, is [`Refused::NotFound`]; doors answer
    /// it with 401 and count it by [`Domain::note_refusal`].
    pub async fn authenticate_token(&self, presented: &str) -> Result<Actor, Refused> {
        self.authenticate(presented, false).await
    }

    /// As [`Domain::authenticate_token`], for those who verify keys: while the store is away, a token that is in memory
    /// proves its bearer for as long as keys are answered from there.
    pub async fn authenticate_verifier(&self, presented: &str) -> Result<Actor, Refused> {
        self.authenticate(presented, true).await
    }

    async fn authenticate(&self, presented: &str, verifies: bool) -> Result<Actor, Refused> {
        let parsed = token::parse(presented).map_err(|_| Refused::NotFound)?;
        if parsed.kind() != Kind::ServiceToken {
            return Err(Refused::NotFound);
        }
        if parsed.label() == TERMINAL {
            let person = Box::pin(self.resolve_terminal(parsed.material())).await?;
            return person.map(Actor::Person).ok_or(Refused::NotFound);
        }
        let now = self.env().now();
        let counter = if verifies { self.ground(now).await?.counter } else { self.counter().await? };
        // What was read under an older authority is not used, even if forgetting it was missed.
        let remembered = self.tokens().known.get(&parsed.id());
        let mut known = remembered.filter(|known| known.counter >= counter.authority);
        let mut proven = self.proves(known.as_deref(), parsed.material())?;
        let anew = !proven;
        if anew {
            known = Box::pin(self.read_token(parsed.id(), counter)).await?;
            proven = self.proves(known.as_deref(), parsed.material())?;
        }
        let now = micros(now);
        match known {
            Some(known) if proven && now < known.bearer.until => {
                self.tokens().note_use(&known, now);
                if anew {
                    self.tokens().known.insert(parsed.id(), Arc::clone(&known));
                    self.lately().note(Sha256::digest(parsed.material()).into());
                }
                Ok(known.bearer.actor.clone())
            }
            // It may be good: another node has a key that this one has not taken in yet.
            Some(known) if now < known.bearer.until && !self.has_token_key(known.bearer.mac_key)? => {
                Err(Fault::KeyAway(known.bearer.mac_key).into())
            }
            _ => {
                self.lately().forget(Sha256::digest(parsed.material()).into());
                Err(Refused::NotFound)
            }
        }
    }

    /// One MAC, whatever is known.
    fn proves(&self, known: Option<&Known>, material: &[u8]) -> Result<bool, Fault> {
        // A key that no keyring holds: computed all the same, and never true.
        let nobody = (KeyringKeyId::NIL, &[0; 32]);
        let (key, tag) = known.map_or(nobody, |known| (known.bearer.mac_key, &known.bearer.mac));
        Ok(self.keyring().verify_mac(Purpose::ServiceTokenMac, key, material, tag)?)
    }

    fn has_token_key(&self, key: KeyringKeyId) -> Result<bool, Fault> {
        Ok(self.keyring().holds(Purpose::ServiceTokenMac, key)?)
    }

    async fn read_token(&self, id: PublicId, counter: Counter) -> Result<Option<Arc<Known>>, Fault> {
        let mut conn = self.store().read().await?;
        let row = rows::proof(&mut conn, id.as_str()).await?;
        Ok(row.map(|row| Known::of(row, counter.value)).transpose()?.map(Arc::new))
    }
}
