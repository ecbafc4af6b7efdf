//! One order: the account, the proof for each name, the certificate.

use super::{
    folder::Folder,
    http::{Http, RetryAfter},
};
use config::tls::{AcmeSettings, Challenge, authorities};
use gateway::tls::{Challenges, Client, Identity, Roots};
use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error,
    ExternalAccountKey, Identifier, KeyAuthorization, NewAccount, NewOrder, OrderStatus, Problem,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use std::time::Duration;

/// An order of a certificate.
pub(super) struct Order<'a> {
    pub(super) settings: &'a AcmeSettings,
    pub(super) folder: &'a Folder,
    /// The certificate that it replaces.
    pub(super) replaces: Option<CertificateIdentifier<'static>>,
    /// What the authority asked for when it refused something.
    pub(super) retry_after: Option<Duration>,
}

impl Order<'_> {
    /// Gets a certificate: its chain and its key, in PEM form.
    pub(super) async fn place(&mut self, challenges: &Challenges) -> Result<(String, String), String> {
        let asked = RetryAfter::default();
        let ordered = self.place_with(challenges, &asked).await;
        self.retry_after = asked.get();
        ordered
    }

    async fn place_with(
        &self,
        challenges: &Challenges,
        asked: &RetryAfter,
    ) -> Result<(String, String), String> {
        let account = account(self.settings, self.folder, asked).await?;
        let mut order = match self.request(&account, self.replaces.clone()).await {
            // The authority has forgotten us: a staging one may at any time.
            Err(Error::Api(problem)) if is(&problem, "accountDoesNotExist") => {
                self.folder.forget_account()?;
                let account = account_anew(self.settings, self.folder, asked).await?;
                self.request(&account, None).await.map_err(told)?
            }
            // Refused for what it says of the old certificate, maybe: an order without that is worth as much.
            Err(Error::Api(problem)) if self.replaces.is_some() && is_refusal(&problem) => {
                self.request(&account, None).await.map_err(told)?
            }
            other => other.map_err(told)?,
        };
        prove(self.settings.challenge, &mut order, challenges).await?;
        if order.poll_ready(&RetryPolicy::default()).await.map_err(told)? != OrderStatus::Ready {
            return Err(why_not(&mut order).await);
        }
        let key = order.finalize().await.map_err(told)?;
        let chain = order.poll_certificate(&RetryPolicy::default()).await.map_err(told)?;
        Ok((chain, key))
    }

    async fn request(
        &self,
        account: &Account,
        replaces: Option<CertificateIdentifier<'static>>,
    ) -> Result<instant_acme::Order, Error> {
        let names: Vec<Identifier> = self.settings.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut new = NewOrder::new(&names);
        if let Some(profile) = &self.settings.profile {
            // Some authorities ignore a profile that they do not have, and others ignore them all.
            let mut known: Vec<&str> = account.profiles().map(|profile| profile.name).collect();
            known.sort_unstable();
            if !known.contains(&profile.as_str()) {
                let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let reason = format!("the authority has no profile `{profile}`; it offers {has}");
                return Err(Error::Other(reason.into()));
            }
            new = new.profile(profile);
        }
        match replaces {
            None => account.new_order(&new).await,
            Some(replaces) => match account.new_order(&new.replaces(replaces)).await {
                // Nothing was sent.
                Err(Error::Unsupported(_)) => Box::pin(self.request(account, None)).await,
                other => other,
            },
        }
    }
}

fn told(error: Error) -> String {
    error.to_string()
}

fn is(problem: &Problem, kind: &str) -> bool {
    problem.r#type.as_deref().and_then(|name| name.strip_prefix("urn:ietf:params:acme:error:")) == Some(kind)
}

/// Whether an order was refused, rather than put off: another one may be placed at once.
fn is_refusal(problem: &Problem) -> bool {
    problem.status.is_some_and(|status| (400..500).contains(&status) && status != 429)
        && !is(problem, "rateLimited")
}

