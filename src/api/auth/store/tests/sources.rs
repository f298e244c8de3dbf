//! A sign-in that is kept as the source of a run's tokens.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{Home, Says, Strict, id, now};
use crate::api::auth::oauth::ClaimsChallenge;
use crate::api::auth::source::{Auth, TokenSource};
use crate::api::auth::store::StoreChoice;
use crate::api::auth::tokens::{Generation, Tokens};
use crate::domain::exchange::Failure;

const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
/// What is said where a policy is not satisfied.
const UNSATISFIED: &str = "a conditional-access policy wants another sign-in (insufficient_claims), as the present one \
                           does not have what it demands";

async fn tokens() -> (Home, Arc<Strict>, Tokens) {
    let home = Home::new();
    home.keep("a", "refresh", StoreChoice::File).await;
    let service = Strict::with("refresh");
    let tokens = another(&home, &service);
    (home, service, tokens)
}

/// The tokens of another run.
fn another(home: &Home, service: &Arc<Strict>) -> Tokens {
    let auth = Auth(TokenSource::SignedIn(home.renewal("a", service)));
    assert_eq!(format!("{auth:?}"), "Auth(signed in)");
    Tokens::new(auth, now)
}

async fn header(tokens: &Tokens) -> String {
    let (token, _) = tokens.current().await.unwrap();
    token.header().to_str().unwrap().to_owned()
}

