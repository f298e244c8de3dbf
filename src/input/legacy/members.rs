//! The members that say what a payload is about: id, eTag, status and substatus.

use super::member::{PayloadMember, is_blank, take_from_request};
use super::normalise::{status_of, substatus_of};
use super::payload::PayloadReader;
use super::piece::PayloadLocator;
use crate::domain::change::Located;
use crate::domain::excerpt::{excerpt, excerpt_json};
use crate::domain::finding::Location;
use crate::domain::json;
use crate::domain::referral::{ETag, ETagError, ReferralId};
use crate::domain::rules::Rule;
use crate::domain::suspect;

impl PayloadReader<'_> {
    /// Replaces the numbers that old exports write for status and substatus by their names.
    pub fn read_numbers(&mut self, at: &PayloadLocator<'_>, list: &mut [PayloadMember<'_>]) {
        type NumberTable = fn(&str) -> Option<&'static str>;
        const SUBSTATUSES: &str = "1 Pending, 2 Received, 3 Accepted, 4 Won, 5 Lost, 6 Declined, 7 Expired";
        let tables: [(&str, NumberTable, &str); 2] =
            [("status", status_of, "1 New, 2 Active, 3 Closed"), ("substatus", substatus_of, SUBSTATUSES)];
        for (name, word_of, known) in tables {
            let Some(member) = list.iter_mut().find(|member| member.name == name) else { continue };
            let text = member.value.get();
            match text.as_bytes()[0] {
                b'0'..=b'9' | b'-' => match word_of(text) {
                    Some(word) => {
                        member.replacement = Some(json::raw(word));
                        let message = format!("{name} {text} is read as {word}");
                        self.warn(Rule::LegacyNumber, at.of(member.value), message);
                    }
                    None => {
                        let message = format!("{} is no {name}", excerpt_json(member.value));
                        self.deny(Rule::Type, at.of(member.value), message, format!("known are {known}"));
                    }
                },
                b'"' if json::string(member.value).is_some_and(|text| text.eq_ignore_ascii_case("none")) => {
                    let message = format!("None is no {name} that a referral can have");
                    self.deny(Rule::Type, at.of(member.value), message, "leave it out to leave it as it is");
                }
                b'"' | b'n' => {}
                _ => {
                    let message = format!("{name}: {} is no JSON string", excerpt_json(member.value));
                    self.deny(Rule::Type, at.of(member.value), message, "put it in quotes");
                }
            }
        }
    }

    /// Returns the referral that the payload is about: its own id, which must be the one in the URL of its
    /// request; or else that one.
    pub fn identity(
        &mut self,
        at: &PayloadLocator<'_>,
        list: &mut Vec<PayloadMember<'_>>,
    ) -> Option<ReferralId> {
        let addressed = self.request.and_then(|request| request.id);
        let given = list.iter().find(|member| member.name == "id" && !json::is_null(member.value));
        let Some(given) = given else {
            match addressed {
                Some(id) => {
                    let message = "the payload has no id: the one in the URL is taken";
                    self.warn(Rule::LegacyHeader, self.place, message.to_owned());
                    take_from_request(list, "id", json::raw(&id));
                }
                None => self.refuse_missing_id(at, list),
            }
            return addressed;
        };
        let place = at.of(given.value);
        let Some(text) = json::string(given.value) else {
            let message = format!("the id {} is no JSON string", excerpt_json(given.value));
            self.deny(Rule::Id, place, message, "give the referral's GUID in quotes");
            return None;
        };
        let parsed = text.parse::<ReferralId>().map_err(|error| error.to_string());
        let id = match parsed {
            Ok(id) if !text.contains("://") => id,
            told => {
                let told = told.err().unwrap_or_else(|| format!("{} is no GUID", excerpt(&text)));
                self.deny(Rule::Id, place, told, "a referral's id is a GUID");
                return None;
            }
        };
        match addressed {
            Some(addressed) if addressed != id => {
                let message = format!("the id is not the one in the URL, which is {addressed}");
                self.deny(Rule::Id, place, message, "correct the one that is wrong");
            }
            _ => self.id = Some(id),
        }
        Some(id)
    }

    /// Adds the finding that the payload names no referral.
    fn refuse_missing_id(&mut self, at: &PayloadLocator<'_>, list: &[PayloadMember<'_>]) {
        // A request without an id in its URL has a finding for that already.
        if self.request.is_some() {
            return;
        }
        match list.iter().find(|member| member.name == "engagementId") {
            Some(engagement) => self.deny(
                Rule::Id,
                at.of(engagement.value),
                "engagementId is not the referral's id, and there is no id",
                "several referrals can share one engagement: give the referral's own id",
            ),
            None => {
                self.deny(
                    Rule::Id,
                    at.at(0),
                    "the payload names no referral",
                    "give the referral's GUID as id",
                );
            }
        }
    }

    /// Returns the eTag of the version that the payload was made from: its own, or else the one that its
    /// request is bound to.
    pub fn version(
        &mut self,
        at: &PayloadLocator<'_>,
        list: &mut Vec<PayloadMember<'_>>,
    ) -> Option<Located<ETag>> {
        let given = list.iter().find(|member| member.name == "eTag" && !is_blank(member.value));
        let own = given.and_then(|member| {
            let place = at.of(member.value);
            match json::string(member.value) {
                Some(text) => self.etag("eTag", &text, place),
                None => {
                    let message = format!("eTag: {} is no JSON string", excerpt_json(member.value));
                    self.deny(Rule::Type, place, message, "copy the eTag as the service gave it");
                    None
                }
            }
        });
        let is_given = given.is_some();
        let Some(header) = self.request.and_then(|request| request.if_match.as_ref()) else { return own };
        let Some(bound) = self.etag("If-Match", &header.value, header.place) else { return own };
        match &own {
            Some(own) if own.value != bound.value => {
                let message = format!(
                    "If-Match is {}, and the body's eTag {}",
                    excerpt(bound.value.as_str().trim_matches('"')),
                    excerpt(own.value.as_str().trim_matches('"')),
                );
                self.deny(
                    Rule::Request,
                    header.place,
                    message,
                    "keep the one that the payload was made from",
                );
            }
            None if !is_given => {
                let message = "the payload has no eTag: the one in If-Match is taken";
                self.warn(Rule::LegacyHeader, header.place, message.to_owned());
                take_from_request(list, "eTag", json::raw(&bound.value));
                return Some(bound);
            }
            _ => {}
        }
        own
    }

    /// Reads an eTag, which may have lost its quotes.
    fn etag(&mut self, name: &str, text: &str, place: Location) -> Option<Located<ETag>> {
        if let Some(hint) = suspect::remedy(text) {
            self.deny(Rule::Type, place, format!("{name}: {} is no eTag", excerpt(text)), hint);
            return None;
        }
        match ETag::from_input(text) {
            Ok(value) => return Some(Located { value, place }),
            Err(ETagError::Any) => {
                self.warn(
                    Rule::LegacyHeader,
                    place,
                    format!("{name}: * stands for any version, and binds to none"),
                );
            }
            Err(error) => {
                let hint = "copy the eTag as the service gave it, or leave it out";
                let message = suspect::with_reason(format!("{name}: {error}"), suspect::oddity(text));
                self.deny(Rule::Type, place, message, hint);
            }
        }
        None
    }
}
