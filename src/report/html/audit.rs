//! The migration audit: what legacy PUT payloads come to, and what they would have overwritten.

use askama::Template;

use super::super::audit::{AuditSummary, BytesSummary, FieldCount};
use super::super::format::{counted, grouped};
use super::facts::PageFacts;
use super::words::Percent;
use crate::domain::audit::Class;

/// The most fields that a table lists.
const MOST_FIELDS: usize = 8;

#[derive(Template)]
#[template(path = "audit.html", config = "src/report/html/askama.toml")]
struct Section {
    classes: Vec<ClassLine>,
    tables: Vec<FieldTable>,
    bytes: Option<Bytes>,
}

struct ClassLine {
    name: &'static str,
    payloads: String,
    share: Percent,
    meaning: &'static str,
}

struct FieldTable {
    title: &'static str,
    fields: Vec<FieldLine>,
    /// What is not listed; empty where all are.
    more: String,
}

struct FieldLine {
    name: String,
    payloads: String,
}

struct Bytes {
    payloads: String,
    that: &'static str,
    put: String,
    patch: String,
    saved: String,
}

/// Returns the section; an empty text where the run is no migration.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn audit(facts: &PageFacts<'_>) -> Result<String, askama::Error> {
    let Some(audit) = &facts.summary.audit else { return Ok(String::new()) };
    let AuditSummary { classes, bytes, changed, overwritten, .. } = audit;
    let most = classes.iter().copied().max().unwrap_or(0);
    let class = |(class, payloads): (Class, u64)| ClassLine {
        name: class.name(),
        payloads: grouped(payloads),
        share: Percent::of(payloads, most),
        meaning: class.meaning(),
    };
    let tables = [("would have been overwritten", overwritten), ("changed by patches", changed)];
    let tables = tables.into_iter().filter(|(_, fields)| !fields.is_empty());
    Section {
        classes: Class::ALL.into_iter().zip(*classes).map(class).collect(),
        tables: tables.map(|(title, fields)| table(title, fields, facts)).collect(),
        bytes: told_bytes(*bytes),
    }
    .render()
}

fn table(title: &'static str, fields: &[FieldCount], facts: &PageFacts<'_>) -> FieldTable {
    let line = |field: &FieldCount| FieldLine {
        name: facts.texts.plain(&field.field),
        payloads: grouped(field.payloads),
    };
    let more = fields.len().saturating_sub(MOST_FIELDS) as u64;
    FieldTable {
        title,
        fields: fields.iter().take(MOST_FIELDS).map(line).collect(),
        more: if more > 0 {
            format!("and {} in summary.json", counted(more, "more field"))
        } else {
            String::new()
        },
    }
}

/// Returns what the documents save; `None` where nothing is replaced that was PUT.
fn told_bytes(BytesSummary { payloads, put, patch, saved }: BytesSummary) -> Option<Bytes> {
    let saved = saved? * 100.0;
    let saved = if saved < 0.0 { format!("{:.1} % more", -saved) } else { format!("{} % less", cut(saved)) };
    let that = if payloads == 1 {
        "that gets a PATCH, or needs none, is"
    } else {
        "that get a PATCH, or need none, are"
    };
    Some(Bytes {
        payloads: counted(payloads, "payload"),
        that,
        put: grouped(put),
        patch: grouped(patch),
        saved,
    })
}

