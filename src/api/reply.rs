//! Turns an answer into a [`Reply`], a [`Page`] or a [`Failure`], and reads its headers. Pure.

use std::convert::Infallible;
use std::string::FromUtf8Error;
use std::time::{Duration, SystemTime};

use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;
use httpdate::HttpDate;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use uuid::Uuid;

use super::body::Body;
use super::endpoint::PageLink;
use super::refusal;
use crate::domain::exchange::{Failure, Reply};
use crate::domain::json::{self, Object};
use crate::domain::referral::ETag;

/// An HTTP answer, as it came.
#[derive(Debug, Clone)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    pub(super) etag: Option<ETag>,
    pub(super) retry_after: Option<Duration>,
    /// The errors of `WWW-Authenticate`, where the token was refused.
    pub(super) challenges: Vec<String>,
    pub(super) body: Body,
    pub(super) client_request_id: Uuid,
}

/// One page of the list of referrals.
#[derive(Debug, Clone)]
pub struct Page {
    /// The whole body: a JSON object whose `value` is an array of referrals.
    pub text: String,
    /// The link to the next page; `None` on the last.
    pub next: Option<PageLink>,
    /// The `client-request-id` that was sent.
    pub client_request_id: Uuid,
}

/// Reads the answer to a GET of one referral, whose body is a JSON object.
///
/// # Errors
/// Returns the refusal; [`Failure::NoAnswer`], so that the GET is repeated, where a successful answer holds
/// something else, or an error.
pub(super) fn of_read(answer: RawAnswer) -> Result<Reply, Failure> {
    let answer = accepted(answer)?;
    let status = answer.status;
    // Bytes that are not UTF-8 are not replaced: what is read here may be written back to the service.
    let reply = reply(answer, String::from_utf8)
        .ok()
        .filter(|reply| Object::parse(&reply.body).is_some())
        .ok_or_else(|| no_answer(format!("answered {status} with no referral in it")))?;
    match refusal::error_in(&reply.body) {
        Some(error) => Err(no_answer(format!("answered {status} with an error in it: {error}"))),
        None => Ok(reply),
    }
}

/// Reads the answer to a PATCH. The caller checks whether its body carries the change.
///
/// # Errors
/// Returns the refusal; [`Failure::NoAnswer`] where the body is too long.
pub(super) fn of_write(answer: RawAnswer) -> Result<Reply, Failure> {
    let answer = accepted(answer)?;
    let mended = |error: FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned();
    let Ok(reply) =
        reply(answer, |bytes| Ok::<_, Infallible>(String::from_utf8(bytes).unwrap_or_else(mended)));
    Ok(reply)
}

/// Reads the answer to a GET of the list.
///
/// # Errors
/// Returns the refusal; [`Failure::NoAnswer`] where a successful answer holds no page, or a link that leads
/// nowhere.
pub(super) fn of_list(answer: RawAnswer) -> Result<Page, Failure> {
    let reply = of_read(answer)?;
    let no_page = |what: &str| no_answer(format!("answered {} with {what}", reply.status));
    let members = Object::parse(&reply.body).ok_or_else(|| no_page("no page of referrals in it"))?;
    if !members.get("value").is_some_and(|value| value.get().starts_with('[')) {
        return Err(no_page("no page of referrals in it"));
    }
    let next = match members.get("@odata.nextLink").filter(|link| !json::is_null(link)) {
        None => None,
        // Such a page is not taken for the last one, or referrals would be missing.
        Some(link) => Some(
            json::string(link)
                .and_then(|link| PageLink::of(&link))
                .ok_or_else(|| no_page("a link to the next page that leads nowhere"))?,
        ),
    };
    Ok(Page { next, client_request_id: reply.client_request_id, text: reply.body })
}

/// Returns the longest pause that the `Retry-After` headers of an answer ask for: each of several proxies may
/// have set one. `now` is when the answer was sent, by the service's own clock.
pub(super) fn longest_pause<'a>(texts: impl Iterator<Item = &'a str>, now: Timestamp) -> Option<Duration> {
    texts.flat_map(values).filter_map(|text| retry_after(text, now)).max()
}

