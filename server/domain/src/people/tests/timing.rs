//! Whoever guesses at recovery codes learns nothing about whose there are: not from the answer, not from the work that it takes
//! (S-09).

use std::collections::BTreeSet;

use keywarden_model::Role;

use super::*;
use crate::cast::both_engines;
use crate::tests::costs::{Class, Cost, SHOWN, all_cost_the_same, costs};

/// The first group of a code: what finds its row.
fn group(code: &str) -> String {
    code[..6].to_owned()
}

/// Codes that nobody has, which begin with these groups and go on for so many characters.
fn under<const REST: usize>(house: &House, groups: &[String]) -> Vec<String> {
    let rest = || crate::typed::draw::<REST>(house.domain.env()).expose().to_owned();
    groups.iter().cycle().take(SHOWN).map(|group| format!("{group}{}", rest())).collect()
}

/// By whose codes begin so: nobody's, somebody's, codes that were used, and those of somebody who was deactivated.
async fn groups(house: &House) -> [(&'static str, Vec<String>); 4] {
    let ada = set_up(house).await;
    let bob = join(house, &ada, "Bob", Role::Auditor, None, 2).await;
    let eve = join(house, &ada, "Eve", Role::Auditor, None, 3).await;
    let of_bob = codes(house, &bob).await;
    drop(house.domain.use_recovery_code(&nobody(house), &typed(&of_bob[0])).await.unwrap());
    let gone = codes(house, &eve).await;
    house.domain.deactivate_user(&ada.op(house), eve.person.id).await.unwrap();
    let nobodys = (0..SHOWN).map(|_| crate::typed::draw::<6>(house.domain.env()).expose().to_owned());
    [
        ("unknown", nobodys.collect()),
        ("good", codes(house, &ada).await.iter().chain(&of_bob[1..]).map(|code| group(code)).collect()),
        ("used", vec![group(&of_bob[0])]),
        ("deactivated", gone.iter().map(|code| group(code)).collect()),
    ]
}

#[tokio::test]
async fn a_wrong_code_is_answered_like_an_unknown_one_and_takes_as_many_statements_and_macs() {
    both_engines(async |house| {
        let groups = groups(&house).await;
        let shown = async |class: &str, code: &str| {
            let answer = house.domain.use_recovery_code(&nobody(&house), &typed(code)).await;
            assert!(matches!(answer, Err(RecoverError::Unknown)), "{class}: {answer:?}");
        };
        let whole: Vec<Class> =
            groups.iter().map(|(class, groups)| (*class, under::<18>(&house, groups))).collect();
        all_cost_the_same(&house, &whole, &shown).await;
        // What is no code at all is asked of nobody, whoever's begin so.
        let broken: Vec<Class> =
            groups.iter().map(|(class, groups)| (*class, under::<17>(&house, groups))).collect();
        let asked = costs(&broken, &shown).await;
        let nothing = |(_, cost): &(_, Cost)| cost.statements == 0 && cost.macs == BTreeSet::from([0]);
        assert!(asked.iter().all(nothing), "{asked:?}");
    })
    .await;
}
