//! Putting what references lead to into a template's text.

use futures_util::future::BoxFuture;
use keywarden_model::{SecretKind, SecretLabel, VersionState};
use keywarden_store::{EventRow, Tx};
use keywarden_vault::{Keyring, SecretBytes};
use zeroize::Zeroizing;

use super::{Lead, Piece, Template, Unresolved, field};
use crate::audit::Record;
use crate::secrets::read::{ReadSecretError, open, reading};
use crate::secrets::secret::{Secret, Version, damaged};

/// The text of a template with all that it refers to, `most` bytes of it, and an event of each reading that this takes, within
/// their write.
pub(in crate::secrets) fn resolve<'t>(
    tx: &'t mut Tx,
    (record, keyring, most): (&'t Record, &'t Keyring, usize),
    (secret, version): (&'t Secret, &'t Version),
    text: &'t SecretBytes,
    leads: &'t [Lead],
    events: &'t mut Vec<EventRow>,
) -> BoxFuture<'t, Result<SecretBytes, ReadSecretError>> {
    Box::pin(async move {
        let text = std::str::from_utf8(text.expose()).map_err(damaged)?;
        let template = Template::parse(text).map_err(damaged)?;
        let mut resolved = Vec::with_capacity(leads.len());
        let mut length: usize = template.pieces().iter().map(literal).map(str::len).sum();
        let mut next = leads.iter();
        for piece in template.pieces() {
            let Piece::Reference(reference) = piece else { continue };
            let lead = next.next().filter(|lead| lead.reference == *reference);
            let lead = lead.ok_or_else(|| damaged("a template refers to other things than its rows say"))?;
            let unresolved = |why| ReadSecretError::Unresolved { reference: reference.to_string(), why };
            let number = lead.version.number;
            let gone = Unresolved::Shut { number, state: VersionState::Destroyed };
            // The reader's one reason is the reason for all.
            let event = reading(record, &lead.secret, &lead.version)?
                .fact("label", &SecretLabel::current())
                .fact("for", secret.id)
                .fact("for_version", version.number);
            let opened = open(tx, keyring, &lead.secret, &lead.version).await?;
            let mut value = opened.ok_or_else(|| unresolved(gone))?;
            events.push(event.finish()?);
            if lead.version.template {
                let inner = (&lead.secret, &lead.version);
                value = resolve(tx, (record, keyring, most), inner, &value, &lead.leads, events).await?;
            }
            if let Some(field) = &reference.field {
                value = field::at(&value, field).map_err(unresolved)?;
            }
            let text = std::str::from_utf8(value.expose()).map_err(|_| unresolved(Unresolved::Binary))?;
            if version.kind == SecretKind::Json {
                value = within_a_string(text).map_err(unresolved)?;
            }
            length = length.saturating_add(value.expose().len());
            if length > most {
                return Err(unresolved(Unresolved::TooLong(most)));
            }
            resolved.push(value);
        }
        // Room for all of it, so that no shorter copy is left behind.
        let mut whole = Vec::with_capacity(length);
        let mut resolved = resolved.iter();
        for piece in template.pieces() {
            whole.extend_from_slice(match piece {
                Piece::Reference(_) => resolved.next().map_or(&[][..], SecretBytes::expose),
                Piece::Text(_) => literal(piece).as_bytes(),
            });
        }
        Ok(SecretBytes::new(whole))
    })
}

fn literal<'a>(piece: &Piece<'a>) -> &'a str {
    match piece {
        Piece::Reference(_) => "",
        Piece::Text(text) => text,
    }
}

/// As it is written within a string of JSON: wherever a template that is JSON has a reference, there is one.
fn within_a_string(text: &str) -> Result<SecretBytes, Unresolved> {
    let quoted = Zeroizing::new(serde_json::to_string(text).map_err(|_| Unresolved::Binary)?);
    let within = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    Ok(SecretBytes::copy_of(within.as_bytes()))
}
