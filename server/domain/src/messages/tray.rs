//! For tests: whoever is told, and what they took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::carry::{Carry, CarryError, HookPost, Letter};

/// What arrived, and who takes nothing.
#[derive(Debug, Clone, Default)]
pub struct Tray(Arc<Mutex<Lies>>);

#[derive(Debug, Default)]
struct Lies {
    posts: Vec<Arrived>,
    letters: Vec<Letter>,
    answers: BTreeMap<String, Answer>,
}

/// A post that somebody took.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Where.
    pub url: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// What kind of body it is.
    pub content_type: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// How an address answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With an error.
    Fails(CarryError),
    /// Not at all.
    Hangs,
}

impl Tray {
    /// From now on this address, of mail or of a webhook, answers so.
    pub fn answers(&self, to: &str, answer: Answer) {
        self.lies(|it| it.answers.insert(to.to_owned(), answer));
    }

    /// From now on this address takes what comes.
    pub fn takes(&self, to: &str) {
        self.lies(|it| it.answers.remove(to));
    }

    /// What was posted.
    pub fn posts(&self) -> Vec<Arrived> {
        self.lies(|it| it.posts.clone())
    }

    /// What was mailed.
    pub fn letters(&self) -> Vec<Letter> {
        self.lies(|it| it.letters.clone())
    }

    fn lies<T>(&self, look: impl FnOnce(&mut Lies) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(&self, to: &str) -> Result<(), CarryError> {
        match self.lies(|it| it.answers.get(to).cloned()) {
            None => Ok(()),
            Some(Answer::Fails(error)) => Err(error),
            Some(Answer::Hangs) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Carry for Tray {
    async fn post(&self, post: &HookPost) -> Result<(), CarryError> {
        self.answer(post.url.expose()).await?;
        let headers = post.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let (url, body) = (post.url.expose().to_owned(), post.body.clone());
        let content_type = post.content_type.to_owned();
        self.lies(|it| it.posts.push(Arrived { url, headers, content_type, body }));
        Ok(())
    }

    async fn mail(&self, letter: &Letter) -> Result<(), CarryError> {
        self.answer(letter.to.as_str()).await?;
        self.lies(|it| it.letters.push(letter.clone()));
        Ok(())
    }

    async fn greet(&self) -> Result<(), CarryError> {
        self.answer("greet").await
    }

    fn mails_by(&self) -> Option<String> {
        Some("a tray, from Keywarden <keywarden@example.com>".into())
    }
}