fn told(failure: &Failure) -> (&str, bool) {
    match failure {
        Failure::NoToken { message, needs_sign_in } => (message.as_str(), needs_sign_in.is_some()),
        failure => panic!("{failure:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_is_renewed_ahead_of_each_tokens_end() {
    let (_home, service, tokens) = tokens().await;
    assert!(tokens.can_renew());
    for (later, number) in [(0, 1), (3_299, 1), (1, 2), (3_299, 2), (1, 3)] {
        tokio::time::advance(Duration::from_secs(later)).await;
        let all = futures::future::join_all((0..5).map(|_| header(&tokens))).await;
        assert!(all.iter().all(|header| *header == format!("Bearer access-{number}")), "{all:?}");
        assert_eq!(tokens.requests(), number);
    }
    let seen = tokens.generation();
    let renewed = futures::future::join_all((0..5).map(|_| tokens.renew(seen))).await;
    assert!(renewed.iter().all(Result::is_ok));
    assert_eq!((header(&tokens).await, tokens.requests()), ("Bearer access-4".to_owned(), 4));
    assert_eq!(service.look(|state| state.exchanges), 4);
}

/// The minutes after the first token at which another is asked for in vain; then what the next request is sent with.
#[tokio::test(start_paused = true)]
async fn a_service_that_is_away_for_a_while_is_asked_again_while_the_token_is_good() {
    let (_home, service, tokens) = tokens().await;
    assert_eq!(header(&tokens).await, "Bearer access-1");
    tokio::time::advance(Duration::from_secs(3_300)).await;
    for asked in 2..=4 {
        service.says(Says::Unreachable);
        assert_eq!((header(&tokens).await, tokens.requests()), ("Bearer access-1".to_owned(), asked));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!((header(&tokens).await, tokens.requests()), ("Bearer access-1".to_owned(), asked));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!((header(&tokens).await, tokens.generation()), ("Bearer access-2".to_owned(), Generation(1)));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_is_over_ends_the_run_with_its_last_token() {
    let (_home, service, tokens) = tokens().await;
    header(&tokens).await;
    tokio::time::advance(Duration::from_secs(3_300)).await;
    service.says(Says::Refused("invalid_grant"));
    for _ in 0..3 {
        assert_eq!((header(&tokens).await, tokens.requests()), ("Bearer access-1".to_owned(), 2));
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    service.says(Says::Refused("invalid_grant"));
    let failure = tokens.renew(Generation(0)).await.unwrap_err();
    let wanted = "the sign-in service refused to renew the sign-in: invalid_grant (Browser)";
    assert_eq!(told(&failure), (wanted, true));
    assert_eq!(tokens.current().await.unwrap_err(), failure);
    assert_eq!(tokens.requests(), 3, "it isn't asked again");
}

#[tokio::test]
async fn what_a_policy_demands_is_asked_for_once() {
    let (home, service, tokens) = tokens().await;
    header(&tokens).await;
    assert_eq!(tokens.satisfy(Generation(0)).await, Ok(false), "it isn't known what is demanded");
    let claims = ClaimsChallenge::parse(CLAIMS).unwrap();
    tokens.note_demanded(claims.clone());
    let all = futures::future::join_all((0..5).map(|_| tokens.satisfy(Generation(0)))).await;
    assert!(all.iter().all(|satisfied| *satisfied == Ok(true)), "{all:?}");
    assert_eq!((header(&tokens).await, tokens.generation()), ("Bearer access-2".to_owned(), Generation(1)));
    assert_eq!(service.look(|state| state.claims.clone()), [None, Some(CLAIMS.to_owned())]);
    let challenge = || home.sign_ins().find(&id("a")).unwrap().unwrap().challenge;
    assert_eq!(challenge(), None);

    tokens.note_demanded(claims.clone());
    let failure = tokens.satisfy(Generation(1)).await.unwrap_err();
    assert_eq!(told(&failure), (UNSATISFIED, true));
    assert_eq!(tokens.requests(), 2, "the same is not asked for twice");
    assert_eq!(challenge(), Some(claims.clone()));
    assert_eq!(tokens.satisfy(Generation(1)).await, Err(failure));

    // Another run, after the token was renewed by itself.
    let tokens = another(&home, &service);
    header(&tokens).await;
    tokens.note_demanded(claims.clone());
    assert_eq!(tokens.satisfy(Generation(0)).await, Ok(true));
    tokens.renew(Generation(1)).await.unwrap();
    assert_eq!(tokens.satisfy(Generation(2)).await, Ok(true));
    assert_eq!(challenge(), None);
}

#[tokio::test]
async fn a_demand_that_the_service_refuses_is_kept_for_the_next_sign_in() {
    let claims = ClaimsChallenge::parse(CLAIMS).unwrap();
    for (says, wanted, needs_sign_in) in [
        (
            Says::Refused("interaction_required"),
            format!(
                "{UNSATISFIED}; the sign-in service refused to renew the sign-in: interaction_required (Browser)"
            ),
            true,
        ),
        (
            Says::Refused("invalid_request"),
            format!(
                "{UNSATISFIED}; the sign-in service refused to renew the sign-in: invalid_request (Browser)"
            ),
            true,
        ),
        (Says::Unreachable, "the sign-in service cannot be reached: no route (Browser)".to_owned(), false),
    ] {
        let (home, service, tokens) = tokens().await;
        header(&tokens).await;
        tokens.note_demanded(claims.clone());
        service.says(says);
        let failure = tokens.satisfy(Generation(0)).await.unwrap_err();
        assert_eq!(told(&failure), (wanted.as_str(), needs_sign_in));
        let challenge = home.sign_ins().find(&id("a")).unwrap().unwrap().challenge;
        assert_eq!(challenge, needs_sign_in.then(|| claims.clone()));
        assert_eq!(tokens.current().await.unwrap_err(), failure);
        assert_eq!(tokens.renew(Generation(0)).await, Err(failure));
    }
}

/// What is answered one after another; the claims of each request; whether there is a token; what is kept.
#[tokio::test]
async fn what_the_sign_in_service_demands_is_asked_for_once_and_then_kept() {
    const OTHER: &str = r#"{"access_token":{"other":{}}}"#;
    type Case = (&'static [&'static str], &'static [Option<&'static str>], bool, Option<&'static str>);
    let cases: [Case; 3] = [
        (&[], &[None], true, None),
        (&[CLAIMS], &[None, Some(CLAIMS)], true, None),
        (&[CLAIMS, OTHER], &[None, Some(CLAIMS)], false, Some(OTHER)),
    ];
    for (answers, asked, is_there, kept) in cases {
        let (home, service, tokens) = tokens().await;
        answers.iter().for_each(|claims| service.says(Says::Demands(claims)));
        assert_eq!(tokens.current().await.is_ok(), is_there, "{answers:?}");
        let asked: Vec<_> = asked.iter().map(|claims| claims.map(str::to_owned)).collect();
        assert_eq!(service.look(|state| state.claims.clone()), asked);
        let record = home.sign_ins().find(&id("a")).unwrap().unwrap();
        assert_eq!(record.challenge.as_ref().map(ClaimsChallenge::as_str), kept);
    }
}

/// What the API demands gives way to what the sign-in service demands where it is asked for that.
#[tokio::test]
async fn what_is_demanded_last_is_kept() {
    const OTHER: &str = r#"{"access_token":{"other":{}}}"#;
    let (home, service, tokens) = tokens().await;
    header(&tokens).await;
    tokens.note_demanded(ClaimsChallenge::parse(CLAIMS).unwrap());
    service.says(Says::Demands(OTHER));
    assert!(told(&tokens.satisfy(Generation(0)).await.unwrap_err()).1);
    let record = home.sign_ins().find(&id("a")).unwrap().unwrap();
    assert_eq!(record.challenge, ClaimsChallenge::parse(OTHER));
}

#[tokio::test]
async fn tokens_of_another_tenant_end_the_run() {
    let (home, service, tokens) = tokens().await;
    let before = home.files();
    service.says(Says::OtherTenant);
    let failure = tokens.current().await.unwrap_err();
    let wanted = "the sign-in service gave tokens of another tenant: contoso was asked for, and fabrikam came (Browser)";
    assert_eq!(told(&failure), (wanted, true));
    assert_eq!(home.files(), before, "nothing of another tenant's is kept");
}
