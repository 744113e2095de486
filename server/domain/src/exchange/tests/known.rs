//! Known answers: tokens that standards print, with the keys that they print, and tokens that OpenSSL signed where these print
//! none, before our verifier.

use serde_json::{Map, json};

use super::super::KeySet;
use super::super::algorithm::Algorithm;
use super::super::judge::{Why, times};
use super::super::presented::Presented;

/// The claims of RFC 7515's examples, as they are signed.
const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515, A.2: RS256.
const A_2: (&str, &str) = (
    "eyJhbGciOiJSUzI1NiJ9",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);

/// RFC 7515, A.3: ES256.
const A_3: (&str, &str) = (
    "eyJhbGciOiJFUzI1NiJ9",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
);

/// RFC 8037, A.4: EdDSA by Ed25519, over what is no claims.
const A_4: (&str, &str) = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
);

/// ES384 over the same claims, by OpenSSL.
const ES384: (&str, &str) = (
    "eyJhbGciOiJFUzM4NCJ9",
    "DSeVnqufydsXiCyQXJDvCFcQqrRJMIAErfE7W9ugIa6zdAgjGaVdqbGQmrv6lB_wruKvMVei9FQjeA7B9wnNwx9bLIQo0r0-fH4DvtcfJh2DYNWr1q_pA9TGAAeFCoT9",
);

/// PS256 over the same claims, by OpenSSL.
const PS256: (&str, &str) = (
    "eyJhbGciOiJQUzI1NiJ9",
    "bKgdRpiHq0ihT1lNcJp3PeO6DKcmE9ATmZFdP8CwYQxDQ5r1GUShzxtI-GgQoaW-cI3jSUeGSScGEW0TBHwQKX5CMBKjdE5wCQQoenuKAwSKecLiiW7MDhKLfbiK9F110juumph9X3X-rsILE_qQtn1MYc0ADzW5ac3eAoH98qiNgisw88iMCMo4cVX5X2qK9xH5sQE4jBCxfj6nzSsg8sfhXCb7Iu2kICezohVyc7nnr5hwM-7zawBCEz6Z-4JXFiouBNIG7r7K8akoXYdilHOqLoGPui4dlgZJYv1yw-u8Hl2HULBp8Nolo7k60M00cgrMNBMbiQo1MlP9eBKDIw",
);

/// The public halves of their keys, in one set; none has a name.
fn keys() -> KeySet {
    let set = json!({ "keys": [
        {
            "kty": "RSA", "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        },
        {
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    ] });
    KeySet::read(set.to_string().as_bytes()).unwrap()
}

/// The public halves of OpenSSL's keys.
fn keys_of_openssl() -> KeySet {
    let set = json!({ "keys": [
        {
            "kty": "EC", "crv": "P-384",
            "x": "bxjq5WB3Y3AfMUSH_igqhWlEd1woHajylKbGOrlp6S1xVu6j-_39-Rhq0Rn0F74y",
            "y": "GZgscsc_y1-hXeDxZ_Bk6zu8BTwWRVzaov-TzIFlWApo7WYcO0DAanhngzY5Fmnr",
        },
        {
            "kty": "RSA", "e": "AQAB",
            "n": "ponRI6XeO3SrYeXVxHnGflDwI3kjnmpO-qEQLm53Bde-1w5NL-0Oqkwr7GQLryORWQB-BAsbUNfeY77uGnaF5t22yO3tW3_q3XvPGXOZlFDIh4URL5CrRPPe72F6-eKs8UUAuO8zuw7NZYFmAx6XWOgrNSCCU8VfBIZUoYJQLT0Atqz3fzcQ-fbrjChLvXQz_rBEYlIATXLXr40K1HsLOB91a1N2wTahp3y7J20_jgf2F9Mjgb21zdKoDdpp3O9toPihHuaRBDc2qTc8kcdsAMZea4R9AP7TLYVvTJPFAky2wcZJjNM1NO9uOxPWLUYiVzK4fBwohCp_c2oHRR4Gaw",
        },
    ] });
    KeySet::read(set.to_string().as_bytes()).unwrap()
}

/// The same text with one letter otherwise, at each of some places. The last letter holds bits that are nobody's: not it.
fn changed(text: &str) -> impl Iterator<Item = String> {
    let letters = text.len() - 1;
    (0..letters).step_by(7).map(move |at| {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    })
}

#[test]
fn the_tokens_of_rfc_7515_are_proven_by_their_keys_and_no_changed_one_is() {
    for (name, (header, signature)) in [("RS256", A_2), ("ES256", A_3)] {
        let token = format!("{header}.{CLAIMS}.{signature}");
        let read = Presented::read(&token).unwrap();
        assert_eq!((read.algorithm.name(), read.text("iss")), (name, Some("joe")));
        assert!(keys().proves(&read), "{name}");
        let then = "2011-03-22T18:00:00Z".parse().unwrap();
        assert_eq!(times(&read.claims, then), Err(Why::Times), "it does not say when it was made");
        for signature in changed(signature) {
            let read = Presented { signature: &signature, ..Presented::read(&token).unwrap() };
            assert!(!keys().proves(&read), "{name}: {signature}");
        }
        let signed = format!("{header}.{CLAIMS}");
        for signed in changed(&signed) {
            let read = Presented { signed: &signed, ..Presented::read(&token).unwrap() };
            assert!(!keys().proves(&read), "{name}: {signed}");
        }
    }
    // Each by the other's kind of key.
    for (header, signature) in [(A_2.0, A_3.1), (A_3.0, A_2.1)] {
        let token = format!("{header}.{CLAIMS}.{signature}");
        assert!(!keys().proves(&Presented::read(&token).unwrap()));
    }
}

#[test]
fn the_tokens_that_openssl_signed_are_proven_by_its_keys_and_no_changed_one_is() {
    let keys = keys_of_openssl();
    for (name, (header, signature)) in [("ES384", ES384), ("PS256", PS256)] {
        let token = format!("{header}.{CLAIMS}.{signature}");
        let read = Presented::read(&token).unwrap();
        assert_eq!(read.algorithm.name(), name);
        assert!(keys.proves(&read), "{name}");
        for signature in changed(signature) {
            let read = Presented { signature: &signature, ..Presented::read(&token).unwrap() };
            assert!(!keys.proves(&read), "{name}: {signature}");
        }
        let signed = format!("{header}.{CLAIMS}");
        for signed in changed(&signed) {
            let read = Presented { signed: &signed, ..Presented::read(&token).unwrap() };
            assert!(!keys.proves(&read), "{name}: {signed}");
        }
    }
}

#[test]
fn the_signature_of_rfc_8037_is_proven_by_its_key_and_no_changed_one_is() {
    fn presented<'a>(signed: &'a str, signature: &'a str) -> Presented<'a> {
        Presented { algorithm: Algorithm::EdDsa, kid: None, claims: Map::new(), signed, signature }
    }
    let (signed, signature) = A_4;
    assert!(keys().proves(&presented(signed, signature)));
    for other in changed(signature) {
        assert!(!keys().proves(&presented(signed, &other)), "{other}");
    }
    for other in changed(signed) {
        assert!(!keys().proves(&presented(&other, signature)), "{other}");
    }
    let token = format!("{signed}.{signature}");
    assert!(Presented::read(&token).is_none(), "what it says are no claims");
}
