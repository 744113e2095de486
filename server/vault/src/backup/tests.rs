use std::io::{Read, Write};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use super::*;
use crate::recovery::RecoveryKey;

fn key(seed: u64) -> RecoveryKey {
    RecoveryKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

fn written(keys: &[&RecoveryKey], content: &[u8]) -> (Vec<u8>, Summary) {
    let recipients: Vec<_> = keys.iter().map(|key| key.recipient().clone()).collect();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut writer = Writer::new(Vec::new(), b"of a test", &recipients, &mut rng).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn read(file: &[u8], key: &RecoveryKey) -> Result<Vec<u8>, BackupError> {
    let mut reader = Reader::new(file, key)?;
    assert_eq!(reader.descriptor(), b"of a test");
    let mut content = Vec::new();
    reader.read_to_end(&mut content)?;
    Ok(content)
}

#[test]
fn what_is_written_is_read_by_each_recipient_whatever_its_length() {
    let (one, two) = (key(1), key(2));
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
        let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let (file, summary) = written(&[&one, &two], &content);
        assert_eq!((summary.size, summary.digest), (file.len() as u64, Sha256::digest(&file).into()));
        assert!(read(&file, &one).unwrap() == content, "{length}");
        assert!(read(&file, &two).unwrap() == content, "{length}");
        let seen = glance(&file[..]).unwrap();
        assert_eq!((seen.size, seen.digest), (summary.size, summary.digest));
        assert_eq!(seen.recipients, [one.recipient().id(), two.recipient().id()]);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_and_any_cut_is_refused() {
    let key = key(1);
    let (file, _) = written(&[&key], b"hunter2");
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(read(&changed, &key).is_err(), "byte {at}");
        assert!(read(&file[..at], &key).is_err(), "cut to {at}");
    }
    assert!(read(&[&file[..], b"x"].concat(), &key).is_err(), "something behind the end");
}

#[test]
fn chunks_cannot_be_moved_left_out_repeated_or_brought_from_elsewhere() {
    const SEALED: usize = CHUNK + 16;
    let key = key(1);
    let (file, _) = written(&[&key], &vec![7; 3 * CHUNK + 5]);
    let begin = file.len() - 3 * SEALED - 21;
    let part = |n: usize| &file[begin + n * SEALED..(begin + (n + 1) * SEALED).min(file.len())];
    let with = |order: &[usize]| {
        let parts: Vec<_> = order.iter().map(|n| part(*n)).collect();
        [&file[..begin], &parts.concat()].concat()
    };
    assert!(read(&with(&[0, 1, 2, 3]), &key).is_ok());
    for order in [&[1, 0, 2, 3][..], &[0, 2, 3], &[0, 0, 1, 2, 3], &[0, 1, 2], &[0, 1, 3], &[3], &[]] {
        assert!(read(&with(order), &key).is_err(), "{order:?}");
    }
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let mut other = Writer::new(Vec::new(), b"of a test", &[key.recipient().clone()], &mut rng).unwrap();
    other.write_all(&vec![7; 3 * CHUNK + 5]).unwrap();
    let (other, _) = other.finish().unwrap();
    let mixed = [&file[..begin], &other[begin..]].concat();
    assert!(read(&mixed, &key).is_err());
}

#[test]
fn bytes_all_over_a_large_file_are_authenticated() {
    let key = key(1);
    let (file, _) = written(&[&key], &vec![7; 2 * CHUNK]);
    for at in (0..file.len()).step_by(3_001) {
        let mut changed = file.clone();
        changed[at] ^= 0x80;
        assert!(read(&changed, &key).is_err(), "byte {at}");
    }
}

#[test]
fn another_key_is_told_whose_backup_it_is_and_other_files_are_no_backups() {
    let (mine, other) = (key(1), key(2));
    let (file, _) = written(&[&mine], b"hunter2");
    let refused = read(&file, &other).unwrap_err().to_string();
    assert!(refused.contains(&mine.recipient().id().to_string()), "{refused}");
    assert!(matches!(read(b"", &mine), Err(BackupError::NotABackup)));
    assert!(matches!(read(b"SQLite format 3\0 and more", &mine), Err(BackupError::NotABackup)));
    let mut newer = file.clone();
    newer[18] = 2;
    assert!(matches!(read(&newer, &mine), Err(BackupError::Newer(2))));
    assert!(glance(&file[..file.len() - 20]).is_err());
}

#[test]
fn nothing_of_the_content_is_readable_and_no_two_files_are_alike() {
    let key = key(1);
    let content = b"a canary of thirty-two bytes ...".repeat(100);
    let (file, _) = written(&[&key], &content);
    assert!(!file.windows(16).any(|part| part == &content[..16]));
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let refused = Writer::new(Vec::new(), b"", &[], &mut rng);
    assert!(refused.is_err(), "a backup without a recipient");
}
