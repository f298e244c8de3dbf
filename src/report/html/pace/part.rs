//! The part of the page that tells of a run's pace.

use askama::Template;

use super::over_time::OverTime;
use super::sums::PaceSums;
use super::took::Took;
use super::totals::Totals;
use crate::domain::attempt::PaceRecord;
use crate::report::html::facts::PageFacts;

/// How fast a run went: its changes over time, what interrupted them, and how long answers took. What it keeps doesn't
/// grow with the number of changes.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    sums: PaceSums,
}

impl Pace {
    /// Adds the next attempt or wait on record.
    pub fn add(&mut self, record: PaceRecord) {
        self.sums.add(record);
    }

    /// Returns the part of the page; nothing where no change was sent.
    ///
    /// # Errors
    /// Where the template can't be rendered.
    pub fn html(&self, facts: &PageFacts<'_>) -> askama::Result<String> {
        match OverTime::of(&self.sums) {
            None => Ok(String::new()),
            Some(over_time) => PacePart {
                totals: Totals::of(facts.summary),
                over_time: over_time.render()?,
                took: Took::of(&self.sums.latency, self.sums.unanswered).render()?,
            }
            .render(),
        }
    }
}

/// The part of the page.
#[derive(Template)]
#[template(path = "pace/part.html", config = "src/report/html/askama.toml")]
struct PacePart {
    totals: Totals,
    /// A chart that another template rendered, as is the next.
    over_time: String,
    took: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{BEGUN, attempt, waited};
    use super::*;
    use crate::domain::account::Phase;
    use crate::report::html::testing::Facts;

    fn pace(records: &[PaceRecord]) -> Pace {
        let mut pace = Pace::default();
        records.iter().for_each(|record| pace.add(*record));
        pace
    }

    fn html(records: &[PaceRecord]) -> String {
        pace(records).html(&Facts::of(Phase::Finished).facts()).unwrap()
    }

