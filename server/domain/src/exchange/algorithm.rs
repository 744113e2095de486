//! How a token may be signed.

use jsonwebtoken::Algorithm as Crate;

/// The list is closed (RFC 8725, 3.1): public keys only, so that no key of an issuer can be taken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    EdDsa,
    Es256,
    Es384,
    Ps256,
    Rs256,
}

/// What kind of key makes such a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Ed25519,
    P256,
    P384,
    Rsa,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            "PS256" => Self::Ps256,
            "RS256" => Self::Rs256,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) fn key_kind(self) -> KeyKind {
        match self {
            Self::EdDsa => KeyKind::Ed25519,
            Self::Es256 => KeyKind::P256,
            Self::Es384 => KeyKind::P384,
            Self::Ps256 | Self::Rs256 => KeyKind::Rsa,
        }
    }

    pub(super) fn of_crate(self) -> Crate {
        match self {
            Self::EdDsa => Crate::EdDSA,
            Self::Es256 => Crate::ES256,
            Self::Es384 => Crate::ES384,
            Self::Ps256 => Crate::PS256,
            Self::Rs256 => Crate::RS256,
        }
    }
}
