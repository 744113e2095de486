//! Secrets that webhooks are signed with, as Standard Webhooks 1.0 has it: `whsec_` and base64, HMAC-SHA-256.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::mac::hmac_sha256;
use crate::secret::{SecretBytes, SecretString};

const PREFIX: &str = "whsec_";
/// Standard Webhooks takes 24 to 64.
const BYTES: usize = 32;

/// What a webhook's receiver knows as well, and checks signatures by.
pub struct WebhookSecret(SecretBytes);

/// A text is no such secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret is `whsec_` and 24 to 64 bytes in base64")]
pub struct WebhookSecretError;

impl WebhookSecret {
    /// A fresh one.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(SecretBytes::random(BYTES, rng))
    }

    /// From its text.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let coded = text.strip_prefix(PREFIX).ok_or(WebhookSecretError)?;
        let secret = SecretBytes::new(STANDARD.decode(coded).map_err(|_| WebhookSecretError)?);
        if (24..=64).contains(&secret.expose().len()) { Ok(Self(secret)) } else { Err(WebhookSecretError) }
    }

    /// As its receiver is given it.
    pub fn text(&self) -> SecretString {
        let mut text = String::with_capacity(128);
        text.push_str(PREFIX);
        STANDARD.encode_string(self.0.expose(), &mut text);
        SecretString::new(text)
    }

    /// One signature of the header `webhook-signature`: over the message's id, the second that it is sent at, and the body.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut signed = Zeroizing::new(format!("{id}.{timestamp}.").into_bytes());
        signed.extend_from_slice(body);
        format!("v1,{}", STANDARD.encode(hmac_sha256(self.0.expose(), &signed)))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}
crate::never_implements!(WebhookSecret: Clone, PartialEq, fmt::Display, AsRef<[u8]>, std::ops::Deref);

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn it_signs_as_the_example_of_standard_webhooks() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_fresh_one_is_read_back_and_prints_nothing() {
        let secret = WebhookSecret::generate(&mut ChaCha20Rng::seed_from_u64(7));
        let text = secret.text();
        assert_eq!(text.expose().len(), 50);
        let again = WebhookSecret::parse(text.expose()).unwrap();
        assert_eq!(again.sign("msg_1", 5, b"x"), secret.sign("msg_1", 5, b"x"));
        assert_eq!(format!("{secret:?} {text:?}"), "WebhookSecret SecretString");
        for bad in [
            "",
            "whsec_",
            "whsec_AAAA",
            "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8 KYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(WebhookSecret::parse(bad).unwrap_err(), WebhookSecretError, "{bad}");
        }
    }
}
