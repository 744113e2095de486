use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::types::AuthPin;

use super::*;
use crate::keyring::{KeyRecord, Keyring, KeyringState, Purpose, WrapRecord};
use crate::seal::software::SoftwareSeal;
use crate::seal::stages::{create, module, rng, run};
use crate::seal::{Seal, SealId};

#[test]
fn the_folder_is_private_and_says_where_the_token_is() {
    let data = tempfile::tempdir().unwrap();
    let configuration = data.path().join("softhsm/softhsm2.conf");
    let prepared = || {
        SoftHsm::at(data.path()).prepare().unwrap();
        std::fs::read_to_string(&configuration).unwrap()
    };
    let text = prepared();
    assert_eq!(text, prepared(), "again, as on every start");
    let tokens = data.path().canonicalize().unwrap().join("softhsm/tokens");
    assert!(text.contains(&format!("directories.tokendir = {}\n", tokens.display())), "{text}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&data.path().join("softhsm")), mode(&tokens), mode(&configuration)),
        (0o700, 0o700, 0o600)
    );
}

#[test]
fn a_library_that_is_gone_is_awaited_only_where_a_token_was_made() {
    let data = tempfile::tempdir().unwrap();
    let softhsm = SoftHsm::at(data.path());
    let nowhere = ["/nowhere/libsofthsm2.so", "/nowhere/else/libsofthsm2.so"];
    assert_eq!(softhsm.module_among(&nowhere), Err(NotInstalled), "no folder");
    softhsm.prepare().unwrap();
    assert_eq!(softhsm.module_among(&nowhere), Err(NotInstalled), "no token");
    std::fs::create_dir(data.path().join("softhsm/tokens/one")).unwrap();
    assert_eq!(softhsm.module_among(&nowhere), Ok(nowhere[0].into()));
    let here = data.path().join("here.so");
    std::fs::write(&here, "").unwrap();
    assert_eq!(softhsm.module_among(&[nowhere[0], here.to_str().unwrap()]), Ok(here.clone()));
}

#[test]
fn a_path_that_softhsm_cannot_read_is_refused() {
    let data = tempfile::tempdir().unwrap();
    assert!(SoftHsm::at(&data.path().join("a#b")).prepare().is_err());
}

#[test]
fn a_token_is_handed_over_with_all_in_it_no_link_is_followed_and_nobody_takes_it_from_another() {
    if !User::current().is_root() {
        println!("SKIPPED: only root hands anything over");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let softhsm = SoftHsm::at(data.path());
    softhsm.prepare().unwrap();
    let (folder, outside) = (data.path().join("softhsm"), data.path().join("outside"));
    std::fs::create_dir(folder.join("tokens/one")).unwrap();
    std::fs::write(folder.join("tokens/one/token.object"), "").unwrap();
    std::fs::write(&outside, "").unwrap();
    std::os::unix::fs::symlink(&outside, folder.join("tokens/one/link")).unwrap();
    create_private(&folder.join("pin"), "1234").unwrap();
    let owner = |path: &Path| symlink_metadata(path).map(|it| (it.uid(), it.gid())).unwrap();
    let all = ["tokens", "tokens/one", "tokens/one/token.object", "tokens/one/link"];
    let conf = folder.join(LIBRARY_CONF);
    let someone = User { user: 4711, group: 4712 };
    for _ in 0..2 {
        softhsm.hand_over(someone).unwrap();
        assert!(all.iter().all(|it| owner(&folder.join(it)) == (4711, 4712)));
        assert_eq!(owner(&conf), (4711, 4712));
        for ours in [&outside, &folder, &folder.join("pin")] {
            assert_eq!(owner(ours), (0, 0), "{}", ours.display());
        }
    }
    let mode = |path: &Path| symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("pin")), mode(&conf)), (0o711, 0o600, 0o600));
    let text = std::fs::read_to_string(&conf).unwrap();
    assert!(text.contains("directories.tokendir = tokens\n"), "{text}");

    let refused = softhsm.hand_over(User { user: 4713, group: 4713 }).unwrap_err();
    assert!(refused.to_string().contains("belongs to user 4711"), "{refused}");
    softhsm.hand_over(User::ROOT).unwrap();
    assert!(all.iter().all(|it| owner(&folder.join(it)) == (0, 0)));
    assert_eq!(mode(&folder), 0o700);
    // Root that looks after somebody's server leaves him what is his.
    lchown(folder.join("tokens"), Some(4711), Some(4712)).unwrap();
    lchown(&folder, Some(4711), Some(4712)).unwrap();
    softhsm.hand_over(User::ROOT).unwrap();
    assert_eq!(owner(&folder.join("tokens")), (4711, 4712));
}

