//! How a run was decided: planned, approved, consented to, sent. What has not happened yet is told as open.

use super::super::format::counted;
use super::facts::PageFacts;
use super::sent::SentSoFar;
use super::words::{from_to, to_the_second};
use crate::domain::account::Phase;
use crate::domain::approval::{Accounts, Approval};
use crate::domain::consent::{Consent, Way};

/// The most approvals that are told one by one.
const MOST_APPROVALS: usize = 6;

/// One step of the decision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Whether it has not happened yet, or does not count.
    pub(super) is_open: bool,
    pub(super) title: String,
    pub(super) lines: Vec<LinkLine>,
}

/// A line about a step, which may end with a checksum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LinkLine {
    pub(super) text: String,
    pub(super) sha256: Option<Checksum>,
}

/// A checksum, and as much of it as people compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) whole: String,
    pub(super) short: String,
}

impl Checksum {
    /// Takes a checksum in hexadecimal.
    pub(super) fn of(sha256: &str) -> Self {
        const SHORT: usize = 12;
        Self { whole: sha256.to_owned(), short: sha256.chars().take(SHORT).collect() }
    }
}

impl Link {
    fn done(title: impl Into<String>, lines: Vec<LinkLine>) -> Self {
        Self { is_open: false, title: title.into(), lines }
    }

    fn open(title: impl Into<String>, lines: Vec<LinkLine>) -> Self {
        Self { is_open: true, title: title.into(), lines }
    }
}

fn line(text: impl Into<String>) -> LinkLine {
    LinkLine { text: text.into(), sha256: None }
}

fn of_plan(text: &str, sha256: &str) -> LinkLine {
    LinkLine { text: text.to_owned(), sha256: Some(Checksum::of(sha256)) }
}

/// Returns all steps of the decision, in their order.
pub(super) fn chain(facts: &PageFacts<'_>, sent: &SentSoFar) -> Vec<Link> {
    let mut chain = vec![planned(facts)];
    chain.extend(approved(facts));
    chain.push(consented(facts));
    chain.push(carried_out(facts, sent));
    chain
}

fn planned(facts: &PageFacts<'_>) -> Link {
    let created = to_the_second(facts.spec.created);
    match &facts.summary.plan_sha256 {
        Some(sha256) => Link::done("Planned", vec![line(created), of_plan("plan", sha256)]),
        None => Link::open("Not planned to the end", vec![line(format!("begun on {created}"))]),
    }
}

/// Returns the approvals, and that one is missing where one is wanted.
fn approved(facts: &PageFacts<'_>) -> Vec<Link> {
    let sender = facts.consent.map(|consent| &consent.accounts);
    let is_of_plan = |approval: &Approval| facts.summary.plan_sha256.as_ref() == Some(&approval.plan_sha256);
    let is_by_sender = |approval: &Approval| sender.is_some_and(|sender| approval.is_by(sender));
    let counts = |approval: &Approval| is_of_plan(approval) && !is_by_sender(approval);
    let link = |approval: &Approval| {
        let Approval { at, name, accounts, plan_sha256, .. } = approval;
        let account = accounts.service.as_ref().filter(|account| *account != name);
        let mut lines = vec![line(to_the_second(*at)), line(facts.texts.free(name))];
        lines.extend(account.map(|account| line(facts.texts.free(account))));
        if !is_of_plan(approval) {
            lines.push(of_plan("another plan", plan_sha256));
            return Link::open("Approved otherwise", lines);
        }
        lines.push(of_plan("this plan", plan_sha256));
        if is_by_sender(approval) {
            lines.push(line("given by who sends: it does not count"));
            return Link::open("Approved by the sender", lines);
        }
        Link::done("Approved", lines)
    };
    let mut links: Vec<Link> = facts.approvals.iter().take(MOST_APPROVALS).map(link).collect();
    let more = facts.approvals.len().saturating_sub(MOST_APPROVALS);
    if more > 0 {
        links.push(Link::done(counted(more as u64, "more approval"), vec![line("in summary.json")]));
    }
    if facts.spec.requires_approval && !facts.approvals.iter().any(counts) {
        let lines = vec![line("required"), line("of somebody else than who sends")];
        links.push(Link::open("Approval: waiting", lines));
    }
    links
}