    #[test]
    fn a_run_with_a_pause_and_a_time_in_which_it_was_held_back() {
        let mut records: Vec<PaceRecord> =
            (0..20).map(|number| attempt(number * 500, 180 + number * 4, 200)).collect();
        records.push(attempt(10_000, 40, 429));
        records.push(attempt(10_060, 40, 429));
        // Two requests waited for the same pause, and then each for its turn.
        records.push(waited(22_500, [400, 12_000, 0, 0]));
        records.push(waited(23_000, [900, 11_000, 0, 0]));
        records.extend((0..10).map(|number| attempt(22_500 + number * 500, 210, 200)));
        records.push(waited(43_000, [0, 0, 15_000, 500]));
        records.push(attempt(43_000, 0, 0));
        records.push(attempt(43_500, 1_104, 200));
        insta::assert_snapshot!(html(&records), @r##"
        <section class="part" id="pace" aria-labelledby="pace-title">
        <header><h2 id="pace-title" tabindex="-1">Pace</h2><p>Times are UTC. Drawn are the changes sent, which are on record one by one. Not drawn: 1 read and 1 list page. Planning and sending took 5.1 s; of that, requests waited 4.2 s for the rate.</p></header>
        <div class="stack"><div class="charts"><figure><h3>Changes sent over time</h3><figcaption>34 changes in 45 s; 2 of them throttled (429); at most 2 a second.</figcaption>
        <svg class="chart" role="img" aria-label="Changes sent a second from 15:30:00 to 15:30:44: 34 changes in 45 s; 2 of them throttled (429); at most 2 a second, 2 interruptions." height="184"><line class="base" x1="0" x2="100%" y1="160" y2="160"/><line class="rule" x1="0" x2="100%" y1="100" y2="100"/><text x="0" y="95">1</text><line class="rule" x1="0" x2="100%" y1="40" y2="40"/><text x="0" y="35">2 a second</text><rect class="pause" x="22.44%" width="26.67%" y="40" height="120"/><rect class="held" x="62.22%" width="33.33%" y="40" height="120"/><svg x="0.00%" y="40" width="100.00%" height="120" viewBox="0 0 45 2" preserveAspectRatio="none"><path class="area" d="M0 2V0H1V0H2V0H3V0H4V0H5V0H6V0H7V0H8V0H9V0H10V2H11V2H22V1H23V0H24V0H25V0H26V0H27V1H28V2H43V0H44V2H45V2z"/><path class="edge" d="M0 2V0H1V0H2V0H3V0H4V0H5V0H6V0H7V0H8V0H9V0H10V2H11V2H22V1H23V0H24V0H25V0H26V0H27V1H28V2H43V0H44V2H45"/><rect class="throttled" x="10" width="1" y="0" height="2"/></svg><svg x="35.77%" y="11" overflow="visible"><path class="base" d="M0 9V29"/><circle class="badge" r="9"/><text class="badge-text" y="4">1</text></svg><svg x="78.88%" y="11" overflow="visible"><path class="base" d="M0 9V29"/><circle class="badge" r="9"/><text class="badge-text" y="4">2</text></svg><line class="base" x1="22.22%" x2="22.22%" y1="160" y2="165"/><text x="22.22%" y="178" text-anchor="middle">15:30:10</text><line class="base" x1="44.44%" x2="44.44%" y1="160" y2="165"/><text x="44.44%" y="178" text-anchor="middle">15:30:20</text><line class="base" x1="66.66%" x2="66.66%" y1="160" y2="165"/><text x="66.66%" y="178" text-anchor="middle">15:30:30</text><line class="base" x1="88.88%" x2="88.88%" y1="160" y2="165"/><text x="88.88%" y="178" text-anchor="middle">15:30:40</text></svg>
        <ul class="key"><li><svg aria-hidden="true"><rect class="k-sent" x=".5" y=".5" width="13" height="11"/></svg>sent</li><li><svg aria-hidden="true"><rect class="k-throttled" width="14" height="12"/></svg>throttled (429)</li><li><svg aria-hidden="true"><rect class="pause" width="14" height="12"/></svg>pause that the service asked for</li><li><svg aria-hidden="true"><rect class="held" width="14" height="12"/></svg>held back</li></ul><ol class="marks"><li><b>1</b><span>15:30:10, 12 s: the service asked for a pause, and requests waited.</span></li><li><b>2</b><span>15:30:28, 15 s: requests were held back, since one after another had failed.</span></li></ol>
        <details><summary>By the minute</summary><table class="grid"><thead><tr><th scope="col">Minute (UTC)</th><th scope="col" class="n">Sent</th><th scope="col" class="n">Throttled</th></tr></thead>
        <tbody><tr><th scope="row">15:30</th><td class="n" data-th="Sent">34</td><td class="n" data-th="Throttled">2</td></tr>
        </tbody></table></details></figure>
        <figure><h3>How long answers took</h3><figcaption>33 answers in ms, in widening classes; of 1 more it is not known.</figcaption>
        <svg class="chart" role="img" aria-label="How long 33 answers took: median 210 ms, 90 % 248 ms and slowest 1.10 s." height="184"><rect class="column" x="0.40%" width="6.89%" y="150.1" height="9.9"><title>0–50 ms: 2</title></rect><rect class="column" x="23.47%" width="6.89%" y="135.3" height="24.7"><title>150–200 ms: 5</title></rect><rect class="column" x="31.16%" width="6.90%" y="46.0" height="114.0"><title>200–250 ms: 23</title></rect><rect class="column" x="38.86%" width="6.89%" y="150.1" height="9.9"><title>250–300 ms: 2</title></rect><rect class="column" x="77.32%" width="6.89%" y="155.1" height="4.9"><title>1,000–2,000 ms: 1</title></rect><line class="base" x1="0" x2="100%" y1="160" y2="160"/><line class="base" x1="15.38%" x2="15.38%" y1="160" y2="165"/><text x="15.38%" y="178" text-anchor="middle">100</text><line class="base" x1="30.76%" x2="30.76%" y1="160" y2="165"/><text x="30.76%" y="178" text-anchor="middle">200</text><line class="base" x1="46.15%" x2="46.15%" y1="160" y2="165"/><text x="46.15%" y="178" text-anchor="middle">300</text><line class="base" x1="61.53%" x2="61.53%" y1="160" y2="165"/><text x="61.53%" y="178" text-anchor="middle">500</text><line class="base" x1="76.92%" x2="76.92%" y1="160" y2="165"/><text x="76.92%" y="178" text-anchor="middle">1 s</text><line class="base" x1="92.30%" x2="92.30%" y1="160" y2="165"/><text x="92.30%" y="178" text-anchor="middle">4 s</text><line class="mark" x1="32.30%" x2="32.30%" y1="36" y2="160"/><text class="mark-text" x="32.30%" y="30" text-anchor="middle">median</text></svg>
        <dl class="figures"><div><dt>median</dt><dd>210 ms</dd></div><div><dt>90 %</dt><dd>248 ms</dd></div><div><dt>slowest</dt><dd>1.10 s</dd></div></dl>
        <details><summary>By class</summary><table class="grid"><thead><tr><th scope="col">Took</th><th scope="col" class="n">Answers</th></tr></thead>
        <tbody><tr><th scope="row">0–50 ms</th><td class="n" data-th="Answers">2</td></tr>
        <tr><th scope="row">150–200 ms</th><td class="n" data-th="Answers">5</td></tr>
        <tr><th scope="row">200–250 ms</th><td class="n" data-th="Answers">23</td></tr>
        <tr><th scope="row">250–300 ms</th><td class="n" data-th="Answers">2</td></tr>
        <tr><th scope="row">1,000–2,000 ms</th><td class="n" data-th="Answers">1</td></tr>
        </tbody></table></details></figure></div></div>
        </section>
        "##);
    }

    #[test]
    fn a_run_that_was_carried_on_with_a_day_later_has_two_sessions() {
        let day = 86_400_000;
        let records: Vec<PaceRecord> = (0..120)
            .map(|number| attempt(number * 1_000, 200, 200))
            .chain((0..60).map(|number| attempt(day + number * 1_000, 200, 200)))
            .collect();
        let page = html(&records);
        insta::assert_snapshot!(page, @r##"
        <section class="part" id="pace" aria-labelledby="pace-title">
        <header><h2 id="pace-title" tabindex="-1">Pace</h2><p>Times are UTC. Drawn are the changes sent, which are on record one by one. Not drawn: 1 read and 1 list page. Planning and sending took 5.1 s; of that, requests waited 4.2 s for the rate.</p></header>
        <div class="stack"><div class="charts"><figure><h3>Changes sent over time</h3><figcaption>180 changes in 24 h 1 min, with 1 break of 23 h 58 min; at most 1 a second over 5 s.</figcaption>
        <svg class="chart" role="img" aria-label="Changes sent a second from 31 Dec, 15:30:00 to 1 Jan, 15:30:59: 180 changes in 24 h 1 min, with 1 break of 23 h 58 min; at most 1 a second over 5 s, 0 interruptions." height="184"><line class="base" x1="0" x2="100%" y1="160" y2="160"/><line class="rule" x1="0" x2="100%" y1="100" y2="100"/><text x="0" y="95">1</text><line class="rule" x1="0" x2="100%" y1="40" y2="40"/><text x="0" y="35">2 a second</text><svg x="0.00%" y="40" width="65.00%" height="120" viewBox="0 0 120 10" preserveAspectRatio="none"><path class="area" d="M0 10V5H5V5H10V5H15V5H20V5H25V5H30V5H35V5H40V5H45V5H50V5H55V5H60V5H65V5H70V5H75V5H80V5H85V5H90V5H95V5H100V5H105V5H110V5H115V5H120V10z"/><path class="edge" d="M0 10V5H5V5H10V5H15V5H20V5H25V5H30V5H35V5H40V5H45V5H50V5H55V5H60V5H65V5H70V5H75V5H80V5H85V5H90V5H95V5H100V5H105V5H110V5H115V5H120"/></svg><svg x="67.50%" y="40" width="32.50%" height="120" viewBox="0 0 60 10" preserveAspectRatio="none"><path class="area" d="M0 10V5H5V5H10V5H15V5H20V5H25V5H30V5H35V5H40V5H45V5H50V5H55V5H60V10z"/><path class="edge" d="M0 10V5H5V5H10V5H15V5H20V5H25V5H30V5H35V5H40V5H45V5H50V5H55V5H60"/></svg><svg x="66.25%" y="160" overflow="visible"><path class="base" d="M-5 5L-1 -5M1 5L5 -5"/></svg><line class="base" x1="0.00%" x2="0.00%" y1="160" y2="165"/><text x="0.00%" y="178" text-anchor="start">31 Dec, 15:30</text><line class="base" x1="32.50%" x2="32.50%" y1="160" y2="165"/><text x="32.50%" y="178" text-anchor="middle">15:31:00</text><line class="base" x1="48.75%" x2="48.75%" y1="160" y2="165"/><text x="48.75%" y="178" text-anchor="middle">15:31:30</text><line class="base" x1="67.50%" x2="67.50%" y1="160" y2="165"/><text x="67.50%" y="178" text-anchor="start">1 Jan, 15:30</text></svg>
        <ul class="key"><li><svg aria-hidden="true"><rect class="k-sent" x=".5" y=".5" width="13" height="11"/></svg>sent</li><li><svg aria-hidden="true"><path class="hatch" d="M3 11L7 1M8 11L12 1"/></svg>break</li></ul><ol class="marks"><li><b>//</b><span>from 31 Dec, 15:32:00 to 1 Jan, 15:30:00, 23 h 58 min: nothing was sent.</span></li></ol>
        <details><summary>By the minute</summary><table class="grid"><thead><tr><th scope="col">Minute (UTC)</th><th scope="col" class="n">Sent</th><th scope="col" class="n">Throttled</th></tr></thead>
        <tbody><tr><th scope="row">31 Dec, 15:30</th><td class="n" data-th="Sent">60</td><td class="n" data-th="Throttled">0</td></tr>
        <tr><th scope="row">31 Dec, 15:31</th><td class="n" data-th="Sent">60</td><td class="n" data-th="Throttled">0</td></tr>
        <tr><th scope="row">1 Jan, 15:30</th><td class="n" data-th="Sent">60</td><td class="n" data-th="Throttled">0</td></tr>
        </tbody></table></details></figure>
        <figure><h3>How long answers took</h3><figcaption>180 answers in ms, in widening classes.</figcaption>
        <svg class="chart" role="img" aria-label="How long 180 answers took: median 200 ms, 90 % 200 ms, 99 % 200 ms and slowest 200 ms." height="184"><rect class="column" x="31.16%" width="6.90%" y="46.0" height="114.0"><title>200–250 ms: 180</title></rect><line class="base" x1="0" x2="100%" y1="160" y2="160"/><line class="base" x1="15.38%" x2="15.38%" y1="160" y2="165"/><text x="15.38%" y="178" text-anchor="middle">100</text><line class="base" x1="30.76%" x2="30.76%" y1="160" y2="165"/><text x="30.76%" y="178" text-anchor="middle">200</text><line class="base" x1="46.15%" x2="46.15%" y1="160" y2="165"/><text x="46.15%" y="178" text-anchor="middle">300</text><line class="base" x1="61.53%" x2="61.53%" y1="160" y2="165"/><text x="61.53%" y="178" text-anchor="middle">500</text><line class="base" x1="76.92%" x2="76.92%" y1="160" y2="165"/><text x="76.92%" y="178" text-anchor="middle">1 s</text><line class="base" x1="92.30%" x2="92.30%" y1="160" y2="165"/><text x="92.30%" y="178" text-anchor="middle">4 s</text><line class="mark" x1="30.76%" x2="30.76%" y1="36" y2="160"/><text class="mark-text" x="30.76%" y="16" text-anchor="middle">median</text><line class="mark" x1="30.76%" x2="30.76%" y1="36" y2="160"/><text class="mark-text" x="30.76%" y="30" text-anchor="middle">99 %</text></svg>
        <dl class="figures"><div><dt>median</dt><dd>200 ms</dd></div><div><dt>90 %</dt><dd>200 ms</dd></div><div><dt>99 %</dt><dd>200 ms</dd></div><div><dt>slowest</dt><dd>200 ms</dd></div></dl>
        <details><summary>By class</summary><table class="grid"><thead><tr><th scope="col">Took</th><th scope="col" class="n">Answers</th></tr></thead>
        <tbody><tr><th scope="row">200–250 ms</th><td class="n" data-th="Answers">180</td></tr>
        </tbody></table></details></figure></div></div>
        </section>
        "##);
        assert_eq!(page.matches("preserveAspectRatio").count(), 2);
    }

    #[test]
    fn a_run_that_sent_nothing_has_no_part() {
        assert_eq!(html(&[]), "");
        assert_eq!(html(&[waited(5, [5, 0, 0, 0])]), "");
    }

    #[test]
    fn a_change_that_nobody_answered_has_no_time() {
        let page = html(&[attempt(0, 0, 0)]);
        assert!(page.contains("0 answers in ms, in widening classes; of 1 more it is not known."), "{page}");
        assert!(!page.contains("<dl class=\"figures\">"), "{page}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// However long and however broken a run was: the page is bounded, and tells every change and every wait.
        #[test]
        fn a_page_of_any_run_is_bounded_and_complete(
            bursts in proptest::collection::vec((0_i64..40_000_000, 1_i64..400, 1_i64..90_000, any::<bool>()), 1..40),
            waits in proptest::collection::vec((0_i64..40_000_000, 0_u64..4_000, 0_u64..400_000, 0_u64..400_000), 0..60),
        ) {
            let mut records = Vec::new();
            for (begun, number, every, is_throttled) in &bursts {
                let status = if *is_throttled { 429 } else { 200 };
                records.extend((0..*number).map(|one| attempt(begun + one * every, one * 3, status)));
            }
            for (until, rate, pause, held) in &waits {
                records.push(waited(*until, [*rate, *pause, *held, 0]));
            }
            let pace = pace(&records);
            let page = pace.html(&Facts::of(Phase::Finished).facts()).unwrap();
            prop_assert!(page.len() < 120_000, "{}", page.len());
            let sent: i64 = bursts.iter().map(|burst| burst.1).sum();
            let throttled: i64 = bursts.iter().filter(|burst| burst.3).map(|burst| burst.1).sum();
            for bins in [&pace.sums.drawn, &pace.sums.listed] {
                let all: u64 = bins.iter().map(|bin| bin.sent.all).sum();
                let slow: u64 = bins.iter().map(|bin| bin.sent.throttled).sum();
                prop_assert_eq!((all as i64, slow as i64), (sent, throttled));
            }
            let spans = pace.sums.pauses.iter().chain(pace.sums.held.iter());
            let interrupted = spans.filter(|span| span.to - span.from >= 100).count();
            let label = format!(", {} interruption", crate::report::format::grouped(interrupted as u64));
            prop_assert!(page.contains(&label), "{}", page);
            // Pauses cover each moment in which a request waited for one, and none besides.
            for moment in (0..40_000_000).step_by(397_001) {
                let is_paused = waits.iter().any(|(until, rate, pause, _)| {
                    let turn = until - *rate as i64;
                    (turn - *pause as i64..turn).contains(&moment)
                });
                let is_told = pace.sums.pauses.iter().any(|span| (span.from..span.to).contains(&(BEGUN + moment)));
                prop_assert_eq!(is_told, is_paused, "{}", moment);
            }
        }
    }
}
