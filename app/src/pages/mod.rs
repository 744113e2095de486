//! Pages: `<noun>/<verb>.rs` is load + view + the handler that its form posts to.
//!
//! To add a page:
//! 1. its texts: lines in `text/<noun>.rs`;
//! 2. its file here, as below; `gallery/keys.rs` is the whole of it, compiled and tested;
//! 3. its route, beside its neighbours in `<noun>/mod.rs`, and from there in `routes`.
//!
//! ```text
//! pub(super) async fn new(Asking { mut shell, .. }: Asking) -> Response {
//!     shell.section = Some(Section::Keys);
//!     show(&shell, Draft::default())
//! }
//!
//! pub(super) async fn create(State(house): State<House>, asking: Asking, posted: Posted) -> Response {
//!     let Asking { mut shell, op } = asking.once(&posted);
//!     shell.section = Some(Section::Keys);
//!     let t = shell.text;
//!     let mut errors = Errors::new();
//!     let name = errors.required(t, &posted.fields, "name", 100).to_owned();
//!     if errors.any() {
//!         return show(&shell, Draft::refused(posted.fields, errors));       // 422, as typed
//!     }
//!     match house.domain.issue(&op, &name).await {
//!         Ok(key) => render::done(&shell, &format!("/keys/{}", key.id), t.keys_issued(&key.name)),
//!         Err(IssueError::NameTaken) => {
//!             errors.at("name", t.keys_name_taken());
//!             show(&shell, Draft::refused(posted.fields, errors))
//!         }
//!         Err(IssueError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
//!     }
//! }
//!
//! fn show(shell: &Shell, draft: Draft) -> Response {
//!     let t = shell.text;
//!     page(shell, t.keys_issue()).of(&draft).show(move || view! {
//!         <PageHeader title=t.keys_issue() crumbs=vec![crumb(t.keys(), "/keys")]/>
//!         <Form draft=draft submit=t.keys_issue() cancel="/keys">
//!             <TextField name="name" label=t.keys_name() required=true/>
//!         </Form>
//!     })
//! }
//! ```
//!
//! Views own what they show: `move ||`, and clone what is used twice. `view!` evaluates an element's children
//! before its attributes, so the clone belongs into the children. Names that people gave carry
//! `translate="no"` (`named=true` on components); every other word comes from the catalogue.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod audit;
pub mod ceremony;
pub(crate) mod channels;
pub(crate) mod device;
pub(crate) mod docs;
pub(crate) mod elsewhere;
pub(crate) mod encryption;
pub(crate) mod entry;
pub(crate) mod home;
pub(crate) mod keys;
pub(crate) mod leaks;
pub(crate) mod listing;
pub mod notices;
pub(crate) mod palette;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod policies;
pub mod preferences;
pub(crate) mod projects;
pub(crate) mod roles;
pub(crate) mod secrets;
pub(crate) mod standards;
pub(crate) mod step_up;
pub(crate) mod system;
pub(crate) mod tags;
pub(crate) mod teams;
pub(crate) mod workloads;

#[cfg(test)]
mod tests;
