//! What a rule says about tokens of other issuers: who made them, for whom, and what they must claim.

mod audience;
mod claims;
mod shared;
mod url;

pub use audience::{Audience, AudienceError};
pub use claims::{ClaimRules, ClaimRulesError, ClaimShape};
pub use shared::SharedIssuer;
pub use url::{HttpsUrl, HttpsUrlError};