#[test]
fn the_first_start_makes_everything_and_the_next_ones_nothing() {
    run(
        concat!(module_path!(), "::the_first_start_makes_everything_and_the_next_ones_nothing"),
        &[create, create, |data| {
            let folder = data.join("softhsm");
            for name in ["pin", "so-pin"] {
                let pin = std::fs::read_to_string(folder.join(name)).unwrap();
                assert_eq!(pin.len(), PIN_LEN);
                assert_eq!(std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
            }
            assert_ne!(
                std::fs::read(folder.join("pin")).unwrap(),
                std::fs::read(folder.join("so-pin")).unwrap()
            );
            assert_eq!(std::fs::read_dir(folder.join("tokens")).unwrap().count(), 1, "one token");
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            seal.probe().unwrap();
            assert_eq!(seal.describe().id.as_str(), "softhsm:keywarden");
            assert_eq!(seal.describe().protection, Protection::Software);
        }],
    );
}

#[test]
fn a_token_whose_making_was_cut_short_is_finished() {
    run(
        concat!(module_path!(), "::a_token_whose_making_was_cut_short_is_finished"),
        &[
            |data| {
                let folder = data.join("softhsm");
                for name in ["pin", "so-pin"] {
                    create_private(&folder.join(name), &format!("{name} of the first try")).unwrap();
                }
                let library = Pkcs11::new(find_module().unwrap()).unwrap();
                library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
                let slot = *library.get_all_slots().unwrap().first().unwrap();
                let so_pin = AuthPin::from("so-pin of the first try".to_owned());
                library.init_token(slot, &so_pin, TOKEN_LABEL).unwrap();
            },
            create,
            |data| SoftHsm::at(data).seal(&module(), &mut rng()).probe().unwrap(),
        ],
    );
}

#[test]
fn a_lost_token_or_pin_is_noticed_and_not_replaced() {
    run(
        concat!(module_path!(), "::a_lost_token_or_pin_is_noticed_and_not_replaced"),
        &[create, |data| {
            let softhsm = SoftHsm::at(data);
            let pin = data.join("softhsm/pin");
            let text = std::fs::read_to_string(&pin).unwrap();
            std::fs::remove_file(&pin).unwrap();
            let module = module();
            assert!(matches!(softhsm.create(&module, &mut rng()), Err(SealError::PinMissing { .. })));
            assert!(matches!(softhsm.seal(&module, &mut rng()).probe(), Err(SealError::PinMissing { .. })));
            assert!(!pin.exists());
            create_private(&pin, &text).unwrap();
            std::fs::remove_dir_all(data.join("softhsm/tokens")).unwrap();
            softhsm.prepare().unwrap();
            let error = softhsm.seal(&module, &mut rng()).probe().unwrap_err();
            assert_eq!(error, SealError::TokenMissing(TOKEN_LABEL.into()));
        }],
    );
}

#[test]
fn a_token_whose_own_file_was_lost_in_any_way_opens_again() {
    run(
        concat!(module_path!(), "::a_token_whose_own_file_was_lost_in_any_way_opens_again"),
        &[create, |data| {
            let softhsm = SoftHsm::at(data);
            let token = read_dir(data.join("softhsm/tokens")).unwrap().next().unwrap().unwrap().path();
            let own = token.join("token.object");
            let whole = std::fs::read(&own).unwrap();
            // At every length: nothing that SoftHSM2 writes of a token is whole without its last byte.
            for cut in 0..whole.len() {
                std::fs::write(&own, &whole[..cut]).unwrap();
                assert!(softhsm.put_back(&mut rng()).unwrap(), "cut to {cut}");
                assert_eq!(std::fs::read(&own).unwrap(), whole, "cut to {cut}");
            }
            let zeroed = |path: &Path| std::fs::write(path, vec![0; 320]).unwrap();
            for lose in [|path: &Path| std::fs::remove_file(path).unwrap(), zeroed] {
                lose(&own);
                let lost = SoftHsm::at(data).seal(&module(), &mut rng());
                assert_eq!(lost.probe(), Err(SealError::TokenMissing(TOKEN_LABEL.into())));
                assert!(softhsm.put_back(&mut rng()).unwrap());
                lost.probe().unwrap();
                assert!(!softhsm.put_back(&mut rng()).unwrap(), "a login writes a whole one");
                softhsm.keep().unwrap();
            }
        }],
    );
}

/// A keyring's rows in files, as a store would keep them.
struct Rows {
    records: Vec<KeyRecord>,
    wraps: Vec<WrapRecord>,
}

impl Rows {
    fn write(&self, path: &Path) {
        let record = |it: &KeyRecord| format!("{} {} {}\n", it.id, it.purpose, it.created_at.timestamp());
        let wrap = |it: &WrapRecord| format!("{} {} {}\n", it.key_id, it.seal_id, hex::encode(&it.wrapped));
        let text = self.records.iter().map(record).collect::<String>() + "\n";
        std::fs::write(path, text + &self.wraps.iter().map(wrap).collect::<String>()).unwrap();
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (records, wraps) = text.split_once("\n\n").unwrap();
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let records = records.lines().map(words).map(|it| KeyRecord {
            id: it[0].parse().unwrap(),
            purpose: it[1].parse().unwrap(),
            created_at: DateTime::from_timestamp(it[2].parse().unwrap(), 0).unwrap(),
            retired_at: None,
            uses: 0,
        });
        let wraps = wraps.lines().map(words).map(|it| WrapRecord {
            key_id: it[0].parse().unwrap(),
            seal_id: it[1].parse().unwrap(),
            algorithm: crate::seal::ALGORITHM.to_owned(),
            wrapped: hex::decode(&it[2]).unwrap(),
        });
        Self { records: records.collect(), wraps: wraps.collect() }
    }
}

fn keyring() -> Keyring {
    Keyring::new(Duration::from_mins(5), Instant::now)
}

#[test]
fn a_keyring_lives_through_restarts_a_second_seal_and_the_loss_of_the_first() {
    run(
        concat!(module_path!(), "::a_keyring_lives_through_restarts_a_second_seal_and_the_loss_of_the_first"),
        &[
            create,
            |data| {
                let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(SoftHsm::at(data).seal(&module(), &mut rng()))];
                let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
                let mut rows = Rows { records: Vec::new(), wraps: Vec::new() };
                let mut rng = rng();
                for purpose in Purpose::ALL {
                    let (record, wraps) = Keyring::generate(purpose, now, &mut rng, &seals).unwrap();
                    rows.records.push(record);
                    rows.wraps.extend(wraps);
                }
                rows.write(&data.join("rows"));
                let keyring = keyring();
                keyring.unseal(&rows.records, &rows.wraps, &seals).unwrap();
                let (id, tag) = keyring.mac(Purpose::ApiKeyMac, b"value").unwrap();
                std::fs::write(data.join("tag"), format!("{id} {}", hex::encode(tag))).unwrap();
            },
            |data| {
                let mut rows = Rows::read(&data.join("rows"));
                let seals: Vec<Arc<dyn Seal>> = vec![Arc::new(SoftHsm::at(data).seal(&module(), &mut rng()))];
                let keyring = keyring();
                keyring.unseal(&rows.records, &rows.wraps, &seals).unwrap();
                let second = SoftwareSeal::at(data.join("seal.key"), "second");
                second.create_key(&mut rng()).unwrap();
                rows.wraps.extend(keyring.wrap_under(&second, &mut rng()).unwrap());
                rows.write(&data.join("rows"));
            },
            |data| {
                std::fs::remove_dir_all(data.join("softhsm/tokens")).unwrap();
                let rows = Rows::read(&data.join("rows"));
                let seals: Vec<Arc<dyn Seal>> = vec![
                    Arc::new(SoftHsm::at(data).seal(&module(), &mut rng())),
                    Arc::new(SoftwareSeal::at(data.join("seal.key"), "second")),
                ];
                let keyring = keyring();
                keyring.unseal(&rows.records, &rows.wraps, &seals).unwrap();
                assert_eq!(keyring.state(), KeyringState::Unsealed);
                let tag = std::fs::read_to_string(data.join("tag")).unwrap();
                let (id, tag) = tag.split_once(' ').unwrap();
                let tag = hex::decode(tag).unwrap().try_into().unwrap();
                assert!(keyring.verify_mac(Purpose::ApiKeyMac, id.parse().unwrap(), b"value", &tag).unwrap());
                let first: SealId = "softhsm:keywarden".parse().unwrap();
                crate::keyring::may_remove_seal(&rows.records, &rows.wraps, &first).unwrap();
            },
        ],
    );
}
