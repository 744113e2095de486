//! A form that was posted, or one that was kept while its person stepped up.

use axum::{
    extract::{FromRequest, FromRequestParts as _, Request},
    response::Response,
};
use keywarden_domain::{Once, Op, SecretBytes, people::KeptPost};
use keywarden_model::{PendingPostId, Reason};

use super::{Asking, House};
use crate::{
    form::{Fields, Room},
    render,
    shell::Visit,
};

/// The field that stands for a whole kept post.
pub const KEPT_POST: &str = "kept_post";

/// The field in which a person says why they read a value, or make one.
pub(crate) const REASON: &str = "reason";

/// As a handler's last argument, beside [`Asking`]: the fields, and the bytes they came in.
#[derive(Debug)]
pub struct Posted {
    /// What was typed.
    pub fields: Fields,
    pub(super) body: SecretBytes,
    pub(super) path: String,
}

impl Posted {
    /// The form's idempotency key together with everything that makes the post what it is. What the page shows once
    /// stays shown once: a reload finds that the form was done, and no secret.
    pub fn once(&self) -> Option<Once> {
        let request = [self.path.as_bytes(), self.body.expose()];
        Once::new(self.fields.idempotency_key(), &request).ok().map(Once::without_secret)
    }

    /// Why the person reads or makes values, if the form asked and they said so; what is wrong with it, the page tells.
    pub fn reason(&self) -> Option<Reason> {
        self.fields.text(REASON).parse().ok()
    }

    /// As [`Posted::once`] for one of several things that the form does: each has a key of its own, made from the
    /// form's, so that a form which comes again finds what it did and goes on with the rest.
    pub fn once_for(&self, part: &str) -> Option<Once> {
        let key = format!("{}.{part}", self.fields.idempotency_key());
        Once::new(&key, &[self.path.as_bytes(), self.body.expose()]).ok().map(Once::without_secret)
    }

    /// The operation that does one of these things.
    pub fn part(&self, op: &Op, part: &str) -> Op {
        let (actor, source) = (op.actor.clone(), op.source.clone());
        Op {
            actor,
            source,
            request: op.request,
            now: op.now,
            once: self.once_for(part),
            reason: None,
            seen: None,
            refusal: op.refusal.clone(),
        }
    }
}

/// As [`Posted`], for a form in which a value is written: it has room for the longest one.
#[derive(Debug)]
pub struct PostedValue(pub Posted);

impl FromRequest<House> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, house: &House) -> Result<Self, Response> {
        Self::read(Room::USUAL, request, house).await
    }
}

impl FromRequest<House> for PostedValue {
    type Rejection = Response;

    async fn from_request(request: Request, house: &House) -> Result<Self, Response> {
        let room = Room::for_value(house.domain.settings());
        Posted::read(room, request, house).await.map(Self)
    }
}

impl Posted {
    async fn read(room: Room, request: Request, house: &House) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let path = match Visit::from_request_parts(&mut parts, house).await {
            Ok(visit) => visit.path().to_owned(),
            Err(never) => match never {},
        };
        let (fields, bytes) = Fields::read(room, &mut parts, body, house).await?;
        if !fields.ticked(KEPT_POST) {
            return Ok(Self { fields, body: SecretBytes::copy_of(&bytes), path });
        }
        let Asking { shell, op } = Asking::from_request_parts(&mut parts, house).await?;
        let id: Option<PendingPostId> = fields.text(KEPT_POST).parse().ok();
        let taken = match id {
            Some(id) => house.domain.take_post(&op, id).await,
            None => Ok(None),
        };
        match taken {
            // It goes where it went before, or nowhere.
            Ok(Some(KeptPost { path: kept, body })) if kept == path => {
                let fields = Fields::within(room, body.expose()).map_err(|_| render::gone(&shell))?;
                Ok(Self { fields, body, path })
            }
            Ok(_) => Err(render::gone(&shell)),
            Err(refused) => Err(render::refused(&shell, refused)),
        }
    }
}
