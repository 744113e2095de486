//! Carrying messages out: webhooks through the web that is judged, mail through the operator's server.

use async_trait::async_trait;
use keywarden_domain::messages::{Carry, CarryError, HookPost, Letter};

use crate::{Mailer, Web};

/// Reaches whoever is told.
#[derive(Debug, Clone)]
pub struct Carrier {
    web: Web,
    mailer: Option<Mailer>,
}

impl Carrier {
    /// By these ways; without a mailer no mail is sent.
    pub fn new(web: Web, mailer: Option<Mailer>) -> Self {
        Self { web, mailer }
    }

    fn mailer(&self) -> Result<&Mailer, CarryError> {
        let unset = || CarryError::passing("this server sends no mail: KEYWARDEN_MAIL_URL is not set");
        self.mailer.as_ref().ok_or_else(unset)
    }
}

#[async_trait]
impl Carry for Carrier {
    async fn post(&self, post: &HookPost) -> Result<(), CarryError> {
        self.web.post(post).await
    }

    async fn mail(&self, letter: &Letter) -> Result<(), CarryError> {
        self.mailer()?.send(letter).await
    }

    async fn greet(&self) -> Result<(), CarryError> {
        self.mailer()?.greet().await
    }

    fn mails_by(&self) -> Option<String> {
        self.mailer.as_ref().map(Mailer::described)
    }
}