fn consented(facts: &PageFacts<'_>) -> Link {
    if let Some(consent) = facts.consent {
        let mut lines = vec![line(to_the_second(consent.at)), line(given(facts, consent))];
        lines.push(of_plan("this plan", &consent.plan_sha256));
        lines.push(line(match consent.closing {
            0 => counted(consent.changing, "change"),
            closing => format!("{}, {}", counted(consent.changing, "change"), counted(closing, "closing")),
        }));
        return Link::done("Consented", lines);
    }
    let (to_change, to_close) =
        (facts.summary.referrals.to_change, facts.summary.referrals.to_close.unwrap_or(0));
    match (facts.phase, to_change) {
        _ if facts.spec.is_rehearsal() => {
            Link::open("No consent needed", vec![line("a rehearsal in the sandbox")])
        }
        (_, Some(0)) => Link::open("No consent needed", vec![line("there is nothing to send")]),
        (Phase::Planning | Phase::Planned, _) => {
            let covers = match (to_change, to_close) {
                (None, _) => None,
                (Some(changes), 0) => Some(counted(changes, "change")),
                (Some(_), closing) => Some(counted(closing, "closing")),
            };
            let covers = covers.map(|what| line(format!("would cover {what}")));
            let asked = line("asked for when it is carried out");
            Link::open("Consent: not given", covers.into_iter().chain([asked]).collect())
        }
        (Phase::Stopped | Phase::Finished, _) => Link::open("Consent: none on record", Vec::new()),
    }
}

/// Returns who consented, and how.
fn given(facts: &PageFacts<'_>, consent: &Consent) -> String {
    let Consent { how, accounts, closing, .. } = consent;
    let who = who(accounts).map(|who| facts.texts.free(&who));
    let way = if how.contains(&Way::Asked) {
        match closing {
            0 => "was asked and agreed".to_owned(),
            _ => "was asked, and typed the number of closings".to_owned(),
        }
    } else if how.contains(&Way::ConfirmClosing) {
        "gave the number of closings beforehand".to_owned()
    } else {
        "agreed beforehand".to_owned()
    };
    format!("{} {way}", who.as_deref().unwrap_or("whoever sends"))
}

/// Returns what the holder of accounts is called.
pub(super) fn who(accounts: &Accounts) -> Option<String> {
    accounts.name().map(str::to_owned).or_else(|| accounts.number())
}

