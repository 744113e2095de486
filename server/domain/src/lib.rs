//! Rules: every use-case, every authorization, every audit event.

pub mod env;

pub use self::env::Env;
