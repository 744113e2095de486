//! Two processes that open one new SQLite file at the same moment.

use std::{path::Path, thread};

use crate::house::{Server, keywarden, told};

fn starts_on(file: &Path, folder: &Path) -> Server {
    let mut command = keywarden(folder, &["serve"]);
    command.env("KEYWARDEN_SEAL", "software");
    command.env("KEYWARDEN_DATABASE_URL", format!("sqlite://{}", file.display()));
    Server::start_as(command)
}

#[test]
fn two_servers_that_start_on_one_new_file_at_once_both_open_it() {
    let rounds = tempfile::tempdir().unwrap();
    for round in 0..8 {
        let folder = rounds.path().join(round.to_string());
        let file = folder.join("keywarden.db");
        let homes = ["one", "other"].map(|name| folder.join(name));
        for home in &homes {
            std::fs::create_dir_all(home).unwrap();
        }
        let servers = thread::scope(|both| {
            let file = &file;
            let starting = homes.each_ref().map(|home| both.spawn(move || starts_on(file, home)));
            starting.map(|one| one.join().unwrap())
        });
        for server in servers {
            server.stop();
        }
        // Whose seal wraps the keyring is whoever was first.
        let url = format!("sqlite://{}", file.display());
        let looked = homes.each_ref().map(|home| {
            let mut fsck = keywarden(home, &["fsck"]);
            let said =
                fsck.env("KEYWARDEN_SEAL", "software").env("KEYWARDEN_DATABASE_URL", &url).output().unwrap();
            format!("{}{}", String::from_utf8_lossy(&said.stdout), told(&said))
        });
        assert!(looked.iter().any(|said| said.contains("clean")), "{looked:?}");
    }
}