/// Splits a header value that several were joined into (RFC 9110, section 5.3). A text with letters is a
/// date, which has a comma of its own, and is not split.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let is_date = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    text.split(move |letter| letter == ',' && !is_date)
}

/// Reads a `Retry-After`: a number of seconds, or a date that is not before `now`.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    Duration::try_from(date(text)?.duration_since(now)).ok()
}

/// Reads a date in one of the three forms of RFC 9110, section 5.6.7, or in a form of mail headers (RFC
/// 2822), with its zone in digits or without the day of the week.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let obsolete = || Timestamp::try_from(SystemTime::from(text.parse::<HttpDate>().ok()?)).ok();
    rfc2822::parse(text).ok().map(|date| date.timestamp()).or_else(obsolete)
}

/// Returns the `error` of each bearer challenge in a `WWW-Authenticate` header: why the token was refused
/// (RFC 9110, section 11.6.1, and RFC 6750, section 3). Challenges after one that cannot be read are left
/// out.
pub(super) fn token_errors(header: &str) -> impl Iterator<Item = String> {
    bearer_challenges(header).filter_map(|challenge| parameter(&challenge, "error"))
}

/// Returns the `claims` of each bearer challenge whose error is that the token lacks some: what the next sign-in
/// is to be asked for, in base64.
pub(super) fn insufficient_claims(header: &str) -> impl Iterator<Item = String> {
    let lacks = |challenge: &ChallengeRef<'_>| {
        parameter(challenge, "error").is_some_and(|error| error.eq_ignore_ascii_case("insufficient_claims"))
    };
    bearer_challenges(header).filter(lacks).filter_map(|challenge| parameter(&challenge, "claims"))
}

fn bearer_challenges(header: &str) -> impl Iterator<Item = ChallengeRef<'_>> {
    let challenges = ChallengeParser::new(header).map_while(Result::ok);
    challenges.filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer"))
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let parameter = challenge.params.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    parameter.map(|(_, value)| value.to_unescaped())
}

/// Returns a successful answer whose body is whole.
fn accepted(answer: RawAnswer) -> Result<RawAnswer, Failure> {
    if !(200..=299).contains(&answer.status) {
        let RawAnswer { status, retry_after, challenges, body, .. } = answer;
        return Err(Failure::Answered(refusal::read(status, &challenges, &body.bytes, retry_after)));
    }
    if let Some(bytes) = answer.body.longer_than {
        return Err(no_answer(format!("answered {} with more than {bytes} bytes", answer.status)));
    }
    Ok(answer)
}

fn reply<E>(answer: RawAnswer, text: impl FnOnce(Vec<u8>) -> Result<String, E>) -> Result<Reply, E> {
    let RawAnswer { status, etag, client_request_id, mut body, .. } = answer;
    // A byte order mark before JSON may be ignored (RFC 8259, section 8.1), which serde_json does not do.
    if body.bytes.starts_with(b"\xef\xbb\xbf") {
        body.bytes.drain(..3);
    }
    Ok(Reply { status, body: text(body.bytes)?, etag, client_request_id })
}

