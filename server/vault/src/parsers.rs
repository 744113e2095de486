//! Every parser of the vault before foreign bytes (S-28). Those of a PKCS#11 process's frames and of PIN attempts are beside
//! what they read.

use std::io::{self, Read, Write as _};
use std::{cell::Cell, fs, os::unix::fs::PermissionsExt as _};

use keywarden_garble::{again, bytes, texts, words};
use keywarden_model::KeyLabel;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::backup::{Reader, Writer, glance};
use crate::envelope::EnvelopeKey;
use crate::recovery::{Recipient, RecoveryKey, Share, Shares};
use crate::seal::software::SoftwareSeal;
use crate::token::{self, Kind, PublicId};
use crate::*;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

#[test]
fn secrets_of_webhooks() {
    let text = WebhookSecret::generate(&mut rng()).text();
    texts(&[text.expose()], |text| {
        if let Ok(secret) = WebhookSecret::parse(text) {
            assert_eq!(secret.text().expose(), text);
        }
    });
}

#[test]
fn tokens() {
    let label: KeyLabel = "live".parse().unwrap();
    let values = Kind::ALL.map(|kind| token::generate(kind, &label, &mut rng()).value);
    let specimens: Vec<_> = values.iter().map(SecretString::expose).collect();
    texts(&specimens, |text| {
        if let Ok(parsed) = token::parse(text) {
            // It is taken as it stands: nothing is cut, folded or skipped; and what leaves for a log is not it.
            let shown = format!("{}_{}_{}_", parsed.kind().prefix(), parsed.label(), parsed.id());
            assert!(text.starts_with(&shown), "{text:?}");
            assert_eq!(text.len() - parsed.material().len(), 6);
            assert_eq!(mask(text), format!("{shown}…"));
        }
        let once = mask(text).into_owned();
        assert_eq!(mask(&once), once, "{text:?}");
    });
    words::<PublicId>(&["0A1B2C3D4E5F"]);
}

#[test]
fn words_of_rows() {
    words::<Purpose>(&Purpose::ALL.map(Purpose::name));
    words::<SealId>(&["pkcs11:production", "software:seal.key"]);
    texts(&["pkcs11", "softhsm", "software"], |text| {
        again(text, str::parse::<SealKind>, |it| it.name().to_owned());
    });
    texts(&["hsm", "software"], |text| again(text, str::parse::<Protection>, |it| it.name().to_owned()));
}

#[test]
fn envelopes() {
    let secret = || SecretBytes::new(vec![7; 32]);
    let (key, deriving) = (EnvelopeKey::new(&secret()).unwrap(), DerivingKey::new(secret()).unwrap());
    let sealed = key.seal("krk_1", "purpose", b"row", b"hunter2", &mut rng()).unwrap();
    let derived = deriving.seal("usr_1", "purpose", b"row", b"hunter2", &mut rng()).unwrap();
    bytes(&[sealed.clone(), derived.clone(), vec![1, 1, 255], vec![1, 3, 255]], |input| {
        let named = envelope::key_id(input);
        let opened = key.open("purpose", b"row", input);
        // Nothing opens but what was sealed, and what opens names its key.
        assert_eq!(opened.is_ok(), input == sealed, "{input:?}");
        assert!(opened.is_err() || named.is_ok());
        let opened = deriving.open("purpose", b"row", input);
        assert_eq!(opened.is_ok(), input == sealed || input == derived, "{input:?}");
        assert!(opened.is_err() || named.is_ok());
        wrapped_by(input);
    });
}

#[test]
fn recovery_keys_recipients_and_shares() {
    let key = RecoveryKey::generate(&mut rng()).unwrap();
    words::<Recipient>(&[&key.recipient().to_string()]);
    texts(&[key.text().expose()], |text| {
        if let Ok(read) = RecoveryKey::parse(&SecretString::new(text.to_owned())) {
            assert_eq!(read.text().expose(), text.trim());
        }
    });
    let shares = Shares::of(&key, 2, 3, &mut rng()).unwrap();
    let given: Vec<_> = shares.iter().map(Share::text).collect();
    let specimens: Vec<_> = given.iter().map(SecretString::expose).collect();
    texts(&specimens, |text| {
        let Ok(share) = Share::parse(&SecretString::new(text.to_owned())) else { return };
        assert_eq!(share.text().expose(), text.trim());
        let whole = Shares::combine(&[share, Share::parse(&given[0]).unwrap()]);
        assert!(whole.is_err() || whole.unwrap().recipient().id() == key.recipient().id());
    });
}

/// A file that counts how much of it was asked for.
struct Counted<'a> {
    file: &'a [u8],
    reads: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        self.file.read(into)
    }
}

#[test]
fn backup_files() {
    let key = RecoveryKey::generate(&mut rng()).unwrap();
    let mut writer = Writer::new(Vec::new(), b"of a test", &[key.recipient().clone()], &mut rng()).unwrap();
    writer.write_all(b"rows\n").unwrap();
    let (whole, _) = writer.finish().unwrap();
    bytes(std::slice::from_ref(&whole), |input| {
        let reads = Cell::new(0);
        let file = || Counted { file: input, reads: &reads };
        glance(file()).ok();
        let mut content = Vec::new();
        let read = Reader::new(file(), &key).map(|mut reader| reader.read_to_end(&mut content).is_ok());
        assert_eq!(matches!(read, Ok(true)), input == whole, "something else was taken for the backup");
        // No more is read than is there, whatever lengths it claims.
        assert!(reads.get() < 200, "{} reads of {} bytes", reads.get(), input.len());
    });
}

#[test]
fn key_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.key");
    let seal = SoftwareSeal::at(&path, "seal.key");
    seal.create_key(&mut rng()).unwrap();
    seal.add_key(&mut rng()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    texts(&[&text], |text| {
        // Not written over: some file systems bring what was there to the disk first.
        fs::remove_file(&path).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Err(error) = seal.keys() {
            assert!(!error.to_string().is_empty());
        }
    });
    let path = folder.path().join("cache.key");
    CacheKey::create(&path, &mut rng()).unwrap();
    let key = CacheKey::load(&path).unwrap();
    let kept = folder.path().join("kept");
    key.write(&kept, b"pay/live", b"hunter2", &mut rng()).unwrap();
    let (line, sealed) = (fs::read_to_string(&path).unwrap(), fs::read_to_string(&kept).unwrap());
    texts(&[&line, &sealed], |text| {
        for path in [&path, &kept] {
            fs::remove_file(path).unwrap();
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        CacheKey::load(&path).ok();
        if let Ok(value) = key.read(&kept, b"pay/live") {
            assert_eq!((value.expose(), text.trim_ascii()), (&b"hunter2"[..], sealed.trim_ascii()));
        }
    });
}
