//! The same value in several secrets, or again in one.

use super::texts;

texts! {
    reuse = "The same value is in";
    reuse_why = "These secrets have this value too, or had it, as far as you may read them. Whoever gets it from one has it for all of them: give each a value of its own.";
    reuse_same_as(number: i64) = "Its value is the same as that of version {number}.";
}