fn no_answer(message: String) -> Failure {
    Failure::NoAnswer { message }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn answer(status: u16, body: &[u8]) -> RawAnswer {
        RawAnswer {
            status,
            etag: None,
            retry_after: None,
            challenges: Vec::new(),
            body: Body { bytes: body.to_vec(), longer_than: None },
            client_request_id: Uuid::nil(),
        }
    }

    fn word<T>(result: Result<T, Failure>) -> String {
        match result {
            Ok(_) => "reply".to_owned(),
            Err(Failure::Answered(_)) => "refusal".to_owned(),
            Err(failure) => failure.message().to_owned(),
        }
    }

    /// Returns the meaning of every status, one line for neighbours that mean the same.
    fn table(classify: impl Fn(RawAnswer) -> String, body: &[u8]) -> String {
        let line = |status: u16| classify(answer(status, body)).replace(&status.to_string(), "N");
        let mut table = String::new();
        let mut first = 100;
        for status in 100..=599 {
            if status == 599 || line(status + 1) != line(first) {
                writeln!(table, "{first}-{status} {}", line(first)).unwrap();
                first = status + 1;
            }
        }
        table
    }

    #[test]
    fn what_every_status_means() {
        const REFERRAL: &[u8] = b"{\"id\":\"x\"}";
        const PAGE: &[u8] = b"{\"value\":[]}";
        let yes = "100-199 refusal\n200-299 reply\n300-599 refusal\n";
        let no_referral = "100-199 refusal\n200-299 answered N with no referral in it\n300-599 refusal\n";
        let no_page =
            "100-199 refusal\n200-299 answered N with no page of referrals in it\n300-599 refusal\n";
        assert_eq!(table(|answer| word(of_read(answer)), REFERRAL), yes);
        assert_eq!(table(|answer| word(of_list(answer)), PAGE), yes);
        assert_eq!(table(|answer| word(of_list(answer)), REFERRAL), no_page);
        for body in [REFERRAL, PAGE, b"", b"<html>", b"{\"id\":", b"[]", b"null", b"{\"a\":\"\xff\"}"] {
            assert_eq!(table(|answer| word(of_write(answer)), body), yes, "{body:?}");
        }
        let error = b"{\"error\":{\"code\":\"Busy\",\"message\":\"try later\"}}";
        let an_error =
            "100-199 refusal\n200-299 answered N with an error in it: Busy: try later\n300-599 refusal\n";
        assert_eq!(table(|answer| word(of_read(answer)), error), an_error);
        assert_eq!(table(|answer| word(of_list(answer)), error), an_error);
        assert_eq!(table(|answer| word(of_write(answer)), error), yes, "the engine tells what it says");
        for body in [&b""[..], b"<html>", b"{\"id\":", b"[]", b"null", b"{} {}", b"{\"a\":\"\xff\"}"] {
            assert_eq!(table(|answer| word(of_read(answer)), body), no_referral, "{body:?}");
            assert_eq!(table(|answer| word(of_list(answer)), body), no_referral, "{body:?}");
        }
    }

    #[test]
    fn a_reply_is_what_came() {
        let mut came = answer(200, "\u{feff}{\"a\":\"é\"}".as_bytes());
        came.etag = ETag::from_service("\"v2\"").ok();
        let reply = of_read(came).unwrap();
        assert_eq!(reply.body, "{\"a\":\"é\"}");
        assert_eq!(reply.etag.unwrap().as_str(), "\"v2\"");
        assert_eq!(of_write(answer(204, b"")).unwrap().body, "");
        assert_eq!(of_write(answer(200, b"\xffok")).unwrap().body, "\u{fffd}ok");
    }

    #[test]
    fn half_a_body_is_no_answer_but_a_refusal_stays_one() {
        let cut = |status| {
            let mut cut = answer(status, b"{}");
            cut.body.longer_than = Some(2);
            cut
        };
        assert_eq!(word(of_write(cut(200))), "answered 200 with more than 2 bytes");
        assert_eq!(word(of_read(cut(200))), "answered 200 with more than 2 bytes");
        assert_eq!(word(of_write(cut(412))), "refusal");
    }

    #[test]
    fn pages_lead_to_the_next_or_say_that_they_are_the_last() {
        let lost = "answered 200 with a link to the next page that leads nowhere";
        for (link, wanted) in [
            ("", Ok(None)),
            (r#","@odata.nextLink":null"#, Ok(None)),
            (r#","@odata.nextLink":"http://x/y?$skip=1&\u0061=2""#, Ok(PageLink::of("?$skip=1&a=2"))),
            (r#","@odata.nextLink":"http://x/y""#, Err(lost)),
            (r#","@odata.nextLink":"""#, Err(lost)),
            (r#","@odata.nextLink":7"#, Err(lost)),
        ] {
            let body = format!(r#"{{"value":[{{}}],"@odata.count":1{link}}}"#);
            let page = of_list(answer(200, body.as_bytes()));
            let got = page.as_ref().map(|page| page.next.clone()).map_err(Failure::message);
            assert_eq!(got, wanted, "{link}");
            if let Ok(page) = page {
                assert_eq!(page.text, body);
            }
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (text, wanted) in [
            ("120", seconds(120)),
            (" 0 ", seconds(0)),
            ("18446744073709551615", seconds(u64::MAX)),
            ("99999999999999999999999999", Some(Duration::MAX)),
            ("Sun, 01 Mar 2026 12:00:30 GMT", seconds(30)),
            ("Sunday, 01-Mar-26 12:00:30 GMT", seconds(30)),
            ("Sun Mar  1 12:00:30 2026", seconds(30)),
            ("01 Mar 2026 13:00:30 +0100", seconds(30)),
            ("Sunday, 01-Mar-26 11:59:59 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Monday, 01-Mar-26 12:00:30 GMT", None),
            ("Sunday, 01-Mar-26 12:00:30", None),
            ("Sun Mar 31 12:00:30 20260", None),
            ("Mon Feb 30 12:00:30 2026", None),
            ("Sun, 01 Mar 2026 12:00:00 GMT", seconds(0)),
            ("Wed, 29 Dec 9999 00:00:00 GMT", seconds(251629675200)),
            ("Fri Dec 31 23:59:59 9999", None),
            ("Sun, 01 Mar 2026 11:59:59 GMT", None),
            ("Mon, 01 Mar 2026 12:00:30 GMT", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e9", None),
            ("", None),
            ("soon", None),
            ("2026-03-01T12:00:30Z", None),
        ] {
            assert_eq!(retry_after(text, now), wanted, "{text}");
        }
    }

    #[test]
    fn of_several_pauses_the_longest_counts() {
        const DATE: &str = "Sun, 01 Mar 2026 12:00:30 GMT";
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (texts, wanted) in [
            (&[][..], None),
            (&["0"], Some(0)),
            (&["5", "20", "7"], Some(20)),
            (&["5, 20"], Some(20)),
            (&["20 ,5", "6"], Some(20)),
            (&["5,"], Some(5)),
            (&["5", DATE], Some(30)),
            (&["99", DATE], Some(99)),
            (&["never", "-4", "3"], Some(3)),
            (&["never"], None),
        ] {
            let got = longest_pause(texts.iter().copied(), now);
            assert_eq!(got, wanted.map(Duration::from_secs), "{texts:?}");
        }
    }

    #[test]
    fn the_errors_of_bearer_challenges_are_read() {
        for (header, wanted) in [
            (
                r#"Bearer realm="", authorization_uri="https://login.example.com/", client_id="0000", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#,
                &["insufficient_claims"][..],
            ),
            (r#"bearer ERROR="insufficient_claims""#, &["insufficient_claims"]),
            ("Bearer error=insufficient_claims", &["insufficient_claims"]),
            (r#"Bearer error = "insufficient\_claims" , claims = x"#, &["insufficient_claims"]),
            (r#"Bearer claims="error=\"no\", x", error="yes""#, &["yes"]),
            (r#"Basic realm="a", Bearer error="yes", Bearer, Bearer error="too""#, &["yes", "too"]),
            (r#"Bearer error="first", error="second""#, &["first"]),
            (r#"Bearer error="yes", Negotiate TlRMTVNTUAAB=="#, &["yes"]),
            (r#"Basic error="insufficient_claims""#, &[]),
            (r#"Bearer error_description="insufficient_claims""#, &[]),
            (r#"Bearer realm="error=insufficient_claims""#, &[]),
            ("Bearer", &[]),
            ("", &[]),
            ("insufficient_claims", &[]),
            (r#"Bearer error="insufficient_claims"#, &[]),
            (r#"Bearer realm="é", error="insufficient_claims""#, &[]),
            ("Bearer error=\"a\"\u{7f}", &[]),
        ] {
            assert_eq!(token_errors(header).collect::<Vec<_>>(), wanted, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_taken(header in r#"(Bearer|x)? ?([a-z]{0,5}=?"?[\\ -~]{0,5}"?,? ?){0,5}"#, other in ".{0,40}") {
            let _ = (token_errors(&header).count(), token_errors(&other).count());
        }

        #[test]
        fn any_answer_is_taken(
            status in 100_u16..600,
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            header in ".{0,40}",
        ) {
            let came = answer(status, &body);
            let _ = (of_read(came.clone()), of_write(came.clone()), of_list(came));
            let _ = longest_pause([header.as_str()].into_iter(), Timestamp::UNIX_EPOCH);
        }
    }
}
