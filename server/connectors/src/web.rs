//! Documents over HTTPS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use keywarden_domain::{
    exchange::{Fetch, FetchError},
    messages::{CarryError, HookPost},
};
use keywarden_model::HttpsUrl;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, StatusCode, header::CONTENT_TYPE, redirect::Policy};
use url::{Host, Url};

use crate::Networks;

const CONNECT: Duration = Duration::from_secs(3);
/// For the whole answer, however slowly it drips.
const ANSWER: Duration = Duration::from_secs(5);
/// The longest document: a set of keys is a few kilobytes.
const LONGEST: usize = 256 * 1024;

/// Fetches documents, from addresses that may be connected to.
#[derive(Debug, Clone)]
pub struct Web {
    client: Client,
    networks: Networks,
}

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// What should be certificates is none.
    #[error("no certificates: {0}; give them in PEM")]
    Certificates(String),
    /// The client could not be made.
    #[error("cannot speak HTTPS: {0}")]
    Client(String),
}

impl Web {
    /// Reaches public addresses and `networks`; trusts the system's certificates and those in `certificates`, PEM.
    pub fn new(networks: Vec<IpNet>, certificates: Option<&[u8]>) -> Result<Self, WebError> {
        // The second one to install it finds it there.
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let networks = Networks::and(networks);
        let mut builder = Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .pool_max_idle_per_host(0)
            .dns_resolver(Judged(networks.clone()))
            .user_agent(concat!("keywarden/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = certificates {
            let read = Certificate::from_pem_bundle(pem)
                .map_err(|cause| WebError::Certificates(cause.to_string()))?;
            if read.is_empty() {
                return Err(WebError::Certificates("the file holds none".into()));
            }
            builder = builder.tls_certs_merge(read);
        }
        let client = builder.build().map_err(|cause| WebError::Client(chain(&cause)))?;
        Ok(Self { client, networks })
    }
}

impl Web {
    /// The address, unless it is one of a network that may not be reached. A name is judged when it is resolved; an address in
    /// the URL is never resolved.
    fn judge(&self, url: &str) -> Result<Url, String> {
        let parsed = Url::parse(url).map_err(|cause| cause.to_string())?;
        let literal = match parsed.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(_)) => None,
            None => return Err("it names no host".into()),
        };
        match literal.filter(|address| !self.networks.allow(*address)) {
            Some(address) => Err(NotAllowed::of(&address.to_string(), &[address]).to_string()),
            None => Ok(parsed),
        }
    }

    /// Posts a body; anything but a 2xx is an error. What the receiver says beside its status is not read, and neither the
    /// address nor the body is repeated in errors.
    pub(crate) async fn post(&self, post: &HookPost) -> Result<(), CarryError> {
        let url = self.judge(post.url.expose()).map_err(CarryError::passing)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut request = self.client.post(url).header(CONTENT_TYPE, post.content_type);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let sent = request.body(post.body.clone()).send().await;
        let response =
            sent.map_err(|cause| CarryError::passing(format!("{host}: {}", chain(&cause.without_url()))))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            // Whoever answers so wants nothing more (Standard Webhooks).
            StatusCode::GONE => Err(CarryError::for_good(format!("{host} answers 410 Gone"))),
            status => Err(CarryError::passing(format!("{host} answers {status}"))),
        }
    }
}

#[async_trait]
impl Fetch for Web {
    async fn fetch(&self, url: &HttpsUrl) -> Result<Vec<u8>, FetchError> {
        let refuse = |why: &dyn std::fmt::Display| FetchError(format!("{url}: {why}"));
        let parsed = self.judge(url.as_str()).map_err(|why| refuse(&why))?;
        let broken = |cause: reqwest::Error| refuse(&chain(&cause.without_url()));
        let mut response = self.client.get(parsed).send().await.map_err(broken)?;
        if response.status() != StatusCode::OK {
            return Err(refuse(&format_args!("it answers {}", response.status())));
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if document.len().saturating_add(chunk.len()) > LONGEST {
                return Err(refuse(&format_args!("it is longer than {LONGEST} bytes")));
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

/// Resolves names to those of their addresses that may be connected to: the connection goes to what was judged.
#[derive(Debug, Clone)]
struct Judged(Networks);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.0.clone();
        Box::pin(async move {
            let all: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (allowed, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| networks.allow(it.ip()));
            if allowed.is_empty() {
                let others: Vec<_> = others.iter().map(SocketAddr::ip).collect();
                let refused = NotAllowed::of(name.as_str(), &others);
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(refused));
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("its address is not public, and no setting names its network: the log has what it is")]
struct NotAllowed;

impl NotAllowed {
    /// What it is, only those learn who run the server: names inside their network are nobody else's business.
    fn of(host: &str, addresses: &[IpAddr]) -> Self {
        tracing::info!(host, ?addresses, "an address is not public");
        Self
    }
}

/// An error and its causes, which its own words leave out.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests;
