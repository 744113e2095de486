use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// Bytes of a response. Whoever waits for them and takes fewer in the time of a silence stands still.
pub(super) const PIECE: usize = 16 << 10;

/// A stream that fails once nothing was read or written for a while, or once what is written is not taken, whatever else is
/// said meanwhile: beneath TLS each byte of a record that never ends is a word. It covers what HTTP timeouts don't see: a
/// connection that never says a word, a client that doesn't take its response.
#[derive(Debug)]
pub(super) struct Idle<S> {
    inner: S,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    full: Option<Full>,
}

/// The other end has no room for what is written.
#[derive(Debug)]
struct Full {
    /// When a piece must have been taken.
    timer: Pin<Box<Sleep>>,
    taken: usize,
}

impl<S> Idle<S> {
    pub(super) fn new(inner: S, limit: Duration) -> Self {
        Self { inner, limit, timer: Box::pin(tokio::time::sleep(limit)), full: None }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => {
                if let Some(full) = &mut self.full {
                    full.taken = full.taken.saturating_add(bytes);
                }
                self.full.take_if(|full| full.taken >= PIECE);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let limit = self.limit;
                let begun = || Full { timer: Box::pin(tokio::time::sleep(limit)), taken: 0 };
                if self.full.get_or_insert_with(begun).timer.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        self.progress(context, result)
    }

    fn progress<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            // One that no clock reaches need not be moved.
            if let Some(later) = Instant::now().checked_add(self.limit) {
                self.timer.as_mut().reset(later);
            }
            return result;
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_read(context, buffer);
        this.progress(context, result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.written(context, result)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_flush(context);
        // Whoever flushes has no more to write.
        this.full.take_if(|_| matches!(result, Poll::Ready(Ok(()))));
        this.progress(context, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_shutdown(context);
        this.progress(context, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn silence_ends_a_stream_and_a_word_keeps_it() {
        let (mut near, far) = tokio::io::duplex(8);
        let limit = Duration::from_millis(200);
        let mut idle = Idle::new(far, limit);
        let began = Instant::now();
        for _ in 0..3 {
            tokio::time::sleep(limit / 2).await;
            near.write_all(b"x").await.unwrap();
            assert_eq!(idle.read_u8().await.unwrap(), b'x');
        }
        assert!(began.elapsed() > limit);
        assert_eq!(idle.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn words_do_not_make_up_for_what_is_not_taken() {
        let (mut near, far) = tokio::io::duplex(PIECE / 4);
        let (mut reads, mut writes) = tokio::io::split(Idle::new(far, Duration::from_millis(200)));
        let talk = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                near.write_all(b"x").await.unwrap();
                assert_eq!(reads.read_u8().await.unwrap(), b'x');
            }
        };
        let answer = vec![0; PIECE];
        let ended = tokio::select! {
            ended = writes.write_all(&answer) => ended,
            () = talk => unreachable!("it never ends"),
            () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it waits for ever"),
        };
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_end_has_as_long_for_each_piece() {
        let (mut near, far) = tokio::io::duplex(PIECE / 4);
        let mut idle = Idle::new(far, Duration::from_secs(1));
        let take = async {
            let mut piece = vec![0; PIECE];
            for _ in 0..15 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                near.read_exact(&mut piece).await.unwrap();
            }
        };
        let give = async {
            idle.write_all(&vec![0; 15 * PIECE]).await.unwrap();
            idle.flush().await.unwrap();
        };
        tokio::join!(give, take);
    }
}
