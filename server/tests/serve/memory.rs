//! What a node has in memory: none of the keyring's keys once its grace is over, and never the text of a key file that it was sent.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    path::Path,
};

use keywarden_store::{Location, Store, sql};
use keywarden_vault::{Seal as _, SecretBytes, seal::software::SoftwareSeal};

use crate::house::{Server, printed};

/// The longest piece of memory that is looked at in one go.
const PIECE: u64 = 4 << 20;

/// The keys that the file's key has wrapped, as the server unwraps them.
fn keyring(folder: &Path) -> Vec<SecretBytes> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wraps: Vec<(String, String, Vec<u8>)> = runtime.block_on(async {
        let store = Store::open(&Location::Sqlite(folder.join("data/keywarden.db"))).await.unwrap();
        let mut conn = store.read().await.unwrap();
        let wraps = sql("SELECT w.key_id, k.purpose, w.wrapped FROM keyring_wraps w
                         JOIN keyring_keys k ON k.id = w.key_id ORDER BY w.key_id");
        wraps.all(&mut conn).await.unwrap()
    });
    let seal = SoftwareSeal::at(folder.join("data/seal.key"), "seal.key");
    let opened = wraps.iter().map(|(key_id, purpose, wrapped)| {
        let parts = ["keyring-key", purpose, key_id];
        let context = parts.map(|part| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat());
        seal.unwrap(&context.concat(), wrapped).unwrap()
    });
    opened.collect()
}

/// How many of these are in a process's memory, wherever it may write; nothing where we may not look.
fn found(process: u32, keys: &[SecretBytes]) -> io::Result<usize> {
    let memory = File::open(format!("/proc/{process}/mem"))?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut seen = vec![false; keys.len()];
    let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
    for line in maps.lines() {
        let mut words = line.split(' ');
        let (from, to) = words.next().unwrap().split_once('-').unwrap();
        if !words.next().unwrap().starts_with("rw") {
            continue;
        }
        let (mut at, to) = (hex(from), hex(to));
        while at < to {
            let mut piece = vec![0; usize::try_from(PIECE.min(to - at)).unwrap()];
            match memory.read_exact_at(&mut piece, at) {
                Ok(()) => {
                    for (key, seen) in keys.iter().zip(&mut seen) {
                        *seen |= memchr::memmem::find(&piece, key.expose()).is_some();
                    }
                }
                // It was given back meanwhile.
                Err(cause) if [ErrorKind::PermissionDenied, ErrorKind::NotFound].contains(&cause.kind()) => {
                    return Err(cause);
                }
                Err(_) => {}
            }
            // Keys that lie across two pieces are seen in the next.
            at += if to - at > PIECE { PIECE - 64 } else { PIECE };
        }
    }
    Ok(seen.into_iter().filter(|seen| *seen).count())
}

#[test]
fn a_node_whose_grace_is_over_has_no_key_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_SEAL", "software"), ("KEYWARDEN_SEAL_GRACE", "1s")];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    let (keys, process) = (keyring(folder.path()), server.child.id());
    assert!(keys.len() > 2, "{}", keys.len());
    match found(process, &keys) {
        Err(cause) => {
            println!("SKIPPED: another process's memory is not ours to look at: {cause}");
            return;
        }
        Ok(held) => assert_eq!(held, keys.len(), "they are there while it is ready"),
    }
    let (key, away) = (folder.path().join("data/seal.key"), folder.path().join("away"));
    fs::rename(&key, &away).unwrap();
    server.becomes("\"title\":\"Sealed\"");
    assert_eq!(found(process, &keys).unwrap(), 0);
    fs::rename(&away, &key).unwrap();
    server.becomes("\"ready\"");
    assert_eq!(found(process, &keys).unwrap(), keys.len());
    server.stop();
}

#[test]
fn a_key_file_that_was_sent_to_a_server_leaves_its_text_in_no_buffer_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_SEAL", "software")];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    let (keys, process) = (keyring(folder.path()), server.child.id());
    for name in ["first.key", "second.key"] {
        let file = folder.path().join(name);
        printed(folder.path(), &variables, &["seal", "add", "software", file.to_str().unwrap()]);
        let text = fs::read_to_string(&file).unwrap();
        match found(process, &[SecretBytes::copy_of(text.trim().as_bytes())]) {
            Err(cause) => {
                println!("SKIPPED: another process's memory is not ours to look at: {cause}");
                return;
            }
            Ok(held) => assert_eq!(held, 0, "the text of {name} is there"),
        }
    }
    assert_eq!(found(process, &keys).unwrap(), keys.len(), "what is there is found");
    server.stop();
}
