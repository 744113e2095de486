use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::secret::SecretString;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(5)
}

fn key(seed: u64) -> RecoveryKey {
    RecoveryKey::generate(&mut ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

#[test]
fn keys_derive_as_the_specification_of_x_wing_says() {
    // draft-connolly-cfrg-xwing-kem, test vectors, the first one: a seed, and the public key by its ends and digest.
    let seed = hex::decode("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26").unwrap();
    let key = RecoveryKey::from_seed(SecretBytes::new(seed)).unwrap();
    let public = read("kwr1_", "", &key.recipient().to_string()).unwrap();
    let digest = hex::encode(Sha256::digest(public.expose()));
    assert_eq!(digest, "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb");
    let public = hex::encode(public.expose());
    assert!(public.starts_with("e2236b35a8c24b39b10aa1323a96a919"), "{public}");
    assert!(public.ends_with("23593d4ba32d9abac8cd049040ef6534"), "{public}");
}

#[test]
fn what_is_sealed_for_a_recipient_opens_with_its_key_only() {
    let (mine, other) = (key(1), key(2));
    let recipient: Recipient = mine.recipient().to_string().parse().unwrap();
    assert_eq!((&recipient, recipient.id()), (mine.recipient(), mine.recipient().id()));
    let sealed = recipient.seal("file", b"one", &SecretBytes::copy_of(b"alice"), &mut rng()).unwrap();
    assert_eq!(sealed.len(), Recipient::sealed_len(5));
    assert_eq!(mine.open("file", b"one", &sealed).unwrap().expose(), b"alice");
    assert!(mine.open("file", b"two", &sealed).is_err());
    assert!(mine.open("key", b"one", &sealed).is_err());
    assert!(other.open("file", b"one", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(mine.open("file", b"one", &changed).is_err(), "byte {at}");
    }
    for len in [0, 1, 1119, 1120, sealed.len() - 1] {
        assert!(mine.open("file", b"one", &sealed[..len]).is_err(), "cut to {len}");
    }
}

#[test]
fn texts_read_back_and_slips_of_the_pen_are_found() {
    let key = key(3);
    let text = key.text();
    let again = RecoveryKey::parse(&SecretString::new(format!(" {}\n", text.expose()))).unwrap();
    assert_eq!(again.recipient(), key.recipient());
    for at in 6..text.expose().len() {
        let mut letters: Vec<char> = text.expose().chars().collect();
        letters[at] = if letters[at] == 'a' { 'b' } else { 'a' };
        let wrong = SecretString::new(letters.into_iter().collect());
        assert!(RecoveryKey::parse(&wrong).is_err(), "letter {at}");
    }
    let public = key.recipient().to_string();
    assert!(RecoveryKey::parse(&SecretString::new(public.clone())).is_err(), "a recipient is no key");
    assert!(text.expose().parse::<Recipient>().is_err(), "a key is no recipient");
    assert!(public[..public.len() - 1].parse::<Recipient>().is_err());
    assert!(!format!("{key:?}").contains(text.expose()));
}

#[test]
fn any_two_of_three_shares_make_the_key_and_one_does_not() {
    let key = key(4);
    let texts: Vec<_> = Shares::of(&key, 2, 3, &mut rng()).unwrap().iter().map(Share::text).collect();
    let read =
        |of: &[usize]| -> Vec<Share> { of.iter().map(|at| Share::parse(&texts[*at]).unwrap()).collect() };
    for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
        assert_eq!(Shares::combine(&read(&pair)).unwrap().recipient(), key.recipient(), "{pair:?}");
    }
    assert_eq!(Shares::combine(&read(&[0, 1, 2])).unwrap().recipient(), key.recipient());
    let alone = ShareError::TooFew { needed: 2, given: 1 };
    assert_eq!(Shares::combine(&read(&[1])).unwrap_err(), alone);
    assert_eq!(Shares::combine(&read(&[1, 1])).unwrap_err(), alone, "twice the same is one");
    assert!(Shares::combine(&[]).is_err());
}

#[test]
fn shares_of_two_keys_or_changed_ones_make_nothing() {
    let (key, other) = (key(4), key(5));
    let mut mine = Shares::of(&key, 2, 3, &mut rng()).unwrap();
    let theirs = Shares::of(&other, 2, 3, &mut rng()).unwrap();
    let mixed: Vec<_> = mine.drain(..1).chain(theirs.into_iter().skip(1).take(1)).collect();
    assert_eq!(Shares::combine(&mixed).unwrap_err(), ShareError::Different);
    let mut changed: Vec<_> = Shares::of(&key, 2, 3, &mut rng()).unwrap().into_iter().take(2).collect();
    let mut bytes = changed[0].part.expose().to_vec();
    bytes[7] ^= 1;
    changed[0].part = SecretBytes::new(bytes);
    assert_eq!(Shares::combine(&changed).unwrap_err(), ShareError::Wrong);
    for (threshold, number) in [(1, 3), (0, 3), (4, 3), (2, 1), (2, 17)] {
        let refused = Shares::of(&key, threshold, number, &mut rng());
        assert_eq!(refused.unwrap_err(), ShareError::Numbers, "{threshold} of {number}");
    }
}

#[test]
fn parsers_of_shares_take_changed_ones_that_fit_their_checksum() {
    let key = RecoveryKey::generate(&mut rng()).unwrap();
    let shares = Shares::of(&key, 2, 3, &mut rng()).unwrap();
    let parts: Vec<_> = shares.iter().map(|it| it.part.expose().to_vec()).collect();
    keywarden_garble::bytes(&parts, |input| {
        let mut other = Share::parse(&shares[1].text()).unwrap();
        other.part = SecretBytes::copy_of(input);
        let first = Share::parse(&shares[0].text()).unwrap();
        if let Ok(whole) = Shares::combine(&[first, other]) {
            assert_eq!(whole.recipient().id(), key.recipient().id());
        }
    });
}
