//! HTTP before and around the doors: who calls, from where, how much, with which headers in the answer.

pub(crate) mod assets;
mod bounds;
mod client_address;
mod csp_report;
mod csrf;
mod door;
mod frame;
mod headers;
mod health;
mod job_metrics;
mod limits;
pub(crate) mod metrics;
#[cfg(test)]
mod parsers;
mod problem;
mod request_id;
mod router;
pub(crate) mod session;

pub(crate) use health::Condition;
pub(crate) use router::{Doors, router};

#[cfg(test)]
mod tests;
