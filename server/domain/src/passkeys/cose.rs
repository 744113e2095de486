//! Public keys as COSE writes them (RFC 9052, RFC 9053), in the one form CTAP2 prescribes, so that a kept key can be
//! read by any tool and compared byte for byte.

use webauthn_rs::prelude::{COSEAlgorithm, COSEEC2Key, COSEKey, COSEKeyType, COSERSAKey, ECDSACurve};

use super::cbor::{Reader, Writer};

const KTY: i64 = 1;
const ALG: i64 = 3;
const EC2: i64 = 2;
const RSA: i64 = 3;
/// The curve of an EC2 key; the modulus of an RSA key.
const FIRST: i64 = -1;
/// The x coordinate; the exponent.
const SECOND: i64 = -2;
/// The y coordinate.
const THIRD: i64 = -3;

/// Writes a key; `None` for kinds we never asked for.
pub(super) fn encode(key: &COSEKey) -> Option<Vec<u8>> {
    let writer = Writer::default();
    let algorithm = i64::from(key.type_ as i32);
    match (&key.type_, &key.key) {
        (COSEAlgorithm::ES256 | COSEAlgorithm::ES384, COSEKeyType::EC_EC2(point)) => {
            let curve = match (&key.type_, &point.curve) {
                (COSEAlgorithm::ES256, ECDSACurve::SECP256R1) => 1,
                (COSEAlgorithm::ES384, ECDSACurve::SECP384R1) => 2,
                _ => return None,
            };
            let writer = writer.map(5).int(KTY).int(EC2).int(ALG).int(algorithm).int(FIRST).int(curve);
            Some(writer.int(SECOND).bytes(&point.x).int(THIRD).bytes(&point.y).finish())
        }
        (COSEAlgorithm::RS256, COSEKeyType::RSA(rsa)) => {
            let writer = writer.map(4).int(KTY).int(RSA).int(ALG).int(algorithm);
            Some(writer.int(FIRST).bytes(&rsa.n).int(SECOND).bytes(&rsa.e).finish())
        }
        _ => None,
    }
}

/// Reads a key that [`encode`] wrote; anything else is `None`.
pub(super) fn decode(bytes: &[u8]) -> Option<COSEKey> {
    let key = read(&mut Reader::new(bytes))?;
    (encode(&key)? == bytes).then_some(key)
}

fn read(reader: &mut Reader<'_>) -> Option<COSEKey> {
    reader.map()?;
    let kind = labelled(reader, KTY, Reader::int)?;
    let type_ = COSEAlgorithm::try_from(i128::from(labelled(reader, ALG, Reader::int)?)).ok()?;
    let key = match kind {
        EC2 => {
            let curve = ECDSACurve::try_from(i128::from(labelled(reader, FIRST, Reader::int)?)).ok()?;
            let x = labelled(reader, SECOND, Reader::bytes)?.to_vec();
            let y = labelled(reader, THIRD, Reader::bytes)?.to_vec();
            COSEKeyType::EC_EC2(COSEEC2Key { curve, x, y })
        }
        RSA => {
            let n = labelled(reader, FIRST, Reader::bytes)?.to_vec();
            let e = labelled(reader, SECOND, Reader::bytes)?.try_into().ok()?;
            COSEKeyType::RSA(COSERSAKey { n, e })
        }
        _ => return None,
    };
    Some(COSEKey { type_, key })
}

fn labelled<'a, T>(
    reader: &mut Reader<'a>,
    label: i64,
    value: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Option<T> {
    if reader.int()? == label { value(reader) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec(type_: COSEAlgorithm, curve: ECDSACurve, len: usize) -> COSEKey {
        COSEKey { type_, key: COSEKeyType::EC_EC2(COSEEC2Key { curve, x: vec![1; len], y: vec![2; len] }) }
    }

    #[test]
    fn keys_of_every_kind_we_ask_for_come_back() {
        let rsa = COSEKeyType::RSA(COSERSAKey { n: vec![3; 256], e: [1, 0, 1] });
        for key in [
            ec(COSEAlgorithm::ES256, ECDSACurve::SECP256R1, 32),
            ec(COSEAlgorithm::ES384, ECDSACurve::SECP384R1, 48),
            COSEKey { type_: COSEAlgorithm::RS256, key: rsa },
        ] {
            let bytes = encode(&key).unwrap();
            assert_eq!(decode(&bytes), Some(key));
            assert_eq!(decode(&[&bytes[..], &[0]].concat()), None, "a byte too many");
            assert_eq!(decode(&bytes[..bytes.len() - 1]), None, "a byte too few");
        }
    }

    #[test]
    fn an_algorithm_on_another_curve_is_no_key() {
        assert_eq!(encode(&ec(COSEAlgorithm::ES256, ECDSACurve::SECP384R1, 48)), None);
        assert_eq!(encode(&ec(COSEAlgorithm::ES384, ECDSACurve::SECP256R1, 32)), None);
        assert_eq!(encode(&ec(COSEAlgorithm::ES521, ECDSACurve::SECP521R1, 66)), None);
    }
}
