//! What a page answers when the domain refuses a post.

use axum::response::Response;
use keywarden_domain::{Op, Refused, people::KeepError};

use super::{House, Posted};
use crate::{
    render,
    shell::{Shell, encoded},
};

/// Where a person steps up.
pub(crate) const STEP_UP: &str = "/step-up";

impl House {
    /// As [`render::refused`]; a post that needs a fresher passkey is kept, and the person led to show it.
    pub async fn refused(&self, shell: &Shell, op: &Op, posted: &Posted, refused: Refused) -> Response {
        if !matches!(refused, Refused::StepUp) {
            return render::refused(shell, refused);
        }
        let to = encoded(&posted.path);
        match self.domain.keep_post(op, &posted.path, &posted.body).await {
            Ok(id) => render::see_other(&format!("{STEP_UP}?post={id}&to={to}")),
            Err(KeepError::TooLong) => render::see_other(&format!("{STEP_UP}?to={to}")),
            Err(KeepError::Refused(refused)) => render::refused(shell, refused),
        }
    }

    /// As [`House::refused`], for a post that did not find what it is to take away. If the same form did that before, it
    /// leads where it led then: to `back`.
    pub async fn missed(
        &self,
        shell: &Shell,
        op: &Op,
        posted: &Posted,
        refused: Refused,
        back: &str,
    ) -> Response {
        if matches!(refused, Refused::NotFound) {
            match self.domain.was_done(op).await {
                Ok(true) => return render::see_other(back),
                Ok(false) => {}
                Err(refused) => return render::refused(shell, refused),
            }
        }
        self.refused(shell, op, posted, refused).await
    }
}
