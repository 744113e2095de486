//! Seals that projects may name, as the operator writes them: PKCS#11 URIs (RFC 7512) and key files.
//!
//! ```text
//! pkcs11:token=acme;serial=7a3f?module-path=/usr/lib/acme/libacme.so&pin-source=file:/run/secrets/acme-pin
//! file:/run/secrets/acme.key
//! ```

use std::{path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;

/// A seal that projects may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectSeal {
    /// A token; its PIN lies in a file, which is read anew for each login.
    Pkcs11 { module: PathBuf, token: String, serial: Option<String>, pin_file: PathBuf },
    /// A key file.
    Software { key_file: PathBuf },
}

impl FromStr for ProjectSeal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("file:") {
            return Ok(Self::Software { key_file: absolute(&decoded(path)?)? });
        }
        let rest = text.strip_prefix("pkcs11:").ok_or_else(|| {
            "write each seal as `pkcs11:token=…?module-path=…&pin-source=file:…` or `file:/…/seal.key`"
                .to_owned()
        })?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut path = Attributes::read(path, ';')?;
        let mut query = Attributes::read(query, '&')?;
        let token = path.take("token").ok_or("a PKCS#11 URI needs `token=`, the token's label")?;
        let serial = path.take("serial");
        let module =
            query.take("module-path").ok_or("a PKCS#11 URI needs `module-path=`, the vendor's library")?;
        let pin =
            query.take("pin-source").ok_or("a PKCS#11 URI needs `pin-source=file:…`, a file with the PIN")?;
        path.is_empty()?;
        query.is_empty()?;
        let pin_file = absolute(pin.strip_prefix("file:").unwrap_or(&pin))?;
        Ok(Self::Pkcs11 { module: absolute(&module)?, token, serial, pin_file })
    }
}

struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn read(text: &str, between: char) -> Result<Self, String> {
        let one = |part: &str| {
            let (name, value) = part.split_once('=').ok_or("a part of the URI is not `name=value`")?;
            Ok((name.to_owned(), decoded(value)?))
        };
        text.split(between).filter(|part| !part.is_empty()).map(one).collect::<Result<_, _>>().map(Self)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(own, value)| own == name && !value.is_empty())?;
        Some(self.0.remove(at).1)
    }

    /// A name that is not known, or comes twice, is an error: it may be what tells two tokens apart.
    fn is_empty(&self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!(
                "`{name}` is empty, comes twice or is not used here; known are token, serial, module-path and pin-source"
            )),
            None => Ok(()),
        }
    }
}

/// Percent-decoding (RFC 3986, 2.1); what is no escape is no percent sign either.
fn decoded(text: &str) -> Result<String, String> {
    let is_escape = |after: &str| {
        after.as_bytes().first_chunk::<2>().is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
    };
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(decoded) if text.split('%').skip(1).all(is_escape) => Ok(decoded.into_owned()),
        // What somebody may take for a place of a PIN is not repeated.
        _ => Err("a part of the URI is not percent-encoded UTF-8".to_owned()),
    }
}

fn absolute(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if path.is_absolute() { Ok(path) } else { Err(format!("`{}` is not an absolute path", path.display())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_uri_and_a_key_file_from_its_path() {
        let uri = "pkcs11:token=acme%20%2C%20prod;serial=7a3f?module-path=/usr/lib/acme.so&pin-source=file:/run/pin";
        let seal = ProjectSeal::Pkcs11 {
            module: "/usr/lib/acme.so".into(),
            token: "acme , prod".into(),
            serial: Some("7a3f".into()),
            pin_file: "/run/pin".into(),
        };
        assert_eq!(uri.parse(), Ok(seal));
        assert_eq!(
            "file:/run/acme.key".parse(),
            Ok(ProjectSeal::Software { key_file: "/run/acme.key".into() })
        );
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        for (text, named) in [
            ("acme", "pkcs11:token="),
            ("pkcs11:serial=1?module-path=/a.so&pin-source=/p", "token="),
            ("pkcs11:token=acme?pin-source=/p", "module-path="),
            ("pkcs11:token=acme?module-path=/a.so", "pin-source="),
            ("pkcs11:token=acme;object=x?module-path=/a.so&pin-source=/p", "`object`"),
            ("pkcs11:token=a;token=b?module-path=/a.so&pin-source=/p", "`token`"),
            ("pkcs11:token=acme?module-path=/a.so&pin-source=/p&pin-value=1234", "`pin-value`"),
            ("pkcs11:token=acme?module-path=a.so&pin-source=/p", "absolute"),
            ("pkcs11:token=a%zz?module-path=/a.so&pin-source=/p", "percent"),
            ("pkcs11:token=a%2?module-path=/a.so&pin-source=/p", "percent"),
            ("pkcs11:token=a%ff?module-path=/a.so&pin-source=/p", "percent"),
            ("file:seal.key", "absolute"),
        ] {
            let refused = text.parse::<ProjectSeal>().unwrap_err();
            assert!(refused.contains(named), "{text}: {refused}");
        }
    }
}
