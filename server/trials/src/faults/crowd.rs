//! Many clients at once, each with its book: they act until the server answers no more, or they are told to stop; then the
//! server is asked about all of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use super::books::{Book, Tally, keys::Keys, secrets::Secrets, shares::Shares, templates::Templates};
use crate::{Result, client::Client, house::House};

/// How many.
const CLIENTS: u64 = 16;

/// Clients that act.
#[derive(Debug)]
pub(super) struct Crowd {
    clients: JoinSet<Result<Book>>,
    stop: Arc<AtomicBool>,
}

impl Crowd {
    /// Lets them begin, by chance.
    pub(super) fn begin(round: u64, house: &House, asks: &Client, random: &mut ChaCha8Rng) -> Self {
        let (mut clients, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for client in 0..CLIENTS {
            let mut random = ChaCha8Rng::from_rng(random);
            let (house, asks) = (house.clone(), asks.clone());
            let (mut book, stop) = (book(round, client, random.next_u32()), Arc::clone(&stop));
            clients.spawn(async move {
                while book.act(&house, &asks, &mut random).await? && !stop.load(Ordering::Relaxed) {}
                Ok::<_, anyhow::Error>(book)
            });
        }
        Self { clients, stop }
    }

    /// Those that still have answers begin nothing more.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Their books, once each has met with no answer, or was told to stop.
    pub(super) async fn books(mut self) -> Result<Vec<Book>> {
        let mut books = Vec::new();
        while let Some(book) = self.clients.join_next().await {
            books.push(book??);
        }
        Ok(books)
    }
}

/// Finds out what became of what is in doubt, asks the server about everything else, and says how much that was.
pub(super) async fn ask(books: Vec<Book>, manager: &Client) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut asking = JoinSet::new();
    for mut book in books {
        let Tally { acknowledged, doubted } = book.tally();
        tally.acknowledged += acknowledged;
        tally.doubted += doubted;
        let manager = manager.clone();
        asking.spawn(async move {
            book.settle(&manager).await?;
            book.check(&manager).await
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    Ok(tally)
}

/// A client's empty book: by turns of keys, secrets, links and templates.
fn book(round: u64, client: u64, chance: u32) -> Book {
    let folder = format!("round-{round}/client-{client}-{chance:08x}");
    match client % 4 {
        0 => Book::Keys(Keys::new(format!("round {round} client {client} {chance:08x}"))),
        1 => Book::Secrets(Secrets::new(folder)),
        2 => Book::Shares(Shares::new(folder)),
        _ => Book::Templates(Templates::new(folder)),
    }
}