fn builder(settings: &AcmeSettings, asked: &RetryAfter) -> Result<AccountBuilder, String> {
    let roots = match &settings.ca {
        Some(file) => Roots::Own(authorities(file).map_err(|bad| bad.to_string())?),
        None => Roots::system(),
    };
    // The name is that of each URL; this one is never asked for.
    let client = Client::new("directory.invalid", roots, None)?;
    Ok(Account::builder_with_http(Box::new(Http { client, retry_after: asked.clone() })))
}

/// Our account, if there is one.
pub(super) async fn kept_account(
    settings: &AcmeSettings,
    folder: &Folder,
) -> Result<Option<Account>, String> {
    let bound_to = settings.binding.as_ref().map(|binding| binding.key_id.as_str());
    let Some(credentials) = folder.account(bound_to)? else { return Ok(None) };
    let builder = builder(settings, &RetryAfter::default())?;
    builder.from_credentials(credentials).await.map(Some).map_err(told)
}

/// Our account, which is made with the first order.
async fn account(settings: &AcmeSettings, folder: &Folder, asked: &RetryAfter) -> Result<Account, String> {
    let bound_to = settings.binding.as_ref().map(|binding| binding.key_id.as_str());
    match folder.account(bound_to)? {
        Some(credentials) => builder(settings, asked)?.from_credentials(credentials).await.map_err(told),
        None => account_anew(settings, folder, asked).await,
    }
}

async fn account_anew(
    settings: &AcmeSettings,
    folder: &Folder,
    asked: &RetryAfter,
) -> Result<Account, String> {
    let contact: Vec<String> = settings.contact.iter().map(|address| format!("mailto:{address}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let binding = settings.binding.as_ref();
    let external = binding.map(|binding| ExternalAccountKey::new(binding.key_id.clone(), &binding.key));
    let builder = builder(settings, asked)?;
    let made = builder.create(&new, settings.directory.clone(), external.as_ref()).await;
    let (account, credentials) = made.map_err(|error| {
        let is_unbound = binding.is_none()
            && matches!(&error, Error::Api(problem) if is(problem, "externalAccountRequired"));
        let advice = "; set `eab_key_id` and `eab_key` in [tls.acme] to what the authority gave you";
        format!("{error}{}", if is_unbound { advice } else { "" })
    })?;
    folder.keep_account(&credentials, binding.map(|binding| binding.key_id.as_str()))?;
    Ok(account)
}

/// Lays a proof down for each name, and has the authority look at it.
async fn prove(
    by: Challenge,
    order: &mut instant_acme::Order,
    challenges: &Challenges,
) -> Result<(), String> {
    let kind = match by {
        Challenge::Http => ChallengeType::Http01,
        Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
    };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(told)?;
        if authorization.status == AuthorizationStatus::Valid {
            continue; // proved not long ago
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(kind.clone()) else {
            return Err(format!("the authority does not offer {kind:?} for {name}"));
        };
        let proof = challenge.key_authorization();
        match by {
            Challenge::Http => challenges.set_text(&challenge.token, proof.as_str()),
            Challenge::TlsAlpn => challenges.set_certificate(&name, &certificate_of_proof(&name, &proof)?),
        }
        challenge.set_ready().await.map_err(told)?;
    }
    Ok(())
}

/// A certificate that proves something to the authority and nothing to anybody else (RFC 8737).
fn certificate_of_proof(name: &str, proof: &KeyAuthorization) -> Result<Identity, String> {
    let make = || {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(proof.digest().as_ref())];
        let key = KeyPair::generate()?;
        Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    let (chain, key) = make().map_err(|error: rcgen::Error| error.to_string())?;
    Identity::from_pem(chain.as_bytes(), key.as_bytes()).map_err(|error| error.to_string())
}

/// What the authority found wrong.
async fn why_not(order: &mut instant_acme::Order) -> String {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        reasons.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    if reasons.is_empty() { "the authority refused the order".to_owned() } else { reasons.join("; ") }
}