fn carried_out(facts: &PageFacts<'_>, sent: &SentSoFar) -> Link {
    let summary = facts.summary;
    let mut lines: Vec<LinkLine> =
        sent.times().map(|(from, to)| line(from_to(from, to))).into_iter().collect();
    match facts.phase {
        Phase::Planning | Phase::Planned => Link::open("Not sent", Vec::new()),
        Phase::Stopped => {
            lines.push(line(counted(summary.requests.patch, "changing request")));
            lines.push(line(format!("{} not sent", counted(summary.rows.unsent, "row"))));
            Link::open(if sent.times().is_some() { "Sent in part" } else { "Not sent" }, lines)
        }
        Phase::Finished if sent.times().is_none() => {
            Link::done("Nothing to send", vec![line(format!("finished, exit code {}", summary.exit_code))])
        }
        Phase::Finished => {
            lines.push(line(counted(summary.requests.patch, "changing request")));
            lines.push(line(format!("finished, exit code {}", summary.exit_code)));
            Link::done("Sent", lines)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Facts, full};
    use super::*;
    use crate::domain::outcome::Outcome;

    const PLAN: &str = "ab12";

    /// The chain in words; `…` begins what has not happened.
    fn told(facts: &Facts, sent: &SentSoFar) -> Vec<String> {
        let link = |link: Link| {
            let lines = link.lines.into_iter().map(|line| match line.sha256 {
                Some(sha256) => format!("{} {}", line.text, sha256.short),
                None => line.text,
            });
            let open = if link.is_open { "… " } else { "" };
            format!("{open}{}: {}", link.title, lines.collect::<Vec<_>>().join("; "))
        };
        chain(&facts.facts(), sent).into_iter().map(link).collect()
    }

    fn sent() -> SentSoFar {
        let mut sent = SentSoFar::default();
        let mut row = full(1, Outcome::Applied, None);
        row.account.first_sent = Some("2026-12-31T15:02:11Z".parse().unwrap());
        row.account.at = Some("2026-12-31T15:07:28Z".parse().unwrap());
        sent.add(&row);
        sent
    }

    fn accounts(service: &str) -> Accounts {
        let service = (!service.is_empty()).then(|| service.to_owned());
        Accounts { service, machine: Some("ops".to_owned()), user: Some(1_000) }
    }

    fn consent(how: &[Way], closing: u64) -> Consent {
        Consent {
            at: "2026-12-31T15:02:09Z".parse().unwrap(),
            how: how.iter().copied().collect(),
            plan_sha256: PLAN.to_owned(),
            changing: 10,
            closing,
            target: "https://api.partner.example.com/v1.0".to_owned(),
            user: Some(1_000),
            accounts: accounts("mara@partner.example.com"),
        }
    }

    fn approval(name: &str, service: &str, plan: &str) -> Approval {
        Approval {
            at: "2026-12-31T14:52:40Z".parse().unwrap(),
            name: name.to_owned(),
            accounts: accounts(service),
            plan_sha256: plan.to_owned(),
            changing: 10,
            closing: 8,
        }
    }

    const PLANNED: &str = "Planned: 31 Dec 2026, 14:31:05 UTC; plan ab12";

    #[test]
    fn each_phase_has_come_so_far() {
        let mut planning = Facts::of(Phase::Planning);
        planning.summary.plan_sha256 = None;
        planning.summary.referrals.to_change = None;
        planning.summary.referrals.to_close = None;
        assert_eq!(
            told(&planning, &SentSoFar::default()),
            [
                "… Not planned to the end: begun on 31 Dec 2026, 14:31:05 UTC",
                "… Consent: not given: asked for when it is carried out",
                "… Not sent: ",
            ]
        );
        assert_eq!(
            told(&Facts::of(Phase::Planned), &SentSoFar::default()),
            [
                PLANNED,
                "… Consent: not given: would cover 8 closings; asked for when it is carried out",
                "… Not sent: "
            ]
        );
        let mut stopped = Facts::of(Phase::Stopped).with(&[(Outcome::Applied, 3), (Outcome::Unsent, 1)]);
        stopped.consent = Some(consent(&[Way::Asked], 8));
        let consented = "Consented: 31 Dec 2026, 15:02:09 UTC; m•••@partner.example.com was asked, and typed the number of \
                         closings; this plan ab12; 10 changes, 8 closings";
        let times = "31 Dec 2026, 15:02:11 to 15:07:28 UTC; 10 changing requests";
        assert_eq!(
            told(&stopped, &sent()),
            [PLANNED, consented, &format!("… Sent in part: {times}; 1 row not sent")]
        );
        let mut finished = Facts::of(Phase::Finished);
        finished.consent = stopped.consent;
        finished.summary.exit_code = 3;
        assert_eq!(
            told(&finished, &sent()),
            [PLANNED, consented, &format!("Sent: {times}; finished, exit code 3")]
        );
    }

    #[test]
    fn consent_is_told_as_it_was_given() {
        let mut facts = Facts::of(Phase::Finished);
        for (how, closing, wanted) in [
            (
                &[Way::Asked][..],
                0,
                "m•••@partner.example.com was asked and agreed; this plan ab12; 10 changes",
            ),
            (&[Way::Yes], 0, "m•••@partner.example.com agreed beforehand; this plan ab12; 10 changes"),
            (
                &[Way::Yes, Way::ConfirmClosing],
                1,
                "m•••@partner.example.com gave the number of closings beforehand; this plan ab12; 10 changes, 1 closing",
            ),
        ] {
            facts.consent = Some(consent(how, closing));
            let wanted = format!("Consented: 31 Dec 2026, 15:02:09 UTC; {wanted}");
            assert_eq!(told(&facts, &sent())[1], wanted);
        }
        let nobody = Accounts::default();
        facts.consent = Some(Consent { accounts: nobody, ..consent(&[Way::Yes], 0) });
        assert!(told(&facts, &sent())[1].contains("; whoever sends agreed beforehand; "));
    }

    #[test]
    fn no_consent_is_told_for_what_it_is() {
        let none_on_record = "… Consent: none on record: ";
        for (phase, target, to_change, wanted) in [
            (Phase::Finished, "sandbox", 10, "… No consent needed: a rehearsal in the sandbox"),
            (Phase::Planned, "sandbox=a.jsonl", 10, "… No consent needed: a rehearsal in the sandbox"),
            (Phase::Finished, "https://x.example.com", 0, "… No consent needed: there is nothing to send"),
            (Phase::Planned, "https://x.example.com", 0, "… No consent needed: there is nothing to send"),
            (Phase::Finished, "https://x.example.com", 10, none_on_record),
            (Phase::Stopped, "https://sandbox.example.com", 10, none_on_record),
        ] {
            let mut facts = Facts::of(phase);
            facts.spec.target = target.to_owned();
            facts.summary.referrals.to_change = Some(to_change);
            assert_eq!(told(&facts, &SentSoFar::default())[1], wanted, "{phase:?} {target}");
        }
    }

    #[test]
    fn approvals_are_told_where_one_is_wanted_or_given() {
        const WAITING: &str = "… Approval: waiting: required; of somebody else than who sends";
        let masked = |text: &str| text.replace("mara@", "m•••@").replace("tomas@", "t•••@");
        let by = |who: &str| format!("31 Dec 2026, 14:52:40 UTC; {}", masked(who));
        let (mara, tomas) = ("mara@partner.example.com", "tomas@partner.example.com");
        let counting = approval("Tomás", tomas, PLAN);
        let told_counting = format!("Approved: {}; this plan ab12", by(&format!("Tomás; {tomas}")));
        let own = approval(mara, mara, PLAN);
        let told_own = format!(
            "… Approved by the sender: {}; this plan ab12; given by who sends: it does not count",
            by(mara)
        );
        let other = approval(tomas, tomas, "cd34");
        let told_other = format!("… Approved otherwise: {}; another plan cd34", by(tomas));
        for (requires, approvals, wanted) in [
            (false, vec![], vec![]),
            (true, vec![], vec![WAITING.to_owned()]),
            (false, vec![counting.clone()], vec![told_counting.clone()]),
            (true, vec![counting.clone()], vec![told_counting.clone()]),
            (true, vec![other.clone()], vec![told_other.clone(), WAITING.to_owned()]),
            (true, vec![own.clone()], vec![told_own.clone(), WAITING.to_owned()]),
            (true, vec![other, own, counting], vec![told_other, told_own, told_counting]),
        ] {
            let mut facts = Facts::of(Phase::Finished);
            facts.consent = Some(consent(&[Way::Yes], 8));
            facts.spec.requires_approval = requires;
            facts.approvals = approvals;
            let chain = told(&facts, &sent());
            assert_eq!(chain[1..chain.len() - 2], wanted);
        }
    }

    #[test]
    fn many_approvals_are_not_told_one_by_one() {
        let mut facts = Facts::of(Phase::Planned);
        facts.approvals = (0..9).map(|number| approval(&format!("P{number}"), "", PLAN)).collect();
        let chain = told(&facts, &SentSoFar::default());
        assert_eq!((chain.len(), chain[7].as_str()), (10, "3 more approvals: in summary.json"));
    }
}
