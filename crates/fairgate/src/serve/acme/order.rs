//! One order: the account, the proof for each name, the certificate.

use super::{folder::Folder, http::Http};
use crate::config::tls::{AcmeSettings, Challenge, authorities, trusted_here};
use gateway::tls::{Challenges, Client, Identity, Roots};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, KeyAuthorization, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};

/// Gets a certificate: its chain and its key, in PEM form.
pub(super) async fn fetch(
    settings: &AcmeSettings,
    folder: &Folder,
    challenges: &Challenges,
) -> Result<(String, String), String> {
    let account = account(settings, folder).await?;
    let names: Vec<Identifier> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(told)?;
    prove(settings.challenge, &mut order, challenges).await?;
    if order.poll_ready(&RetryPolicy::default()).await.map_err(told)? != OrderStatus::Ready {
        return Err(why_not(&mut order).await);
    }
    let key = order.finalize().await.map_err(told)?;
    let chain = order.poll_certificate(&RetryPolicy::default()).await.map_err(told)?;
    Ok((chain, key))
}

fn told(error: instant_acme::Error) -> String {
    error.to_string()
}

/// Our account, which is made with the first order.
async fn account(settings: &AcmeSettings, folder: &Folder) -> Result<Account, String> {
    let roots = match &settings.ca {
        Some(file) => Roots::Own(authorities(file).map_err(|bad| bad.to_string())?),
        None => Roots::System(trusted_here()),
    };
    // The name is that of each URL; this one is never asked for.
    let client = Client::new("directory.invalid", roots, None)?;
    let builder = Account::builder_with_http(Box::new(Http(client)));
    if let Some(credentials) = folder.account()? {
        return builder.from_credentials(credentials).await.map_err(told);
    }
    let contact: Vec<String> = settings.contact.iter().map(|address| format!("mailto:{address}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) =
        builder.create(&new, settings.directory.clone(), None).await.map_err(told)?;
    folder.keep_account(&credentials)?;
    Ok(account)
}

/// Lays a proof down for each name, and has the authority look at it.
async fn prove(by: Challenge, order: &mut Order, challenges: &Challenges) -> Result<(), String> {
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
            Challenge::Http => challenges.tell(&challenge.token, proof.as_str()),
            Challenge::TlsAlpn => challenges.show(&name, &certificate_of_proof(&name, &proof)?),
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
async fn why_not(order: &mut Order) -> String {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let problems = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        reasons.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    if reasons.is_empty() { "the authority refused the order".to_owned() } else { reasons.join("; ") }
}