/// Returns a share with one decimal, never rounded up.
fn cut(share: f64) -> String {
    format!("{:.1}", (share * 10.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Facts;
    use super::*;
    use crate::domain::account::Phase;

    fn field(name: &str, payloads: u64) -> FieldCount {
        FieldCount { field: name.to_owned(), payloads }
    }

    fn summary() -> AuditSummary {
        AuditSummary {
            payloads: 900,
            classes: [187, 596, 58, 21, 11, 24, 3],
            bytes: BytesSummary { payloads: 783, put: 2_412_806, patch: 96_214, saved: Some(0.9601) },
            changed: vec![field("/details/dealValue", 131), field("/status", 1)],
            overwritten: vec![field("/<b>", 39)],
        }
    }

    fn told(audit: Option<AuditSummary>) -> String {
        let mut facts = Facts::of(Phase::Planned);
        facts.summary.audit = audit;
        super::audit(&facts.facts()).unwrap()
    }

    #[test]
    fn only_a_migration_has_an_audit() {
        assert_eq!(told(None), "");
    }

    #[test]
    fn payloads_by_class_fields_and_bytes() {
        insta::assert_snapshot!(told(Some(summary())), @r#"
        <section class="part" id="audit" aria-labelledby="audit-title">
        <header><h2 id="audit-title" tabindex="-1">Migration audit</h2><p>What the old PUT payloads come to. What stale ones would have overwritten is work of others that their PUTs would have undone, or may have.</p></header>
        <div class="stack"><table class="grid cards"><thead><tr><th scope="col">Class</th><th scope="col" class="n">Payloads</th><th scope="col" class="share">Share</th><th scope="col" class="across">Meaning</th></tr></thead>
        <tbody><tr><th scope="row">no change</th><td class="n" data-th="Payloads">187</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="31.375%" height="10"/></svg></td><td class="across" data-th="Meaning">the referral is so already</td></tr>
        <tr><th scope="row">safe</th><td class="n" data-th="Payloads">596</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="100.000%" height="10"/></svg></td><td class="across" data-th="Meaning">a PATCH carries every difference that is to be sent</td></tr>
        <tr><th scope="row">stale</th><td class="n" data-th="Payloads">58</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="9.731%" height="10"/></svg></td><td class="across" data-th="Meaning">made from another version than the current one, or from an unknown one</td></tr>
        <tr><th scope="row">closed</th><td class="n" data-th="Payloads">21</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="3.523%" height="10"/></svg></td><td class="across" data-th="Meaning">differs, and the referral is closed</td></tr>
        <tr><th scope="row">not expressible</th><td class="n" data-th="Payloads">11</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="1.845%" height="10"/></svg></td><td class="across" data-th="Meaning">differs at a path that is not documented as patchable</td></tr>
        <tr><th scope="row">invalid</th><td class="n" data-th="Payloads">24</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="4.026%" height="10"/></svg></td><td class="across" data-th="Meaning">no referral, against a rule, or a second payload for its referral</td></tr>
        <tr><th scope="row">not compared</th><td class="n" data-th="Payloads">3</td><td class="share" data-th="Share"><svg class="spark" aria-hidden="true"><rect width="0.503%" height="10"/></svg></td><td class="across" data-th="Meaning">there was no referral to compare it with</td></tr>
        </tbody></table>
        <div class="pair"><div><table class="grid"><thead><tr><th scope="col">Field</th><th scope="col" class="n">would have been overwritten</th></tr></thead>
        <tbody><tr><th scope="row"><code>/&#60;b&#62;</code></th><td class="n" data-th="would have been overwritten">39</td></tr>
        </tbody></table></div><div><table class="grid"><thead><tr><th scope="col">Field</th><th scope="col" class="n">changed by patches</th></tr></thead>
        <tbody><tr><th scope="row"><code>/details/dealValue</code></th><td class="n" data-th="changed by patches">131</td></tr>
        <tr><th scope="row"><code>/status</code></th><td class="n" data-th="changed by patches">1</td></tr>
        </tbody></table></div></div>
        <p class="soft">As PUT, 783 payloads that get a PATCH, or need none, are <b>2,412,806 bytes</b>; the patches in their place are <b>96,214</b>, 96.0 % less.</p></div>
        </section>
        "#);
    }

    #[test]
    fn what_is_saved_is_never_more_than_it_is() {
        for (payloads, saved, wanted) in [
            (
                1,
                Some(0.9999),
                "As PUT, 1 payload that gets a PATCH, or needs none, is <b>10 bytes</b>; the patches in their place are <b>1</b>, 99.9 % less.",
            ),
            (
                2,
                Some(0.0),
                "As PUT, 2 payloads that get a PATCH, or need none, are <b>10 bytes</b>; the patches in their place are <b>1</b>, 0.0 % less.",
            ),
            (2, Some(-0.25), "are <b>1</b>, 25.0 % more."),
            (0, None, ""),
        ] {
            let bytes = BytesSummary { payloads, put: 10, patch: 1, saved };
            let told = told(Some(AuditSummary { bytes, ..summary() }));
            assert!(told.contains(wanted), "{told}");
            assert_eq!(told.contains("As PUT"), saved.is_some());
        }
    }

    #[test]
    fn many_fields_are_cut_off_and_told_to_be() {
        let many =
            |count: u64| (0..count).map(|number| field(&format!("/f{number}"), count - number)).collect();
        for (count, wanted) in [
            (8, None),
            (9, Some("and 1 more field in summary.json")),
            (20, Some("and 12 more fields in summary.json")),
        ] {
            let told = told(Some(AuditSummary { changed: many(count), ..summary() }));
            assert!(told.contains("<code>/f7</code>") && !told.contains("<code>/f8</code>"));
            assert_eq!(told.contains("more field"), wanted.is_some());
            assert!(wanted.is_none_or(|wanted| told.contains(wanted)), "{told}");
        }
    }

    #[test]
    fn no_payload_draws_nothing() {
        let told = told(Some(AuditSummary {
            classes: [0; 7],
            changed: Vec::new(),
            overwritten: Vec::new(),
            ..summary()
        }));
        assert_eq!(told.matches("<rect width=\"0.000%\"").count(), 7, "{told}");
    }
}
